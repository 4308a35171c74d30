/** A distribution keeps how long messages have waited in the counts of a few buckets, so that noting a wait is a handful of additions. */

/** The longest waits of the buckets, in milliseconds; one more bucket has what is longer. */
const BOUNDS = [
  0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000,
]

/** How many messages have waited so long. */
export interface WaitBucket {
  /** The longest wait that belongs here, in milliseconds, behind that of the bucket before; `Infinity` of the last bucket. */
  readonly most: number
  /** How many messages. */
  readonly messages: number
}

/** The waits of one mailbox, or of all. */
export class Distribution {
  /** Keeps an instance alive, as V8 forgets a class without any at a full collection, with the code made for it. */
  static readonly kept = new Distribution()

  /** How many messages the noted waits stand for. */
  messages = 0
  /** The sum of their waits, in milliseconds. */
  sum = 0
  last = 0
  longest = 0
  // Grows to the longest wait, since most waits are short and there may be a hundred thousand of these.
  private readonly counts: number[] = []

  /** Notes the wait of one message, which stands for so many. */
  note(wait: number, messages: number): void {
    this.messages += messages
    this.sum += wait * messages
    this.last = wait
    if (wait > this.longest) this.longest = wait
    let at = 0
    while (at < BOUNDS.length && wait > (BOUNDS[at] ?? 0)) at++
    while (this.counts.length <= at) this.counts.push(0)
    this.counts[at] = (this.counts[at] ?? 0) + messages
  }

  /** The counts, those of short waits first. */
  get buckets(): WaitBucket[] {
    return [...BOUNDS, Number.POSITIVE_INFINITY].map((most, at) => ({ most, messages: this.counts[at] ?? 0 }))
  }

  /** Gives the wait that so large a part of the messages, from 0 to 1, did not exceed; `undefined`: there were none. */
  within(part: number): number | undefined {
    return this.messages === 0 ? undefined : Math.min(boundOf(this.counts, part), this.longest)
  }
}

/**
 * Gives the bound that so large a part of the messages in some buckets, from 0 to 1, did not exceed; `undefined`: there are none. `Infinity`
 * stands for a wait that is longer than all bounds.
 */
export function waitWithin(buckets: readonly WaitBucket[], part: number): number | undefined {
  const counts = buckets.map(({ messages }) => messages)
  return counts.every(count => count === 0) ? undefined : boundOf(counts, part)
}

function boundOf(counts: readonly number[], part: number): number {
  const total = counts.reduce((sum, count) => sum + count, 0)
  let passed = 0
  const at = counts.findIndex(count => {
    passed += count
    return count > 0 && passed >= part * total
  })
  return BOUNDS[at] ?? Number.POSITIVE_INFINITY
}
