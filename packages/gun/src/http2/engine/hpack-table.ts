/** The two tables of HPACK (RFC 7541 section 2.3): one that never changes, and one of each direction of a connection. */

import { Field } from './field.js'

/** The size in bytes that a dynamic table may have before SETTINGS say otherwise (RFC 9113 section 6.5.2). */
export const DEFAULT_SIZE = 4096

/** The static table (RFC 7541 appendix A), whose first index is 1. */
export const statics: readonly Field[] = [
  [':authority', ''],
  [':method', 'GET'],
  [':method', 'POST'],
  [':path', '/'],
  [':path', '/index.html'],
  [':scheme', 'http'],
  [':scheme', 'https'],
  [':status', '200'],
  [':status', '204'],
  [':status', '206'],
  [':status', '304'],
  [':status', '400'],
  [':status', '404'],
  [':status', '500'],
  ['accept-charset', ''],
  ['accept-encoding', 'gzip, deflate'],
  ['accept-language', ''],
  ['accept-ranges', ''],
  ['accept', ''],
  ['access-control-allow-origin', ''],
  ['age', ''],
  ['allow', ''],
  ['authorization', ''],
  ['cache-control', ''],
  ['content-disposition', ''],
  ['content-encoding', ''],
  ['content-language', ''],
  ['content-length', ''],
  ['content-location', ''],
  ['content-range', ''],
  ['content-type', ''],
  ['cookie', ''],
  ['date', ''],
  ['etag', ''],
  ['expect', ''],
  ['expires', ''],
  ['from', ''],
  ['host', ''],
  ['if-match', ''],
  ['if-modified-since', ''],
  ['if-none-match', ''],
  ['if-range', ''],
  ['if-unmodified-since', ''],
  ['last-modified', ''],
  ['link', ''],
  ['location', ''],
  ['max-forwards', ''],
  ['proxy-authenticate', ''],
  ['proxy-authorization', ''],
  ['range', ''],
  ['referer', ''],
  ['refresh', ''],
  ['retry-after', ''],
  ['server', ''],
  ['set-cookie', ''],
  ['strict-transport-security', ''],
  ['transfer-encoding', ''],
  ['user-agent', ''],
  ['vary', ''],
  ['via', ''],
  ['www-authenticate', ''],
].map(([name = '', value = '']) => new Field(name, value).share())

/** Must be a power of two, as all later capacities. */
const FIRST_CAPACITY = 16

/** The entries of a dynamic table, the oldest of which give way to new ones (RFC 7541 section 4). */
export class DynamicTable<Entry extends { readonly size: number }> {
  /** A ring: the entry that was added as the nth stands at n, modulo its length. */
  #ring: (Entry | undefined)[] = new Array(FIRST_CAPACITY).fill(undefined)
  /** How many entries were ever added. */
  added = 0
  /** How many entries there are. */
  count = 0
  /** The size of the entries in bytes. */
  size = 0
  /** The most that `size` may be. */
  maxSize: number

  constructor(maxSize: number) {
    this.maxSize = maxSize
  }

  /** Gives an entry, the newest of which has index 1; `undefined` if there are not so many. */
  at(index: number): Entry | undefined {
    if (index > this.count) return undefined
    return this.#ring[(this.added - index) & (this.#ring.length - 1)]
  }

  /** Adds an entry for which there is room. */
  add(entry: Entry): void {
    if (this.count === this.#ring.length) this.#grow()
    this.#ring[this.added & (this.#ring.length - 1)] = entry
    this.added++
    this.count++
    this.size += entry.size
  }

  /** Removes the oldest entry and gives it. */
  evict(): Entry {
    const at = (this.added - this.count) & (this.#ring.length - 1)
    const entry = this.#ring[at] as Entry
    this.#ring[at] = undefined
    this.count--
    this.size -= entry.size
    return entry
  }

  #grow(): void {
    const { length } = this.#ring
    const ring: (Entry | undefined)[] = new Array(length * 2).fill(undefined)
    for (let n = this.added - this.count; n < this.added; n++)
      ring[n & (ring.length - 1)] = this.#ring[n & (length - 1)]
    this.#ring = ring
  }
}
