/** A look at a process takes no more than a few reads, so that there may be a hundred thousand of them. */

import { coarseClock } from '../host/coarse-clock.js'
import type { Source } from '../mailbox/source.js'
import { inside, living, Process } from '../process.js'
import type { Registrable } from '../registry.js'

/** The facts about a process that cost next to nothing. */
export interface Look {
  /** How many messages wait in the mailbox, and how many bytes they hold. */
  readonly messages: number
  readonly bytes: number
  readonly isOverMark: boolean
  /** The number of the oldest message in the order of coming; `undefined`: none waits. */
  readonly oldest: number | undefined
  /** The earliest receive or call that waits: an object for as long as the wait lasts. */
  readonly wait: Waiting | undefined
  /** How many links there are. */
  readonly links: number
}

/** A receive or a call that waits. */
export interface Waiting {
  /** Shows what is waited for. */
  describe(): string[]
  /** When the wait began, in seconds by a clock that `sinceOf` reads. */
  readonly since: number
}

/** Looks at a process. */
export function lookAt(process: Process<never>): Look {
  const { mailbox, links } = process[inside]()
  const { length, bytes, isOverMark, oldest, firstWaiter } = mailbox
  return { messages: length, bytes, isOverMark, oldest, wait: firstWaiter, links: links?.size ?? 0 }
}

/** Gives when a wait began, in milliseconds since 1970; `undefined`: before somebody has looked at the clock. */
export function sinceOf(wait: Waiting): number | undefined {
  return coarseClock.timeOf(wait.since)
}

/** Has waits note when they begin, until the function is called that this one gives. */
export function noteWaits(): () => void {
  return coarseClock.wind()
}

/** Shows the oldest `most` messages in the mailbox, each in one line, secrets left out. Throws a TypeError unless `pid` is a process. */
export function showMailbox(pid: Registrable, most: number): readonly string[] {
  if (!(pid instanceof Process)) throw new TypeError('pid must be a process')
  const { mailbox, left } = pid[inside]()
  return left ?? mailbox.show(most)
}

/** Gives the processes whose mailboxes have any of the sources pause. */
export function pressersOf(sources: readonly Source[]): Process<never>[] {
  return living.list().filter(process => {
    const { mailbox } = process[inside]()
    return mailbox.length > 0 && sources.some(source => source.isPressedBy(mailbox))
  })
}
