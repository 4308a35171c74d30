/** Messages are counted while somebody asks, and cost nothing more than usual otherwise. */

import { common, Tally } from '../mailbox/listening.js'
import { inside, living } from '../process.js'

/** The counts since somebody has last begun to count while nobody else did. */
export interface MessageCount {
  /** How many messages have come to the mailboxes of this program. */
  readonly incoming: number
  /** How many of them a receive has taken. */
  readonly taken: number
  /** Ends counting for whoever began it. */
  stop(): void
}

const tally = new Tally()
let counters = 0

/** Counts the messages of all processes from now on; those of a process that is being traced too. */
export function countMessages(): MessageCount {
  if (++counters === 1) begin()
  let isCounting = true
  return {
    get incoming() {
      return tally.incoming
    },
    get taken() {
      return tally.taken
    },
    stop() {
      if (!isCounting) return
      isCounting = false
      if (--counters === 0) end()
    },
  }
}

function begin(): void {
  common.tally = tally
  for (const process of living.list()) process[inside]().mailbox.tracer ??= tally
}

function end(): void {
  common.tally = undefined
  for (const process of living.list()) {
    const { mailbox } = process[inside]()
    if (mailbox.tracer === tally) mailbox.tracer = undefined
  }
}
