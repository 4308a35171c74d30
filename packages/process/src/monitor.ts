/** Monitors: one-way, each call its own; what ends sends one DOWN for each. */

import { type ExitReason, type MonitorTarget, watch } from './exit.js'
import { MonitorRef } from './ref.js'

/** What a monitored target sends when it ends. Source: `erlang:monitor/2`. */
export interface Down {
  /** The tag, by which patterns and a `switch` tell messages apart. */
  readonly type: 'DOWN'
  /** What `monitor` gave. */
  readonly ref: MonitorRef
  /** What was monitored. */
  readonly pid: MonitorTarget
  /** Why it ended; `'noproc'` if it had before it was monitored. */
  readonly reason: ExitReason
}

/** The monitors that one process has set. */
export class Monitors {
  readonly #send: (message: Down) => void
  readonly #stops = new Map<MonitorRef, () => void>()

  constructor(send: (message: Down) => void) {
    this.#send = send
  }

  add(target: MonitorTarget): MonitorRef {
    const ref = new MonitorRef()
    const down = (reason: ExitReason) => this.#send({ type: 'DOWN', ref, pid: target, reason })
    const stop = watch(target, reason => {
      this.#stops.delete(ref)
      down(reason)
    })
    if (stop === undefined) down('noproc')
    else this.#stops.set(ref, stop)
    return ref
  }

  /** Whether the monitor was still set. */
  remove(ref: MonitorRef): boolean {
    this.#stops.get(ref)?.()
    return this.#stops.delete(ref)
  }

  clear(): void {
    for (const stop of this.#stops.values()) stop()
    this.#stops.clear()
  }
}
