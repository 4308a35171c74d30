/** How messages reach an owner or a replyTo: a mailbox, here or on another node, an actor or a function. */

import { Process } from '@holster/process'
import {
  attach,
  deliver,
  linked,
  reportRejection,
  reportThrown,
  type Source,
} from '@holster/process/internal'
import { GunError, messageOf } from '../errors.js'
import type { ConnPid, StreamRef } from '../handles.js'
import { endsStream, type GunMessage, type ReplyTo } from '../messages.js'
import { tellOver } from './guests.js'

/** A process on another node, through which its mailbox presses on sources here. */
type Away = Pick<Process<GunMessage>, typeof attach | typeof deliver>

/** Whether a recipient is on another node. */
export function isAway(to: ReplyTo): to is ReplyTo & Away {
  return typeof to === 'object' && linked in to
}

/** Tells a process that messages of the source will come, so that the source is read while the process waits for the first. */
export function attachTo(source: Source, to: ReplyTo): void {
  if (to instanceof Process || isAway(to)) to[attach](source)
}

/** Whether a message waits until its receiver takes it; functions and actors act on it at once. */
export function hasMailbox(to: ReplyTo): boolean {
  return to instanceof Process || isAway(to)
}

/** Hands a message over. A receiver that throws, or rejects, harms nobody but itself: its error goes to the exit hook. */
export function post(from: ConnPid, source: Source, to: ReplyTo, message: GunMessage, bytes: number): void {
  if (to instanceof Process) return to[deliver](source, message, bytes)
  try {
    if (isAway(to)) postAway(from, source, to, message, bytes)
    else reportRejection(from, typeof to === 'function' ? to(message) : to.send(message))
  } catch (error) {
    reportThrown(from, error)
  }
}

/** Hands a message over to another node, or in place of one that cannot be sent there an error that says so. */
function postAway(from: ConnPid, source: Source, to: Away, message: GunMessage, bytes: number): void {
  const { streamRef } = (message ?? {}) as { readonly streamRef?: StreamRef }
  try {
    to[deliver](source, message, bytes)
  } catch (cause) {
    const reason = new GunError('handler_error', 'stream_error', messageOf(cause), { cause })
    to[deliver](source, { type: 'gun_error', connPid: from, ...(streamRef && { streamRef }), reason }, 0)
  }
  if (streamRef !== undefined && endsStream(message)) tellOver(streamRef)
}
