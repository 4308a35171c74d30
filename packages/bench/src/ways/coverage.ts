/** Counts which of Holster's functions are entered, by V8's precise coverage. */

import { Session } from 'node:inspector'
import { setImmediate as turn } from 'node:timers/promises'

/** V8's coverage of one script; the first range of a function is the function itself. */
interface ScriptCoverage {
  readonly url: string
  readonly functions: readonly {
    readonly functionName: string
    readonly ranges: readonly { readonly startOffset: number; readonly count: number }[]
  }[]
}

/** The functions that were entered, by file: `gun/connection/connection.js`. */
export type Way = ReadonlyMap<string, ReadonlySet<string>>

/** Matches the built files of the workspace's packages, and neither `node_modules` nor Node. */
const OURS = /\/packages\/([^/]+)\/dist\/(.*)$/

/** Turns of the event loop that are counted after the event is done, for the callbacks of its writes. */
const MORE_TURNS = 4

export class Coverage {
  readonly #session = new Session()

  constructor() {
    this.#session.connect()
    this.#session.post('Profiler.enable')
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  /** Starts an event, waits until `isDone` holds, and gives the functions that were entered in between. */
  async way(event: () => unknown, isDone: () => boolean): Promise<Way> {
    const way = new Map<string, Set<string>>()
    let left = MORE_TURNS
    this.#take()
    event()
    while (left > 0) {
      this.#add(way)
      // `isDone` may enter functions of ours, which are not on the way.
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

  /** Takes the counts since the last call. The session calls back before `post` returns. */
  #take(): readonly ScriptCoverage[] {
    let scripts: readonly ScriptCoverage[] = []
    this.#session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      if (error !== null) throw error
      scripts = result
    })
    return scripts
  }
}
