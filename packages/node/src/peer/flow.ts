/**
 * Back-pressure between two nodes. A source here, such as a connection, feeds mailboxes there: these press on a stand-in of the source,
 * which has this side pause the source itself. Beside that a source waits while the way to the node is full.
 */

import { Feed, kindOf, type Mark, type Sink, Source, turned, type Valve } from '@holster/process/internal'

/** The signals of back-pressure, which both sides write. */
export interface FlowHost {
  writeDetach(source: number): void
  writePause(source: number, isPaused: boolean): void
  writeOverflow(source: number, mark: Mark): void
}

/** All mailboxes of one other node, as the sources here know them. */
export class RemoteSink implements Sink {
  readonly #host: FlowHost
  readonly #numbers = new Map<Source, number>()
  /** The sources that cannot be paused, as far as the other side knows. */
  readonly #unpausable = new Set<Source>()
  /** The details of the wholes of sources that the other side was last told, where these may change. */
  readonly #details = new WeakMap<Source, unknown>()
  readonly #sources = new Map<number, Source>()
  /** The sources that the other side presses on. */
  readonly #paused = new Set<Source>()
  #last = 0
  #isCongested = false

  constructor(host: FlowHost) {
    this.#host = host
  }

  /** Gives the number of a source by which the other side knows it; `tell` is called first if there is something to know. */
  numberOf(source: Source, tell: (number: number) => void): number {
    turned()
    const known = this.#numbers.get(source)
    const details = detailsOf(source.whole)
    const isSame = source.isPausable !== this.#unpausable.has(source) && this.#details.get(source) === details
    if (known !== undefined && isSame) return known
    const number = known ?? ++this.#last
    if (details !== undefined) this.#details.set(source, details)
    if (source.isPausable) this.#unpausable.delete(source)
    else this.#unpausable.add(source)
    this.#numbers.set(source, number)
    this.#sources.set(number, source)
    tell(number)
    source.attach(this)
    // Nothing would ever say that it has closed, since it had before. The message that it brings goes first.
    if (source.isClosed) queueMicrotask(() => this.detach(source))
    return number
  }

  attach(source: Source): Feed {
    if (this.#isCongested) source.press(this)
    return new Feed(source)
  }

  detach(source: Source): void {
    const number = this.#numbers.get(source)
    if (number === undefined) return
    this.#forget(source, number)
    this.#host.writeDetach(number)
  }

  accept(): never {
    throw new Error('messages to other nodes are written by their pids')
  }

  /** The stand-in of the source on the other side has asked there. */
  wants(): boolean {
    return false
  }

  checkMark(): boolean {
    return this.#isCongested
  }

  /** The way is full, or no longer. */
  congest(isCongested: boolean): void {
    this.#isCongested = isCongested
    for (const source of this.#numbers.keys()) this.#decide(source)
  }

  /** The other side pauses its stand-in, or resumes it. */
  pause(number: number, isPaused: boolean): void {
    const source = this.#sources.get(number)
    if (source === undefined) return
    if (isPaused) this.#paused.add(source)
    else this.#paused.delete(source)
    this.#decide(source)
  }

  overflow(number: number, mark: Mark): void {
    this.#sources.get(number)?.overflow(mark)
  }

  /** The connection to the other node has ended. */
  clear(): void {
    // The way that was full is gone, and the next one says when it is.
    this.#isCongested = false
    for (const [source, number] of this.#numbers) {
      this.#forget(source, number)
      source.detach(this)
    }
  }

  #decide(source: Source): void {
    if (this.#isCongested || this.#paused.has(source)) source.press(this)
    else source.release(this)
  }

  #forget(source: Source, number: number): void {
    this.#numbers.delete(source)
    this.#sources.delete(number)
    this.#paused.delete(source)
    this.#unpausable.delete(source)
  }
}

/** Gives what is told of a whole, if that may change. */
function detailsOf(whole: object): unknown {
  const kind = kindOf(whole)
  return kind?.renew === undefined ? undefined : kind.detailsOf?.(whole as never)
}

/** Stands for a source of another node. */
class RemoteValve implements Valve {
  readonly whole: object
  readonly #part: object | undefined
  isPausable: boolean
  readonly #host: FlowHost
  readonly #number: number

  constructor(
    host: FlowHost,
    number: number,
    whole: object | undefined,
    part: object | undefined,
    isPausable: boolean,
  ) {
    this.#host = host
    this.#number = number
    this.whole = whole ?? this
    this.#part = part
    this.isPausable = isPausable
  }

  pause(): void {
    this.#host.writePause(this.#number, true)
  }

  resume(): void {
    this.#host.writePause(this.#number, false)
  }

  carries(reference: object): boolean {
    if (reference === this.whole) return true
    if (this.#part !== undefined) return reference === this.#part
    return kindOf(reference)?.wholeOf?.(reference as never) === this.whole
  }

  overflow(mark: Mark): void {
    this.#host.writeOverflow(this.#number, mark)
  }
}

/** The sources of one other node, by their numbers there. */
export class RemoteSources {
  readonly #host: FlowHost
  readonly #valves = new Map<number, RemoteValve>()
  readonly #sources = new Map<number, Source>()
  /** The sources of which messages have come with the last parcel. */
  readonly #delivering = new Set<Source>()

  constructor(host: FlowHost) {
    this.#host = host
  }

  /** Makes the stand-in of a source, or changes it. */
  set(number: number, whole: object | undefined, part: object | undefined, isPausable: boolean): void {
    const known = this.#valves.get(number)
    if (known !== undefined) {
      known.isPausable = isPausable
      return
    }
    const valve = new RemoteValve(this.#host, number, whole, part, isPausable)
    this.#valves.set(number, valve)
    this.#sources.set(number, new Source(valve))
  }

  get(number: number): Source | undefined {
    return this.#sources.get(number)
  }

  /** Gives the source of a message that has come. */
  delivering(number: number): Source | undefined {
    const source = this.#sources.get(number)
    if (source !== undefined) this.#delivering.add(source)
    return source
  }

  /** Has mailboxes that are over their marks press now: many parcels may come in one turn of the event loop. */
  beforeReading(): void {
    if (this.#delivering.size === 0) return
    for (const source of this.#delivering) source.beforeReading()
    this.#delivering.clear()
  }

  /** The source has closed. */
  remove(number: number): void {
    this.#sources.get(number)?.close()
    this.#sources.delete(number)
    this.#valves.delete(number)
  }

  /** The connection to the other node has ended. */
  clear(): void {
    for (const number of this.#sources.keys()) this.remove(number)
  }
}
