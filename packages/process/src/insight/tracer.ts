/** A tracer hands the events of one process to those who asked for them, and costs nothing while nobody has. */

import type { MonitorTarget } from '../exits/exit.js'
import { reportRejection, reportThrown } from '../exits/exit-hook.js'
import type { Happening } from '../mailbox/happening.js'
import { common, type Listening } from '../mailbox/listening.js'
import type { TraceEvent } from './trace-event.js'

/** Takes one event. */
export type Tell = (event: TraceEvent) => unknown

/** The sinks of one traced process. */
export class Tracer implements Listening {
  readonly #pid: MonitorTarget
  /** How each sink is told. */
  readonly #sinks = new Map<Tell, unknown>()

  constructor(pid: MonitorTarget) {
    this.#pid = pid
  }

  /** Whether nobody asks any more. */
  get isIdle(): boolean {
    return this.#sinks.size === 0
  }

  /** The sinks that are told: functions and pids. */
  get sinks(): unknown[] {
    return [...this.#sinks.values()]
  }

  /** Has `tell` hand each event to `sink` from now on. */
  add(tell: Tell, sink: unknown): void {
    this.#sinks.set(tell, sink)
  }

  remove(tell: Tell): void {
    this.#sinks.delete(tell)
  }

  sent(message: unknown): void {
    common.tally?.sent()
    this.tell({ event: 'send', message })
  }

  received(message: unknown): void {
    common.tally?.received()
    this.tell({ event: 'receive', message })
  }

  /** Tells every sink. The error of one goes to the exit hook, and the others are told all the same. */
  tell(happening: Happening): void {
    const at = performance.timeOrigin + performance.now()
    const event = { type: 'trace', pid: this.#pid, at, ...happening } as TraceEvent
    for (const [tell, sink] of this.#sinks) {
      try {
        reportRejection(sink, tell(event))
      } catch (error) {
        reportThrown(sink, error)
      }
    }
  }
}
