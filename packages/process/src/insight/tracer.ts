/** A tracer hands the events of one process to those who asked for them, and costs nothing while nobody has. */

import type { MonitorTarget } from '../exits/exit.js'
import { reportRejection, reportThrown } from '../exits/exit-hook.js'
import type { Happening } from '../mailbox/happening.js'
import type { Listening } from '../mailbox/listening.js'
import type { MessageQueue } from '../mailbox/message-queue.js'
import type { TraceEvent } from './trace-event.js'

/** Takes one event. */
export type Tell = (event: TraceEvent) => unknown

/** The sinks of one traced process. */
export class Tracer implements Listening {
  readonly #pid: MonitorTarget
  /** How each sink is told. */
  readonly #sinks = new Map<Tell, unknown>()

  /** The listener that the mailbox would have without a tracer, and that is told all the same. */
  beneath: Listening | undefined

  constructor(pid: MonitorTarget, beneath: Listening | undefined) {
    this.#pid = pid
    this.beneath = beneath
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
    this.beneath?.sent(message)
    this.#tellSinks({ event: 'send', message })
  }

  queued(queue: MessageQueue): void {
    this.beneath?.queued(queue)
  }

  handed(message: unknown): void {
    this.beneath?.handed(message)
    this.#tellSinks({ event: 'receive', message })
  }

  received(message: unknown): void {
    this.beneath?.received(message)
    this.#tellSinks({ event: 'receive', message })
  }

  tell(happening: Happening): void {
    this.beneath?.tell(happening)
    this.#tellSinks(happening)
  }

  /** Tells every sink. The error of one goes to the exit hook, and the others are told all the same. */
  #tellSinks(happening: Happening): void {
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
