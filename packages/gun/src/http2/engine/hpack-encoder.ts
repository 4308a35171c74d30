/** Writes our header blocks (RFC 7541 sections 3.1 and 6). */

import { OVERHEAD } from './field.js'
import { DEFAULT_SIZE, DynamicTable, statics } from './hpack-table.js'
import { sizeOfHuffman, writeHuffman } from './huffman.js'

/** The first bits of a literal: it is added to the table, it is not, or no proxy may add it to its own table either. */
const ADDED = 0x40
const PLAIN = 0x00
const SECRET = 0x10
type Form = typeof ADDED | typeof PLAIN | typeof SECRET

const INDEXED = 0x80
const UPDATE = 0x20
const HUFFMAN = 0x80

/** The other bits of the first byte, which begin an integer. */
const ADDED_BITS = 0x3f
const PLAIN_BITS = 0x0f
const INDEXED_BITS = 0x7f
const UPDATE_BITS = 0x1f
const LENGTH_BITS = 0x7f

/** The names whose values nobody may find out by comparing the sizes of blocks with guesses (RFC 7541 section 7.1.3). */
const secret = ['authorization', 'proxy-authorization']
/** A cookie with fewer characters is secret too, since it is short enough to be guessed. nghttp2 has the same limit. */
const LONG_COOKIE = 20

/** The names whose values change with each request: in the table they would only displace others. */
const changing = [
  ':path',
  'age',
  'content-length',
  'content-range',
  'date',
  'etag',
  'idempotency-key',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'location',
  'range',
  'traceparent',
  'tracestate',
  'x-correlation-id',
  'x-request-id',
]

/** The part of the table that a single entry may fill. */
const LARGEST_PART = 3 / 4

/** The knowledge of a name without the dynamic table. */
interface Known {
  /** The index of the first entry of the static table that has the name, or 0. */
  readonly index: number
  readonly form: Form
  /** The indexes of these entries, by their values. */
  readonly indexes: Map<string, number>
}

const known = new Map<string, Known>()
for (const [i, { pair }] of statics.entries()) {
  const [name, value] = pair
  const before: Known = known.get(name) ?? { index: i + 1, form: ADDED, indexes: new Map() }
  // Where the RFC has no value, the empty one is hardly ever sent.
  if (value !== '') before.indexes.set(value, i + 1)
  known.set(name, before)
}
for (const name of secret) know(name, SECRET)
for (const name of changing) know(name, PLAIN)

function know(name: string, form: Form): void {
  known.set(name, { index: 0, indexes: new Map(), ...known.get(name), form })
}

/** A name that is known, or that an entry of the dynamic table has. */
class Name {
  readonly text: string
  readonly index: number
  readonly form: Form
  /** By its value, the number of an entry in the dynamic table, or below zero the index of one in the static table. */
  readonly entries = new Map<string, number>()
  /** The number of the newest entry in the dynamic table; below zero if there is none. */
  newest = -1

  constructor(text: string, { index, form, indexes }: Known) {
    this.text = text
    this.index = index
    this.form = form
    for (const [value, index] of indexes) this.entries.set(value, -index)
  }
}

interface Entry {
  readonly name: Name
  readonly value: string
  readonly size: number
}

const unknown: Known = { index: 0, form: ADDED, indexes: new Map() }

export class HpackEncoder {
  /** The names in the dynamic table, and of the known names those that have been used. */
  readonly #names = new Map<string, Name>()
  /** The nth entry that was ever added has the number n, from 0. */
  readonly #table: DynamicTable<Entry>
  readonly #maxTableSize: number
  /** The limit in bytes of which the peer was told last, and the smallest one since then. */
  #told = DEFAULT_SIZE
  #smallest: number

  /** `maxTableSize`: the limit in bytes of the table, even if the peer allows more. */
  constructor(maxTableSize: number) {
    this.#maxTableSize = maxTableSize
    this.#smallest = Math.min(maxTableSize, DEFAULT_SIZE)
    this.#table = new DynamicTable<Entry>(this.#smallest)
  }

