/**
 * Masks the payloads of a client's frames, so that intermediaries cannot mistake them for HTTP
 * (RFC 6455 section 5.3).
 */

import { randomFillSync } from 'node:crypto'

const keys = new Int32Array(2048)
let used = keys.length

/** Returns an unpredictable key, whose lowest byte comes first. */
export function nextKey(): number {
  if (used === keys.length) {
    randomFillSync(keys)
    used = 0
  }
  return keys[used++] as number
}

const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1
/** The number of bytes from which masking by words is worth its preparation. */
const WORTH = 64

/** Masks the bytes from `start` to `end` in place. */
export function mask(bytes: Buffer, start: number, end: number, key: number): void {
  let at = start
  if (end - start >= WORTH && isLittleEndian) {
    const offset = bytes.byteOffset
    for (; ((offset + at) & 3) !== 0; at++)
      bytes[at] = (bytes[at] as number) ^ (key >>> (((at - start) & 3) << 3))
    const turned = ((at - start) & 3) << 3
    const word = turned === 0 ? key : (key >>> turned) | (key << (32 - turned))
    const count = (end - at) >> 2
    const words = new Int32Array(bytes.buffer, offset + at, count)
    for (let i = 0; i < count; i++) words[i] = (words[i] as number) ^ word
    at += count << 2
  }
  for (; at < end; at++) bytes[at] = (bytes[at] as number) ^ (key >>> (((at - start) & 3) << 3))
}
