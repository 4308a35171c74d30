/** How messages reach an owner or a replyTo: a mailbox, an actor or a function. */

import { Process } from '@holster/process'
import { attach, deliver, reportRejection, reportThrown, type Source } from '@holster/process/internal'
import type { ConnPid } from '../handles.js'
import type { GunMessage, ReplyTo } from '../messages.js'

/** Tells a process that messages of the source will come, so that the source is read while the process waits for the first. */
export function attachTo(source: Source, to: ReplyTo): void {
  if (to instanceof Process) to[attach](source)
}

/** Whether a message waits until its receiver takes it; functions and actors act on it at once. */
export function hasMailbox(to: ReplyTo): boolean {
  return to instanceof Process
}

/** Hands a message over. A receiver that throws, or rejects, harms nobody but itself: its error goes to the exit hook. */
export function post(from: ConnPid, source: Source, to: ReplyTo, message: GunMessage, bytes: number): void {
  if (to instanceof Process) return to[deliver](source, message, bytes)
  try {
    reportRejection(from, typeof to === 'function' ? to(message) : to.send(message))
  } catch (error) {
    reportThrown(from, error)
  }
}
