/** Decodes bytes to text and validates them as UTF-8 in the same step (RFC 6455 section 8.1). */

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
