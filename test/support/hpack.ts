// Header lists as HTTP/2 has them (RFC 7541): written in the plainest way, read in every way. Knows nothing about frames.

export type HeaderList = readonly (readonly [name: string, value: string])[]

/** The static table; what follows = is the value. */
const statics =
  `:authority|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http|:scheme=https|:status=200
:status=204|:status=206|:status=304|:status=400|:status=404|:status=500|accept-charset|accept-encoding=gzip, deflate
accept-language|accept-ranges|accept|access-control-allow-origin|age|allow|authorization|cache-control
content-disposition|content-encoding|content-language|content-length|content-location|content-range|content-type|cookie
date|etag|expect|expires|from|host|if-match|if-modified-since|if-none-match|if-range|if-unmodified-since|last-modified
link|location|max-forwards|proxy-authenticate|proxy-authorization|range|referer|refresh|retry-after|server|set-cookie
strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate`
    .split(/[|\n]/)
    .map((entry): [string, string] => {
      const [name = '', value = ''] = entry.split('=')
      return [name, value]
    })

/** How long the Huffman code of each octet is, and last that of EOS, in base 36. The code is canonical: it follows. */
const lengths =
  'dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6ca' +
  'd67777777777777777777777878djde6f56565666577666567655677777fbeds' +
  'kmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmn' +
  'qqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrq' +
  'u'

const EOS = 256

/** From a code, with a 1 in front of it that keeps its zeros, to the octet. */
const huffman = new Map<number, number>()
{
  const octets = Array.from(lengths, (length, octet) => ({ octet, length: Number.parseInt(length, 36) }))
  let code = 0
  let previous = 0
  for (const { octet, length } of octets.toSorted((a, b) => a.length - b.length || a.octet - b.octet)) {
    code *= 2 ** (length - previous)
    previous = length
    huffman.set(2 ** length + code, octet)
    code += 1
  }
}

function decodeHuffman(bytes: Buffer): Buffer {
  const octets: number[] = []
  let code = 1
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      code = code * 2 + ((byte >> bit) & 1)
      const octet = huffman.get(code)
      if (octet === undefined) continue
      if (octet === EOS) throw new Error('HPACK: EOS within a string')
      octets.push(octet)
      code = 1
    }
  }
  // All ones, the one in front included, and fewer than eight of them after it.
  if (code > 0xff || (code & (code + 1)) !== 0)
    throw new Error('HPACK: the padding of a string is not of EOS')
  return Buffer.from(octets)
}

function encodeInteger(pattern: number, prefix: number, value: number): Buffer {
  const limit = 2 ** prefix - 1
  if (value < limit) return Buffer.of(pattern | value)
  const bytes = [pattern | limit]
  let rest = value - limit
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  return Buffer.from([...bytes, rest])
}

function encodeString(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1')
  return Buffer.concat([encodeInteger(0, 7, bytes.length), bytes])
}

/** A header block of literals that are not indexed and whose names are new, any names and values; characters are
 * bytes. Needs no state, so blocks may be kept, repeated and cut at will. */
export function encodeHeaders(list: HeaderList): Buffer {
  return Buffer.concat(
    list.flatMap(([name, value]) => [Buffer.of(0), encodeString(name), encodeString(value)]),
  )
}

/** Reads the header blocks of one side of one connection, in the order in which they were sent. */
export class HpackDecoder {
  /** The newest first. */
  readonly #dynamic: [string, string][] = []
  #size = 0
  #maxSize = 4096
  #limit = 4096
  #mustUpdate = false
  #bytes = Buffer.alloc(0)
  #at = 0

  /** SETTINGS_HEADER_TABLE_SIZE of the reading side, once the other has acknowledged it. */
  set limit(size: number) {
    this.#limit = size
    this.#mustUpdate ||= size < this.#maxSize
  }

  /** How many octets the dynamic table has, as section 4.1 counts. */
  get size(): number {
    return this.#size
  }

  decode(block: Uint8Array): [string, string][] {
    this.#bytes = Buffer.from(block)
    this.#at = 0
    const list: [string, string][] = []
    while (this.#at < this.#bytes.length) {
      const first = this.#bytes.readUInt8(this.#at)
      if ((first & 0xe0) === 0x20) {
        if (list.length > 0) throw new Error('HPACK: an update of the table size after a header')
        this.#update(this.#integer(5))
        continue
      }
      if (this.#mustUpdate) throw new Error('HPACK: no update of the table size after its limit was lowered')
      if ((first & 0x80) !== 0) list.push(this.#entry(this.#integer(7)))
      else if ((first & 0x40) !== 0) list.push(this.#add(this.#literal(6)))
      else list.push(this.#literal(4))
    }
    return list
  }

  #octet(): number {
    if (this.#at >= this.#bytes.length) throw new Error('HPACK: the block ends within a header')
    return this.#bytes.readUInt8(this.#at++)
  }

  #integer(prefix: number): number {
    const limit = 2 ** prefix - 1
    let value = this.#octet() & limit
    if (value < limit) return value
    for (let scale = 1; ; scale *= 128) {
      const octet = this.#octet()
      value += (octet & 0x7f) * scale
      if (value > 2 ** 32) throw new Error('HPACK: an integer is too large')
      if ((octet & 0x80) === 0) return value
    }
  }

  #string(): string {
    const isHuffman = ((this.#bytes[this.#at] ?? 0) & 0x80) !== 0
    const length = this.#integer(7)
    const bytes = this.#bytes.subarray(this.#at, this.#at + length)
    if (bytes.length < length) throw new Error('HPACK: the block ends within a string')
    this.#at += length
    return (isHuffman ? decodeHuffman(bytes) : bytes).toString('latin1')
  }

  #literal(prefix: number): [string, string] {
    const index = this.#integer(prefix)
    const name = index === 0 ? this.#string() : this.#entry(index)[0]
    return [name, this.#string()]
  }

  #entry(index: number): [string, string] {
    const entry = statics[index - 1] ?? this.#dynamic[index - 1 - statics.length]
    if (entry === undefined) throw new Error(`HPACK: the tables have no entry ${index}`)
    return [...entry]
  }

  #add(entry: [string, string]): [string, string] {
    this.#dynamic.unshift(entry)
    this.#size += sizeOf(entry)
    this.#evict()
    return [...entry]
  }

  #update(size: number): void {
    if (size > this.#limit)
      throw new Error(`HPACK: a table of ${size} octets where ${this.#limit} may be used`)
    this.#maxSize = size
    this.#mustUpdate = false
    this.#evict()
  }

  #evict(): void {
    while (this.#size > this.#maxSize) {
      const oldest = this.#dynamic.pop()
      if (oldest !== undefined) this.#size -= sizeOf(oldest)
    }
  }
}

const sizeOf = ([name, value]: [string, string]): number => name.length + value.length + 32
