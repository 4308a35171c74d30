/** Counts which of Holster's functions are entered, by V8's precise coverage. */

import { Session } from 'node:inspector'
import { setImmediate as turn } from 'node:timers/promises'

/** What V8 says of a script; of each function the first range is the function itself. */
interface ScriptCoverage {
  readonly url: string
  readonly functions: readonly {
    readonly functionName: string
    readonly ranges: readonly { readonly startOffset: number; readonly count: number }[]
  }[]
}

/** The functions that were entered, by file: `gun/connection/connection.js`. */
export type Way = ReadonlyMap<string, ReadonlySet<string>>

/** A built file of a package of ours; what is in `node_modules`, and in Node itself, is not. */
const OURS = /\/packages\/([^/]+)\/dist\/(.*)$/

/** Turns of the event loop behind the last one that matters, for what is told of a write that is done. */
const MORE_TURNS = 4

export class Coverage {
  readonly #session = new Session()

  constructor() {
    this.#session.connect()
    this.#session.post('Profiler.enable')
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  /** Does something, waits until `isDone`, and gives the functions that were entered from one to the other. */
  async way(event: () => unknown, isDone: () => boolean): Promise<Way> {
    const way = new Map<string, Set<string>>()
    let left = MORE_TURNS
    this.#take()
    event()
    while (left > 0) {
      this.#add(way)
      // To ask may enter functions, too; they are not of the way.
      if (isDone()) left--
      this.#take()
      await turn()
    }
    this.#add(way)
    return way
  }

  close(): void {
    this.#session.disconnect()
  }

  #add(way: Map<string, Set<string>>): void {
    for (const { url, functions } of this.#take()) {
      const [, name, path] = OURS.exec(url) ?? []
      if (name === undefined || path === undefined) continue
      for (const { functionName, ranges } of functions) {
        const [whole] = ranges
        if (whole === undefined || whole.count === 0) continue
        const file = `${name}/${path}`
        const entered = way.get(file) ?? new Set()
        way.set(file, entered.add(`${functionName || 'an arrow'} at ${whole.startOffset}`))
      }
    }
  }

  /** What was entered since it was taken last; it answers before it returns. */
  #take(): readonly ScriptCoverage[] {
    let scripts: readonly ScriptCoverage[] = []
    this.#session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      if (error !== null) throw error
      scripts = result
    })
    return scripts
  }
}
