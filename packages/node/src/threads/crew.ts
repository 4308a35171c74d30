/** The threads that this one has started: each is introduced to the others, and work goes to the one with the least to do. */

import { type EventLoopUtilization, performance } from 'node:perf_hooks'
import { MessageChannel, type MessagePort, type Worker } from 'node:worker_threads'
import type { Introduction } from './threads.js'

/** How long in milliseconds a measure of the threads' work holds. */
const FRESH = 100
/** Where loads are equal to this step, the number of processes decides. */
const STEP = 0.1
/** How much load a process is taken to bring, until the next measure shows what it does. */
const EXPECTED = 0.1

/** A thread of the crew. */
interface Member {
  readonly name: string
  /** Brings the thread introductions to later ones. */
  readonly control: MessagePort
  readonly worker: Worker
  /** The processes that were spawned there by load and have not ended. */
  processes: number
  /** The last measure; `undefined` before the first, as a thread is busy while it starts. */
  before: EventLoopUtilization | undefined
  /** The part of the last measured time in which the event loop was busy, and what was spawned since. */
  load: number
}

/** The threads that this one has started. */
export class Crew {
  readonly #members = new Map<string, Member>()
  readonly #reserved = new Set<string>()
  #measuredAt = 0

  /** Whether a thread of that name runs, or will be started. */
  isReserved(name: string): boolean {
    return this.#reserved.has(name)
  }

  /** Keeps names for threads, also while these are started anew. */
  reserve(names: readonly string[]): void {
    for (const name of names) this.#reserved.add(name)
  }

  /** Gives the names of threads that are not started again to others. */
  release(names: readonly string[]): void {
    for (const name of names) this.#reserved.delete(name)
  }

  /** Gives what a new thread is to be told of the others. */
  introductions(): { readonly toNew: Introduction[]; introduce(name: string): void } {
    const ways = [...this.#members.values()].map(({ name, control }) => ({
      name,
      control,
      ...new MessageChannel(),
    }))
    return {
      toNew: ways.map(({ name, port1 }) => ({ name, port: port1 })),
      introduce: newcomer => {
        for (const { control, port2 } of ways) {
          control.postMessage({ name: newcomer, port: port2 } satisfies Introduction, [port2])
        }
      },
    }
  }

  /** Adds a thread, until it ends. */
  add(name: string, worker: Worker, control: MessagePort): void {
    const member: Member = { name, worker, control, processes: 0, before: undefined, load: 0 }
    this.#members.set(name, member)
    worker.once('exit', () => {
      control.close()
      if (this.#members.get(name) === member) this.#members.delete(name)
    })
  }

  /** Takes the thread with the least to do for one more process; `undefined` if there is none. */
  take(): Member | undefined {
    this.#measure()
    const [best] = [...this.#members.values()].sort(byLoad)
    if (best === undefined) return undefined
    best.processes++
    best.load += EXPECTED
    return best
  }

  #measure(): void {
    const now = performance.now()
    if (now - this.#measuredAt < FRESH) return
    this.#measuredAt = now
    for (const member of this.#members.values()) {
      const now = member.worker.performance.eventLoopUtilization()
      const { before } = member
      member.load =
        before === undefined ? 0 : member.worker.performance.eventLoopUtilization(now, before).utilization
      member.before = now
    }
  }
}

function byLoad(one: Member, other: Member): number {
  const [steps, others] = [one, other].map(({ load }) => Math.round(load / STEP)) as [number, number]
  return steps === others ? one.processes - other.processes : steps - others
}
