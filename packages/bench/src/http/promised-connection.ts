/** A connection of a client that gives a promise for each response. */

import { NO_MARKS } from '../marks.ts'
import { type Connection, checkSize, type Job, LARGE } from './contract.ts'

/** How such a client is used. */
export interface Exchanges {
  /** Gives the size of the body when all of it is there, in one piece or, where it is large, dropped as it came. */
  get(path: string, isLarge: boolean): Promise<number>
  post(path: string, chunk: Uint8Array, chunks: number): Promise<void>
}

export class PromisedConnection implements Connection {
  readonly #exchanges: Exchanges

  constructor(exchanges: Exchanges) {
    this.#exchanges = exchanges
  }

  async get(
    path: string,
    { size, inFlight, count }: Job & { readonly type: 'get' },
    marks = NO_MARKS,
  ): Promise<void> {
    const isLarge = size > LARGE
    let asked = 0
    let done = 0
    const loop = async () => {
      while (asked++ < count) {
        checkSize(await this.#exchanges.get(path, isLarge), size)
        done++
        if (done === marks.next) marks.pass()
      }
    }
    await Promise.all(Array.from({ length: inFlight }, loop))
  }

  async post(
    path: string,
    chunk: Uint8Array,
    { chunks, count }: Job & { readonly type: 'post' },
  ): Promise<void> {
    for (let n = 0; n < count; n++) await this.#exchanges.post(path, chunk, chunks)
  }
}
