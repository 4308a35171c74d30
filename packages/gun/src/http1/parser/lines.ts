/** A line ends with CR and LF, and neither of them nor NUL is anywhere else (RFC 9112 section 2.2, RFC 9110 section 5.5). */

import { notValid, ResponseParseError } from './values.js'

const NUL = 0x00
const LF = 0x0a
const CR = 0x0d
/** The size of a line end. */
const LINE_END = 2

/** Lines that belong together: how many bytes they may have, and what is said of them when they are wrong. */
export interface LinesKind {
  /** Whether they end with an empty line, which does not count; else the first line is the only one. */
  readonly isSection: boolean
  /** How many bytes they may have; a line end counts, but for that of the only line. */
  readonly limit: number
  /** Says that there are more. */
  readonly excess: string
  /** Names the place where a line breaks off behind `line`. */
  place(line: string): string
  /** Makes the error for a NUL behind `line`. */
  invalid(line: string): ResponseParseError
}

/** Collects lines from reads, however these cut them. */
export class Lines {
  /** The lines that the last read has completed, decoded, with their line ends. */
  whole = ''
  /** Whether the last of the lines has come. */
  isOver = false
  /** Why the lines cannot go on behind those in `whole`. */
  problem: ResponseParseError | undefined
  #kind: LinesKind
  /** The line that has no end yet. */
  #line = ''
  /** How many bytes have come. */
  #size = 0
  /** Whether the last byte was a CR. */
  #isBehindCr = false

  constructor(kind: LinesKind) {
    this.#kind = kind
  }

  /** Begins with the first of other lines. */
  begin(kind: LinesKind): void {
    this.#kind = kind
    this.whole = ''
    this.#line = ''
    this.#size = 0
    this.isOver = false
  }

  /** Whether no byte of them has come. */
  get isFresh(): boolean {
    return this.#size === 0
  }

  /** Takes bytes, up to the end of the last line. Gives the offset behind them. */
  take(bytes: Buffer, from: number): number {
    const { isSection, limit, excess } = this.#kind
    const room = limit + LINE_END - this.#size
    const to = Math.min(bytes.length, from + room)
    let lineStart = from
    /** How much of the line came with reads before. */
    let before = this.#line.length
    let at = from
    let isBehindCr = this.#isBehindCr
    while (at < to) {
      if (!isBehindCr) {
        while (at < to && (bytes[at] as number) > CR) at++
        if (at === to) break
        const byte = bytes[at]
        if (byte === LF || byte === NUL) return this.#stop(bytes, from, lineStart, at)
        at++
        isBehindCr = byte === CR
        if (!isBehindCr || at === to) continue
      }
      if (bytes[at] !== LF) return this.#stop(bytes, from, lineStart, at)
      at++
      isBehindCr = false
      this.isOver = !isSection || at - lineStart + before === LINE_END
      lineStart = at
      before = 0
      if (this.isOver) break
    }
    this.#isBehindCr = isBehindCr
    this.#size += at - from
    this.#cut(bytes, from, lineStart, at)
    if (!this.isOver && at - from === room) this.problem = new ResponseParseError('limit_reached', excess)
    return at
  }

  /** Divides what was taken into whole lines and the beginning of another. */
  #cut(bytes: Buffer, from: number, lineStart: number, at: number): void {
    if (lineStart === from) {
      this.whole = ''
      this.#line += bytes.latin1Slice(from, at)
      return
    }
    const whole = bytes.latin1Slice(from, lineStart)
    this.whole = this.#line === '' ? whole : this.#line + whole
    this.#line = at === lineStart ? '' : bytes.latin1Slice(lineStart, at)
  }

  /** Takes note of a byte that cannot be there. */
  #stop(bytes: Buffer, from: number, lineStart: number, at: number): number {
    this.#cut(bytes, from, lineStart, at)
    const kind = this.#kind
    const line = this.#line
    if (line.endsWith('\r')) this.problem = notValid(`Missing expected LF after ${kind.place(line)}`)
    else if (bytes[at] === LF) this.problem = notValid(`Missing expected CR after ${kind.place(line)}`)
    else this.problem = kind.invalid(line)
    return at
  }
}
