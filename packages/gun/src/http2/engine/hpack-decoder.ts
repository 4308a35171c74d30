/** Reads the header blocks of a peer (RFC 7541 sections 3.2 and 6). */

import { Field } from './field.js'
import { DEFAULT_SIZE, DynamicTable, statics } from './hpack-table.js'
import { readHuffman } from './huffman.js'

/** A header block that breaks the rules of HPACK. The tables of the two ends may differ by now: the connection ends. */
export class HpackError extends Error {
  override readonly name = 'HpackError'
}

/** The first bits of a field or an update, from which on its byte has at least this value (RFC 7541 section 6). */
const INDEXED = 0x80
const ADDED = 0x40
const UPDATE = 0x20

/** The other bits of that byte, which begin an integer. */
const INDEXED_BITS = 0x7f
const ADDED_BITS = 0x3f
const UPDATE_BITS = 0x1f
const PLAIN_BITS = 0x0f

const HUFFMAN = 0x80
const LENGTH_BITS = 0x7f

const GREATEST = 2 ** 31 - 1
/** The place of the last bits that a byte may add to an integer. */
const LAST_SHIFT = 28

export class HpackDecoder {
  readonly #table = new DynamicTable<Field>(DEFAULT_SIZE)
  readonly #maxTableSize: number
  #limit = DEFAULT_SIZE
  /** Whether the peer has acknowledged a limit to which it has yet to reduce its table. */
  #isUpdateDue = false
  /** The end of the integer or the string that was read last. */
  #at = 0

  /** `maxTableSize`: the limit in bytes that our SETTINGS set. */
  constructor(maxTableSize: number) {
    this.#maxTableSize = maxTableSize
  }

  /** Sets the limit of our SETTINGS, which the peer has acknowledged; until then it is 4,096 bytes. */
  acknowledge(): void {
    this.#limit = this.#maxTableSize
    this.#isUpdateDue = this.#limit < this.#table.maxSize
  }

  /**
   * Reads the header block in the bytes from `start` to `end`. Gives `undefined` if its fields are larger than `maxListSize`
   * together; the table is kept in step nevertheless. Throws a HpackError.
   */
  decode(bytes: Buffer, start: number, end: number, maxListSize: number): readonly Field[] | undefined {
    const fields: Field[] = []
    let size = 0
    let at = this.#updates(bytes, start, end)
    while (at < end) {
      const first = bytes[at] as number
      let field: Field
      if (first > INDEXED && first < INDEXED + INDEXED_BITS) {
        field = this.#entry(first - INDEXED)
        at++
      } else {
        field = first >= INDEXED ? this.#indexed(bytes, at, end) : this.#literal(bytes, at, end, first)
        at = this.#at
      }
      size += field.size
      if (size <= maxListSize) fields.push(field)
    }
    return size > maxListSize ? undefined : fields
  }

  /** Reads the updates of the table's size with which a block may begin. Gives their end. */
  #updates(bytes: Buffer, start: number, end: number): number {
    let at = start
    while (at < end && ((bytes[at] as number) & ~UPDATE_BITS) === UPDATE) {
      const size = this.#integer(bytes, at, end, UPDATE_BITS)
      if (size > this.#limit) {
        throw new HpackError(`the peer wants a table of ${size} bytes, and ${this.#limit} are allowed`)
      }
      at = this.#at
      this.#isUpdateDue = false
      this.#table.maxSize = size
      this.#makeRoom(0)
    }
    if (this.#isUpdateDue && at < end) {
      throw new HpackError(`the peer does not reduce its table to the ${this.#limit} bytes that are allowed`)
    }
    return at
  }

  #indexed(bytes: Buffer, at: number, end: number): Field {
    return this.#entry(this.#integer(bytes, at, end, INDEXED_BITS))
  }

  #literal(bytes: Buffer, at: number, end: number, first: number): Field {
    const isAdded = first >= ADDED
    if (!isAdded && first >= UPDATE) {
      throw new HpackError("an update of the table's size is not at the beginning of a header block")
    }
    const index = this.#integer(bytes, at, end, isAdded ? ADDED_BITS : PLAIN_BITS)
    const name = index === 0 ? this.#string(bytes, this.#at, end) : this.#entry(index).pair[0]
    const field = new Field(name, this.#string(bytes, this.#at, end))
    if (isAdded) {
      this.#makeRoom(field.size)
      if (field.size <= this.#table.maxSize) this.#table.add(field.share())
    }
    return field
  }

  #makeRoom(size: number): void {
    const table = this.#table
    while (table.count > 0 && table.size + size > table.maxSize) table.evict()
  }

  #entry(index: number): Field {
    const field = index <= statics.length ? statics[index - 1] : this.#table.at(index - statics.length)
    if (field === undefined) {
      throw new HpackError(`index ${index} is none of the ${statics.length + this.#table.count} entries`)
    }
    return field
  }

  /** Reads an integer whose first bits are those of `bits` in the byte at `at` (RFC 7541 section 5.1). */
  #integer(bytes: Buffer, at: number, end: number, bits: number): number {
    if (at >= end) throw cut()
    let value = (bytes[at] as number) & bits
    let next = at + 1
    if (value === bits) {
      for (let shift = 0, byte = 0x80; byte >= 0x80; shift += 7) {
        if (next >= end) throw cut()
        if (shift > LAST_SHIFT) throw new HpackError('an integer has too many bytes')
        byte = bytes[next++] as number
        value += (byte & 0x7f) * 2 ** shift
      }
      if (value > GREATEST) throw new HpackError(`the integer ${value} is too large`)
    }
    this.#at = next
    return value
  }

  /** Reads a string (RFC 7541 section 5.2). */
  #string(bytes: Buffer, at: number, end: number): string {
    const length = this.#integer(bytes, at, end, LENGTH_BITS)
    const start = this.#at
    const stop = start + length
    if (stop > end) throw cut()
    this.#at = stop
    if ((bytes[at] as number) < HUFFMAN) return bytes.latin1Slice(start, stop)
    const text = readHuffman(bytes, start, stop)
    if (text === undefined)
      throw new HpackError('a string is not in the Huffman code, or its padding is wrong')
    return text
  }
}

function cut(): HpackError {
  return new HpackError('a header block ends within a field')
}
