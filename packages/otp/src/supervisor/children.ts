/** The children of a supervisor stand in the order of their starts, and each is found by its id or its pid. */

import type { ExitReason, MonitorTarget, TimerRef } from '@holster/process'
import { printReason } from '@holster/process/internal'
import type { CheckedChildSpec } from './checked-spec.js'

/**
 * A child, which runs while it has a `pid`; otherwise it is about to be started anew, or has ended, or was never to run.
 */
export interface Child {
  readonly spec: CheckedChildSpec
  pid: MonitorTarget | undefined
  /** Whether the supervisor is about to start the child anew. */
  isRestarting: boolean
  /** The last pid, by which a child is found that is about to be started anew. */
  lastPid: MonitorTarget | undefined
  /** The timer of a restart that is delayed. */
  timer: TimerRef | undefined
  /** When the child was last started, in milliseconds by the clock of `performance.now`. */
  startedAt: number
  /** How many delayed restarts there have been since the child has last lived long enough. */
  delays: number
  /** How often the child was started anew, for whatever reason. */
  restarts: number
  /** When the child was last started anew, in milliseconds since 1970. */
  restartedAt: number | undefined
  /** Describes why the child last ended, or could not be started, secrets left out: the reason itself may hold much. */
  lastReason: string | undefined
}

/** The most characters that are kept of a reason. */
const MOST_OF_REASON = 1000

/** Notes why a child has ended, or could not be started. */
export function noteEnd(child: Child, reason: ExitReason): void {
  child.lastReason = printReason(reason, MOST_OF_REASON)
}

/** Notes that a child runs that has run before. */
export function noteRestart(child: Child): void {
  child.restarts++
  child.restartedAt = Date.now()
}

/** All children of one supervisor. */
export class Children implements Iterable<Child> {
  readonly #all = new Set<Child>()
  readonly #byId = new Map<string, Child>()
  readonly #byPid = new Map<MonitorTarget, Child>()

  /** Adds a child at the end. Where ids need not differ, the last one of an id is found by it. */
  add(spec: CheckedChildSpec): Child {
    const child: Child = {
      spec,
      pid: undefined,
      isRestarting: false,
      lastPid: undefined,
      timer: undefined,
      startedAt: 0,
      delays: 0,
      restarts: 0,
      restartedAt: undefined,
      lastReason: undefined,
    }
    this.#all.add(child)
    this.#byId.set(spec.id, child)
    return child
  }

  /** Removes a child. */
  remove(child: Child): void {
    this.unsetPid(child)
    this.#all.delete(child)
    if (this.#byId.get(child.spec.id) === child) this.#byId.delete(child.spec.id)
  }

  /** Notes that the child runs as `pid`. */
  setPid(child: Child, pid: MonitorTarget): void {
    this.unsetPid(child)
    child.pid = pid
    child.lastPid = pid
    this.#byPid.set(pid, child)
  }

  /** Notes that the child does not run, and is not about to be started anew. */
  unsetPid(child: Child): void {
    if (child.lastPid !== undefined) this.#byPid.delete(child.lastPid)
    child.lastPid = undefined
    child.pid = undefined
    child.isRestarting = false
  }

  /** Notes that the child is about to be started anew. */
  setRestarting(child: Child): void {
    child.pid = undefined
    child.isRestarting = true
  }

  has(child: Child): boolean {
    return this.#all.has(child)
  }

  byId(id: string): Child | undefined {
    return this.#byId.get(id)
  }

  /** Finds a child by its pid, or by the one that it had if it is about to be started anew. */
  byPid(pid: MonitorTarget): Child | undefined {
    return this.#byPid.get(pid)
  }

  get size(): number {
    return this.#all.size
  }

  /** Gives a child and those behind it. */
  from(child: Child): Child[] {
    const all = [...this.#all]
    return all.slice(all.indexOf(child))
  }

  [Symbol.iterator](): Iterator<Child> {
    return this.#all.values()
  }
}
