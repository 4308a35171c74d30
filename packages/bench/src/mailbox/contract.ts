/** The jobs of the benchmark of mailboxes; one process does all of them, in turns. */

/** Ways to bring a message into a mailbox and take it out again, and the bare structures beside them. */
export const WAYS = [
  'a bare array queue',
  'a bare awaited promise',
  'send, then receive with a fresh pattern',
  'send, then receive with a reused pattern',
  'receive that waits, then send',
  '2,000 delivered, then received by references',
] as const
export type Way = (typeof WAYS)[number]

/** How many other messages wait while one is received by a pinned reference. */
export const BACKLOGS = [0, 10_000, 1_000_000] as const

export interface Answer {
  /** Nanoseconds for each message. */
  readonly inOrder: Readonly<Record<Way, number>>
  /** In the order of `BACKLOGS`: nanoseconds of the first receive, and of each later one. */
  readonly pinned: readonly { readonly first: number; readonly later: number }[]
}