  /** Takes the limit that the peer's SETTINGS set. The next block tells the peer what comes of it. */
  allow(size: number): void {
    const maxSize = Math.min(size, this.#maxTableSize)
    this.#smallest = Math.min(this.#smallest, maxSize)
    this.#table.maxSize = maxSize
    this.#makeRoom(0)
  }

  /** Begins a block at `at` with the updates of the table's size that are due, 12 bytes at most. Gives their end. */
  begin(into: Buffer, at: number): number {
    const { maxSize } = this.#table
    const smallest = this.#smallest
    if (smallest === maxSize && maxSize === this.#told) return at
    let end = at
    // The entries for which the smallest had no room are gone, although there may be room again (RFC 7541 section 4.2).
    if (smallest < maxSize && smallest < this.#told) {
      end = writeInteger(into, end, UPDATE, UPDATE_BITS, smallest)
    }
    end = writeInteger(into, end, UPDATE, UPDATE_BITS, maxSize)
    this.#told = this.#smallest = maxSize
    return end
  }

  /**
   * Writes a field at `at`, which takes at most 12 bytes more than its octets. Each character is one octet, and the name is in
   * lower case. Gives the end.
   */
  field(into: Buffer, at: number, text: string, value: string): number {
    const name = this.#names.get(text) ?? this.#nameOf(text)
    const { added } = this.#table
    const found = name.entries.get(value)
    if (found !== undefined) {
      const index = found < 0 ? -found : statics.length + added - found
      return writeInteger(into, at, INDEXED, INDEXED_BITS, index)
    }
    const size = text.length + value.length + OVERHEAD
    const form = this.#formOf(name, value, size)
    const index = name.index === 0 && name.newest >= 0 ? statics.length + added - name.newest : name.index
    let end = writeInteger(into, at, form, form === ADDED ? ADDED_BITS : PLAIN_BITS, index)
    if (index === 0) end = writeString(into, end, text)
    end = writeString(into, end, value)
    if (form === ADDED) this.#add({ name, value, size })
    return end
  }

  #nameOf(text: string): Name {
    const name = new Name(text, known.get(text) ?? unknown)
    if (known.has(text)) this.#names.set(text, name)
    return name
  }

  #formOf({ text, form }: Name, value: string, size: number): Form {
    if (form !== ADDED) return form
    if (text === 'cookie' && value.length < LONG_COOKIE) return SECRET
    return size <= this.#table.maxSize * LARGEST_PART ? ADDED : PLAIN
  }

  #add(entry: Entry): void {
    const { name, value, size } = entry
    this.#makeRoom(size)
    if (name.newest < 0) this.#names.set(name.text, name)
    name.newest = this.#table.added
    name.entries.set(value, name.newest)
    this.#table.add(entry)
  }

  #makeRoom(size: number): void {
    const table = this.#table
    while (table.count > 0 && table.size + size > table.maxSize) {
      const { name, value } = table.evict()
      const number = table.added - table.count - 1
      name.entries.delete(value)
      if (name.newest !== number) continue
      name.newest = -1
      if (!known.has(name.text)) this.#names.delete(name.text)
    }
  }
}

/** Writes an integer, which begins with the bits of `bits` in a byte that has `first` besides (RFC 7541 section 5.1). */
function writeInteger(into: Buffer, at: number, first: number, bits: number, value: number): number {
  if (value < bits) {
    into[at] = first | value
    return at + 1
  }
  into[at] = first | bits
  let end = at + 1
  let rest = value - bits
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) into[end++] = (rest & 0x7f) | 0x80
  into[end++] = rest
  return end
}

/** Writes a string (RFC 7541 section 5.2), in the Huffman code if that is shorter. */
function writeString(into: Buffer, at: number, text: string): number {
  const { length } = text
  const size = sizeOfHuffman(text)
  if (size < length) return writeHuffman(into, writeInteger(into, at, HUFFMAN, LENGTH_BITS, size), text)
  const start = writeInteger(into, at, 0, LENGTH_BITS, length)
  into.write(text, start, length, 'latin1')
  return start + length
}
