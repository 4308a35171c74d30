/**
 * A census walks over all processes: how many there are, what waits in their mailboxes, and which of them stand out. It keeps none of them
 * alive.
 */

import { type Process, processes } from '@holster/process'
import { lookAt, sinceOf } from '@holster/process/internal'

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
  /** The process that has waited longest among those of which it is known. */
  readonly longest: Standout | undefined
}

/** The wait in milliseconds after which a process with messages counts as stuck, and how many of these are kept. */
const LONG = 10_000
const MOST = 5

/** Counts, and remembers since when each process is over its mark. */
export class Censuses {
  #crowded = new WeakMap<Process<never>, number>()
  #last: Census | undefined

  /** The last census; the first is taken when it is asked for. */
  get last(): Census {
    return this.#last ?? this.take()
  }

  /** Walks over all processes. */
  take(): Census {
    const now = Date.now()
    const all = processes()
    const before = this.#crowded
    this.#crowded = new WeakMap()
    const crowded: Standout[] = []
    const stuck: Standout[] = []
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
      if (look.wait === undefined) continue
      waiting++
      const since = sinceOf(look.wait)
      if (since === undefined) continue
      if (look.messages > 0 && now - since >= LONG) stuck.push(standout(process, look, since))
      if (since < (longest?.since ?? Number.POSITIVE_INFINITY)) longest = { process, since }
    }
    this.#last = {
      processes: all.length,
      waiting,
      messages,
      bytes,
      crowded,
      stuck: stuck.sort((a, b) => b.messages - a.messages).slice(0, MOST),
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
