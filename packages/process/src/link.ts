/** Links: two-way; when one side ends, the other gets an exit signal with the reason. */

import { checkTarget, type ExitReason, exitSignal, isMonitorable, type MonitorTarget, watch } from './exit.js'

/** An exit signal, as a process that traps exits receives it. Source: `process_flag(trap_exit, true)`. */
export interface Exit {
  /** The tag, by which patterns and a `switch` tell messages apart. */
  readonly type: 'EXIT'
  /** The linked side that ended; `undefined` when the signal came from `exit(pid, reason)`. */
  readonly from: MonitorTarget | undefined
  /** Why it ended, or what was given to `exit`; `'noproc'` if it had ended before it was linked. */
  readonly reason: ExitReason
}

/** The links of one process. */
export class Links {
  readonly #owner: MonitorTarget
  readonly #signal: (from: MonitorTarget, reason: ExitReason) => void
  readonly #stops = new Map<MonitorTarget, () => void>()
  /** Those who watch the owner by themselves, and so need no signal when it ends. */
  readonly #mutual = new Set<MonitorTarget>()

  constructor(owner: MonitorTarget, signal: (from: MonitorTarget, reason: ExitReason) => void) {
    this.#owner = owner
    this.#signal = signal
  }

  /** Linking twice is linking once. `false`: the target has ended. */
  add(target: MonitorTarget, mutual: boolean): boolean {
    if (this.#stops.has(target)) return true
    const stop = watch(target, reason => {
      this.remove(target)
      this.#signal(target, reason)
    })
    if (stop === undefined) return false
    this.#stops.set(target, stop)
    if (mutual) this.#mutual.add(target)
    return true
  }

  remove(target: MonitorTarget): void {
    this.#stops.get(target)?.()
    this.#stops.delete(target)
    this.#mutual.delete(target)
  }

  /** The owner ended. */
  signalAll(reason: ExitReason): void {
    const targets = [...this.#stops.keys()].filter(target => !this.#mutual.has(target))
    for (const target of this.#stops.keys()) this.remove(target)
    for (const target of targets) sendExit(target, this.#owner, reason)
  }
}

/** Sends an exit signal to whatever can be ended. */
export function sendExit(target: MonitorTarget, from: MonitorTarget | undefined, reason: ExitReason): void {
  checkTarget(target, 'pid')
  if (isMonitorable(target)) return target[exitSignal]?.(from, reason)
  // Only a root actor can be stopped from outside; a child lives and dies with its parent.
  if (reason !== 'normal' && target._parent === undefined && isStoppable(target)) target.stop()
}

function isStoppable(actor: object): actor is { stop(): unknown } {
  return 'stop' in actor && typeof actor.stop === 'function'
}

/**
 * Sends an exit signal. `'normal'` does nothing; another reason ends the process, or becomes an `EXIT` message if it
 * traps exits; `'kill'` always ends it, with reason `'killed'`. Source: `erlang:exit/2`.
 */
export function exit(pid: MonitorTarget, reason: ExitReason): void {
  sendExit(pid, undefined, reason)
}
