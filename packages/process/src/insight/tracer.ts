/** A tracer hands the events of one process to those who asked for them, and costs nothing while nobody has. */

import type { MonitorTarget } from '../exits/exit.js'
import { reportRejection, reportThrown } from '../exits/exit-hook.js'
import type { Happening, Listening } from '../mailbox/happening.js'
import type { TraceEvent } from './trace-event.js'

/** Takes one event. */
export type Tell = (event: TraceEvent) => unknown

/** The sinks of one traced process. */
export class Tracer implements Listening {
  readonly #pid: MonitorTarget
  readonly #sinks = new Set<Tell>()

  constructor(pid: MonitorTarget) {
    this.#pid = pid
  }

  /** Whether nobody asks any more. */
  get isIdle(): boolean {
    return this.#sinks.size === 0
  }

  add(sink: Tell): void {
    this.#sinks.add(sink)
  }

  remove(sink: Tell): void {
    this.#sinks.delete(sink)
  }

  /** Tells every sink. The error of one goes to the exit hook, and the others are told all the same. */
  tell(happening: Happening): void {
    const at = performance.timeOrigin + performance.now()
    const event = { type: 'trace', pid: this.#pid, at, ...happening } as TraceEvent
    for (const sink of this.#sinks) {
      try {
        reportRejection(sink, sink(event))
      } catch (error) {
        reportThrown(sink, error)
      }
    }
  }
}
