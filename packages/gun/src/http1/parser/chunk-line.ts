/** The line before a chunk has its size and perhaps extensions, which nobody wants (RFC 9112 section 7.1). */

import type { LinesKind } from './lines.js'
import { notValid } from './values.js'

const CR = 0x0d
const LF = 0x0a
const LINE_END = 2
const SIZE = '[0-9A-Fa-f]+'
const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
const QUOTED = '"(?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t\\x20-\\x7e\\x80-\\xff])*"'
const EXTENSION = `[ \\t]*;[ \\t]*${TOKEN}(?:[ \\t]*=[ \\t]*(?:${TOKEN}|${QUOTED}|))?`
/** Blanks at its end are in no grammar, nor are empty values: some servers pad the size, and cowlib skips all of it. */
const LINE = new RegExp(`^(${SIZE})(?:${EXTENSION})*[ \\t]*\\r\\n$`)
const BEGINNING = new RegExp(`^${SIZE}[ \\t]*[;\\r]`)
/** How many digits a size below 2 to the power of 64 has at most. */
const MOST_DIGITS = 16
/** How many digits most sizes have at most. */
const FEW_DIGITS = 6
/** The value of each byte as a hexadecimal digit; -1 for the others. */
const DIGITS = Int8Array.from({ length: 256 }, (_, byte) => {
  const digit = String.fromCharCode(byte)
  return /[0-9a-f]/i.test(digit) ? Number.parseInt(digit, 16) : -1
})

/** A peer that sends extensions without end would keep us busy without a body. */
export const CHUNK_LINE: LinesKind = {
  isSection: false,
  limit: 16_384,
  excess: "a chunk's size line exceeds 16384 bytes",
  place: line => (line.includes(';') ? 'chunk extension' : 'chunk size'),
  invalid: line => notValid(`Invalid character in chunk ${line.includes(';') ? 'extensions' : 'size'}`),
}

/** Gives the size in a whole line. */
export function chunkSize(line: string): number {
  const size = LINE.exec(line)?.[1]?.replace(/^0+(?=.)/, '')
  if (size === undefined) {
    throw notValid(`Invalid character in chunk ${BEGINNING.test(line) ? 'extensions' : 'size'}`)
  }
  if (size.length > MOST_DIGITS) throw notValid('Chunk size overflow')
  return Number.parseInt(size, 16)
}

/** Gives how long the line from `start` on is if it is a size of a few digits and nothing else; 0 if not, or not yet. */
export function shortLine(bytes: Buffer, start: number): number {
  let at = start
  while (at < start + FEW_DIGITS && digitAt(bytes, at) !== -1) at++
  const isWhole = at > start && bytes[at] === CR && bytes[at + 1] === LF
  return isWhole ? at + LINE_END - start : 0
}

/** Gives the size in such a line, which ends before `end`. */
export function shortSize(bytes: Buffer, start: number, end: number): number {
  let size = 0
  for (let at = start; at < end - LINE_END; at++) size = size * 16 + digitAt(bytes, at)
  return size
}

function digitAt(bytes: Buffer, at: number): number {
  return DIGITS[bytes[at] ?? 0] as number
}
