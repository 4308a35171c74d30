/**
 * An ear hears what happens until it has heard enough for one look, and listens again from the next look on: more may happen than anybody can
 * read, and hearing a message costs about as much as sending it. What it has heard is printed by those who look.
 */

/** Begins to listen, and gives the function that ends that. */
export type Listen<T> = (hear: (item: T) => void) => () => void

/** The most items between two looks. */
export interface Limits {
  /** How many are kept. */
  readonly kept: number
  /** How many are heard, whether or not they pass the filter. */
  readonly heard: number
}

/** The items between two looks. */
export interface Heard<T> {
  /** The items that were kept, the oldest first. */
  readonly items: readonly T[]
  /** Whether there may have been more, which nobody has heard. */
  readonly isSampled: boolean
}

/** Listens from its making until `close`. */
export class Ear<T> {
  readonly #listen: Listen<T>
  readonly #limits: Limits
  readonly #passes: (item: T) => boolean
  #items: T[] = []
  #heard = 0
  #isClosed = false
  /** Ends listening; `undefined`: enough was heard. */
  #stop: (() => void) | undefined

  constructor(listen: Listen<T>, limits: Limits, passes: (item: T) => boolean = () => true) {
    this.#listen = listen
    this.#limits = limits
    this.#passes = passes
    this.#begin()
  }

  /** Gives what was heard since the last look, and listens on. */
  take(): Heard<T> {
    const heard = { items: this.#items, isSampled: this.#stop === undefined && !this.#isClosed }
    this.#items = []
    this.#heard = 0
    if (heard.isSampled) this.#begin()
    return heard
  }

  close(): void {
    this.#isClosed = true
    this.#end()
  }

  #begin(): void {
    this.#stop = this.#listen(item => this.#hear(item))
  }

  #hear(item: T): void {
    this.#heard++
    if (this.#passes(item)) this.#items.push(item)
    const { heard, kept } = this.#limits
    if (this.#items.length >= kept || this.#heard >= heard) this.#end()
  }

  #end(): void {
    this.#stop?.()
    this.#stop = undefined
  }
}
