/**
 * A mailbox tells one listener what happens to it: its tracer, or the one that everybody shares who counts messages or measures how long they
 * wait.
 */

import type { Happening } from './happening.js'
import type { MessageQueue } from './message-queue.js'

/** Takes what happens to a process. */
export interface Listening {
  /** A message has come. */
  sent(message: unknown): void
  /** The message that has come waits from now on, as the last of `queue`. */
  queued(queue: MessageQueue): void
  /** The message that has come went to a receive that waited. */
  handed(message: unknown): void
  /** A receive has taken a message that waited. */
  received(message: unknown): void
  tell(happening: Happening): void
}

/** Counts messages, whichever mailbox they come to. */
export class Tally implements Listening {
  /** How many messages have come. */
  incoming = 0
  /** How many a receive has taken. */
  taken = 0

  sent(): void {
    this.incoming++
  }

  queued(): void {}

  handed(): void {
    this.taken++
  }

  received(): void {
    this.taken++
  }

  tell(): void {}
}

/** The one tally. It also keeps the class alive, as V8 forgets one without instances at a full collection, with the code made for it. */
export const tally = new Tally()

/** Gives the listener that the mailbox of `owner` has unless it is traced. */
export type MakeListener = (owner: object) => Listening

/** The listeners that mailboxes have from their making. */
export const common: {
  /** Set while somebody counts or measures. */
  listenerOf: MakeListener | undefined
} = { listenerOf: undefined }
