/**
 * A census walks over all processes: how many there are, what waits in their mailboxes, and which of them stand out. It keeps none of them
 * alive.
 */

import { type Process, processes } from '@holster/process'
import { lookAt, type Oldest, oldestOf, sinceOf } from '@holster/process/internal'

/** A process that stands out. */
export interface Standout {
  /** The process; it may have been collected since. */
  readonly process: WeakRef<Process<never>>
  readonly messages: number
  readonly bytes: number
  /** Since when, in milliseconds since 1970. */
  readonly since: number
}

/** The result of a census. */
export interface Census {
  readonly processes: number
  readonly waiting: number
  /** Messages and bytes in all mailboxes. */
  readonly messages: number
  readonly bytes: number
  /** The processes whose mailboxes are over their marks, since a census has first found them so. */
  readonly crowded: readonly Standout[]
  /** The processes that have waited for long while messages lie in their mailboxes that do not match, those with the most first. */
  readonly stuck: readonly Standout[]
  /** The processes in whose mailboxes a message has waited for long, the longest first, but for those that are stuck. */
  readonly slow: readonly Standout[]
  /** The process that has waited longest among those of which it is known. */
  readonly longest: Standout | undefined
}

/** The wait in milliseconds after which a process with messages counts as stuck, and how many of these are kept. */
const LONG = 10_000
const MOST = 5
/** The wait of a message in milliseconds that is long: the time after which a call gives up unless told otherwise. */
const SLOW = 5000

/** The message that was the oldest of a mailbox at a census. */
interface Head {
  /** The number of the message in the order of coming. */
  readonly order: number
  /** The time of the first census that has found it there. */
  readonly since: number
}

/** Counts, and remembers since when each process is over its mark. */
export class Censuses {
  #crowded = new WeakMap<Process<never>, number>()
  #heads = new WeakMap<Process<never>, Head>()
  #last: Census | undefined

  /** The last census; the first is taken when it is asked for. */
  get last(): Census {
    return this.#last ?? this.take()
  }

  /**
   * Gives since when the oldest message of a process waits, as it is measured while somebody looks, or at least since when the censuses have
   * found it there; `undefined`: none waits, or nothing is known.
   */
  oldestOf(process: Process<never>): Oldest | undefined {
    const measured = oldestOf(process)
    if (measured?.isEarlier === false) return measured
    const head = this.#heads.get(process)
    if (head === undefined || head.order !== lookAt(process).oldest) return measured
    return { since: Math.min(head.since, measured?.since ?? head.since), isEarlier: true }
  }

  /** Walks over all processes. */
  take(): Census {
    const now = Date.now()
    const all = processes()
    const before = this.#crowded
    const heads = this.#heads
    this.#crowded = new WeakMap()
    this.#heads = new WeakMap()
    const crowded: Standout[] = []
    const stuck: Standout[] = []
    const slow: Standout[] = []
    let waiting = 0
    let messages = 0
    let bytes = 0
    let longest: { readonly process: Process<never>; readonly since: number } | undefined
    for (const process of all) {
      const look = lookAt(process)
      messages += look.messages
      bytes += look.bytes
      if (look.isOverMark) {
        const since = before.get(process) ?? now
        this.#crowded.set(process, since)
        crowded.push(standout(process, look, since))
      }
      const { wait, oldest } = look
      if (wait !== undefined) waiting++
      const since = wait && sinceOf(wait)
      if (oldest !== undefined) {
        const head = heads.get(process)
        this.#heads.set(process, head?.order === oldest ? head : { order: oldest, since: now })
        const came = this.oldestOf(process)?.since ?? now
        if (since !== undefined && now - since >= LONG) stuck.push(standout(process, look, since))
        else if (now - came >= SLOW) slow.push(standout(process, look, came))
      }
      if (since === undefined) continue
      if (since < (longest?.since ?? Number.POSITIVE_INFINITY)) longest = { process, since }
    }
    this.#last = {
      processes: all.length,
      waiting,
      messages,
      bytes,
      crowded,
      stuck: stuck.sort((a, b) => b.messages - a.messages).slice(0, MOST),
      slow: slow.sort((a, b) => a.since - b.since).slice(0, MOST),
      longest: longest && standout(longest.process, lookAt(longest.process), longest.since),
    }
    return this.#last
  }
}

function standout(
  process: Process<never>,
  { messages, bytes }: { readonly messages: number; readonly bytes: number },
  since: number,
): Standout {
  return { process: new WeakRef(process), messages, bytes, since }
}
