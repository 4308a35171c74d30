/** UTF-8 (RFC 6455 section 8.1): bytes that are whole are validated as they are decoded, others as they come. */

import { isAscii, isUtf8 } from 'node:buffer'

/**
 * Up to so many bytes it is cheaper to decode first and then look for a replacement character than to create
 * a view.
 */
const SHORT = 2048
const REPLACEMENT = '\ufffd'

/**
 * Returns the bytes from `start` to `end` as text; `undefined` if they are not valid UTF-8. A byte order mark
 * is kept.
 */
export function textOf(bytes: Buffer, start: number, end: number): string | undefined {
  if (end - start <= SHORT) {
    const text = bytes.utf8Slice(start, end)
    if (!text.includes(REPLACEMENT)) return text
    return isUtf8(bytes.subarray(start, end)) ? text : undefined
  }
  const view = bytes.subarray(start, end)
  if (isAscii(view)) return view.latin1Slice()
  return isUtf8(view) ? view.utf8Slice() : undefined
}

/** Returns bytes that are known to be valid UTF-8 as text. */
export function decode(bytes: Buffer): string {
  return isAscii(bytes) ? bytes.latin1Slice() : bytes.utf8Slice()
}

/** The bytes that only follow others within a character. */
const isTrail = (byte: number): boolean => (byte & 0xc0) === 0x80

/**
 * Returns where the character begins that the bytes from `start` to `end` break off in; `end` if they end with a whole
 * character, or with what is none.
 */
export function brokenOff(bytes: Buffer, start: number, end: number): number {
  let at = end - 1
  while (at > start && at > end - 3 && isTrail(bytes[at] as number)) at--
  const lead = at < start ? 0 : (bytes[at] as number)
  const size = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
  return at + size > end ? at : end
}

/**
 * Whether the bytes from `start` to `end`, a byte that others follow and at most two of these, can be the beginning of a
 * character (RFC 3629 section 4).
 */
export function canBegin(bytes: Buffer, start: number, end: number): boolean {
  const lead = bytes[start] as number
  if (lead < 0xc2 || lead > 0xf4) return false
  if (end - start < 2) return true
  const second = bytes[start + 1] as number
  switch (lead) {
    case 0xe0:
      return second >= 0xa0
    case 0xed:
      return second < 0xa0
    case 0xf0:
      return second >= 0x90
    case 0xf4:
      return second < 0x90
    default:
      return true
  }
}
