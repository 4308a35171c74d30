/** Whole header blocks, from pairs of names and values and back. */

import type { HpackDecoder } from '../../src/http2/engine/hpack-decoder.ts'
import type { HpackEncoder } from '../../src/http2/engine/hpack-encoder.ts'

export type Pair = readonly [name: string, value: string]

/** A limit of a list in bytes that no test reaches by chance. */
export const roomy = 2 ** 30

/** Reads a block that is neither at the start nor at the end of its memory. */
export function decode(
  decoder: HpackDecoder,
  block: Uint8Array | string,
  maxListSize = roomy,
): readonly Pair[] | undefined {
  const bytes = typeof block === 'string' ? Buffer.from(block.replaceAll(/\s/g, ''), 'hex') : block
  const memory = Buffer.concat([Buffer.of(0xff, 0xff), bytes, Buffer.of(0, 0)])
  return decoder.decode(memory, 2, 2 + bytes.length, maxListSize)?.map(({ pair }) => pair)
}

/** Writes a block with no more room than the encoder may ask for, and nothing in front of it or behind it. */
export function encode(encoder: HpackEncoder, pairs: readonly Pair[]): Buffer {
  const memory = Buffer.alloc(1024)
  const begun = encoder.begin(memory, 3)
  if (begun > 3 + 12) throw new Error('a block begins with more than 12 bytes')
  const parts = [Buffer.from(memory.subarray(3, begun))]
  for (const [name, value] of pairs) {
    const room = Buffer.alloc(2 + name.length + value.length + 12 + 2, 0xee)
    const end = encoder.field(room, 2, name, value)
    const around = Buffer.concat([room.subarray(0, 2), room.subarray(Math.max(end, room.length - 2))])
    if (end > room.length - 2 || around.some(byte => byte !== 0xee))
      throw new Error('a field leaves its room')
    parts.push(room.subarray(2, end))
  }
  return Buffer.concat(parts)
}

/** Reads `name: value`, one a line. */
export function pairsOf(text: string): readonly Pair[] {
  if (text === '') return []
  return text.split(/\n\s*/).map(line => {
    const at = line.indexOf(': ', 1)
    return [line.slice(0, at), line.slice(at + 2)]
  })
}
