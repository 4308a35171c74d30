/** Messages are counted while somebody asks, and cost nothing more than usual otherwise. */

import { tally } from '../mailbox/listening.js'
import { listen } from './listeners.js'

/** The counts since somebody has last begun to count while nobody else did. */
export interface MessageCount {
  /** How many messages have come to the mailboxes of this program. */
  readonly incoming: number
  /** How many of them a receive has taken. */
  readonly taken: number
  /** Ends counting for whoever began it. */
  stop(): void
}

/** Counts the messages of all processes from now on; those of a process that is being traced too. */
export function countMessages(): MessageCount {
  const stop = listen('counting')
  return {
    get incoming() {
      return tally.incoming
    },
    get taken() {
      return tally.taken
    },
    stop,
  }
}
