/** A mailbox tells one listener what happens to it: its tracer, or while messages are counted the tally that all others share. */

import type { Happening } from './happening.js'

/** Takes what happens to a process. */
export interface Listening {
  /** A message has come. */
  sent(message: unknown): void
  /** A receive has taken a message. */
  received(message: unknown): void
  tell(happening: Happening): void
}

/** Counts messages, whichever mailbox they come to. */
export class Tally implements Listening {
  /** Keeps an instance alive, as V8 forgets a class without any at a full collection, with the code made for it. */
  static readonly kept = new Tally()

  /** How many messages have come. */
  incoming = 0
  /** How many a receive has taken. */
  taken = 0

  sent(): void {
    this.incoming++
  }

  received(): void {
    this.taken++
  }

  tell(): void {}
}

/** The listener that every mailbox has unless it is traced. */
export const common: {
  /** Set while somebody counts. */
  tally: Tally | undefined
} = { tally: undefined }
