/** Counts which of Holster's functions are entered, by V8's precise coverage. */

import { readFileSync } from 'node:fs'
import { Session } from 'node:inspector'
import { SourceMap } from 'node:module'
import { setImmediate as turn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** V8's coverage of one script; the first range of a function is the function itself. */
interface ScriptCoverage {
  readonly url: string
  readonly functions: readonly {
    readonly functionName: string
    readonly ranges: readonly { readonly startOffset: number; readonly count: number }[]
  }[]
}

/** The functions that were entered, by the file of their source: `gun/connection/connection.ts`. */
export type Way = ReadonlyMap<string, ReadonlySet<string>>

/** Matches the built files of the packages that are measured, and neither `node_modules` nor Node. */
const OURS = /\/packages\/(?!bench\/)([^/]+)\/dist\/[^/]*$/

/** Turns of the event loop that are counted after the event is done, for the callbacks of its writes. */
const MORE_TURNS = 4

/** Knows from which source each function of a built file comes. */
class Sources {
  readonly #map: SourceMap
  /** The offset at which each line begins. */
  readonly #lines: readonly number[]

  constructor(url: string) {
    const path = fileURLToPath(url)
    this.#map = new SourceMap(JSON.parse(readFileSync(`${path}.map`, 'utf8')))
    this.#lines = Array.from(readFileSync(path, 'utf8').matchAll(/^/gm), ({ index }) => index)
  }

  /** Gives the source of what stands at `offset`, below the `src` of its package; `undefined` for what the bundler has added. */
  at(offset: number): string | undefined {
    const line = this.#lines.findLastIndex(start => start <= offset)
    const entry = this.#map.findEntry(line, offset - (this.#lines[line] ?? 0))
    return 'originalSource' in entry ? /\/src\/(.*)$/.exec(entry.originalSource)?.[1] : undefined
  }
}

export class Coverage {
  readonly #sources = new Map<string, Sources>()
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
      const [, name] = OURS.exec(url) ?? []
      if (name === undefined) continue
      const sources = this.#sources.get(url) ?? new Sources(url)
      this.#sources.set(url, sources)
      for (const { functionName, ranges } of functions) {
        const [whole] = ranges
        if (whole === undefined || whole.count === 0) continue
        const path = sources.at(whole.startOffset)
        if (path === undefined) continue
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
