/** Who gets messages: the owner of a connection, or whom one stream replies to. */

import {
  attach,
  deliver,
  type Pid,
  Process,
  reportRejection,
  reportThrown,
  type Source,
} from '@holster/process'
import type { ConnPid } from './conn-pid.js'
import type { GunMessage, Receiver } from './messages.js'

/** Who owns a connection: a process, or an xstate actor; something that ends, and the connection with it. */
export type Owner = Pid<GunMessage>

/** Whom a stream replies to: a process, an actor, anything with a `send`, or a function. */
export type ReplyTo = Pid<GunMessage> | Receiver

/** Tells whom messages will go to, so that a socket is read while they wait for the first. */
export function attachTo(source: Source, to: ReplyTo): void {
  if (to instanceof Process) to[attach](source)
}

/** Whether what is posted waits until it is taken; functions and actors act on it at once. */
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

/** A process whose mailbox the await functions and `flush` read. */
export type Mailbox = Process<GunMessage>

/** The mailbox behind an owner or a replyTo. Throws a TypeError where there is none. */
export function mailboxOf(to: ReplyTo, what: string): Mailbox {
  if (to instanceof Process) return to
  throw new TypeError(`there is no mailbox to read: ${what} is not a process`)
}
