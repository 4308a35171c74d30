// Runs programs of processes on two of our nodes. ./node_peer.erl does the same on the BEAM.

import { moduleAt, node, spawnAt } from '@holster/node'
import { createProcess, type Down, exit, type Process, type Ref } from '@holster/process'
import type { Greeted, Recorder } from './recorder.ts'

const bodies = moduleAt<typeof import('./recorder.ts')>(new URL('./recorder.ts', import.meta.url))

/** A step: what a process does, with its arguments; numbers stand for processes. */
export type Op = readonly [kind: string, ...args: (string | number | boolean)[]]

/** How many processes a program has; the even ones are here, the odd ones there. */
export const PROCESSES = 6

interface Known {
  readonly number: number
  readonly pid: Recorder
  hasEnded: boolean
}

/** Runs one program. */
export class Driver {
  readonly #self: Process<Greeted> = createProcess()
  #known: Known[] = []
  #watched = new Map<Ref, Known>()
  /** Cuts the connection between both nodes, and resolves once both have heard and are connected again. */
  readonly #cut: () => Promise<void>

  constructor(cut: () => Promise<void>) {
    this.#cut = cut
  }

  /** Gives what each step has brought about. */
  async run(other: string, program: readonly Op[]): Promise<string[]> {
    for (let number = 0; number < PROCESSES; number++) {
      const place = number % 2 === 0 ? node() : other
      const pid = (await spawnAt(place, bodies, 'recorder', this.#self)) as Recorder
      this.#known.push({ number, pid, hasEnded: false })
    }
    const names = new Map(this.#known.map(({ pid, number }) => [pid, number]))
    for (const { pid } of this.#known) pid.send({ type: 'names', names })
    this.#watch()
    // Else a cut might lose what they were told first.
    await this.#settle()
    const trace: string[] = []
    for (const op of program) trace.push(await this.#step(op))
    for (const { pid } of this.#known) exit(pid, 'kill')
    this.#self.exit()
    return trace
  }

  #living(): Known[] {
    return this.#known.filter(({ hasEnded }) => !hasEnded)
  }

  #watch(): void {
    this.#watched = new Map(this.#living().map(known => [this.#self.monitor(known.pid), known]))
  }

  async #step([kind, ...args]: Op): Promise<string> {
    if (kind === 'cut') {
      await this.#cut()
      this.#watch()
      return report(kind, await this.#settle())
    }
    const [actor, ...others] = args
    const known = this.#living().find(({ number }) => number === actor)
    if (known === undefined) return `${kind} skipped`
    const resolved = others.map(arg => (typeof arg === 'number' ? this.#known[arg]?.pid : arg))
    known.pid.send({ type: 'do', kind, args: resolved })
    return report(kind, await this.#settle())
  }

  /** Has everybody greet everybody, until two rounds have brought nothing new. */
  async #settle(): Promise<string[]> {
    const events: string[] = []
    for (let quiet = 0; quiet < 2; ) {
      const living = this.#living().map(({ pid }) => pid)
      for (const pid of living) pid.send({ type: 'greet', others: living.filter(other => other !== pid) })
      const heard = await this.#gather(new Set(living))
      quiet = heard.length === 0 ? quiet + 1 : 0
      events.push(...heard)
    }
    return events
  }

  async #gather(waiting: Set<Recorder>): Promise<string[]> {
    const events: string[] = []
    while (waiting.size > 0) {
      const message: Greeted | Down = await this.#self.receive([{ type: 'greeted' }, { type: 'DOWN' }])
      if (message.type === 'greeted') {
        waiting.delete(message.from)
        const number = this.#known.find(({ pid }) => pid === message.from)?.number
        events.push(...message.heard.map(heard => `${number}:${heard}`))
        continue
      }
      const known = this.#watched.get(message.ref)
      if (known === undefined || message.reason === 'noconnection') continue
      known.hasEnded = true
      waiting.delete(known.pid)
      events.push(`${known.number}:ended ${message.reason}`)
    }
    return events
  }
}

/** Whether a process that ends tells before what it has heard is left to chance, so that it is left out. */
function report(kind: string, events: readonly string[]): string {
  const ended = new Set(events.filter(event => event.includes(':ended ')).map(event => event.split(':')[0]))
  const told = events.filter(event => event.includes(':ended ') || !ended.has(event.split(':')[0]))
  return [kind, ...told.toSorted()].join(' ')
}
