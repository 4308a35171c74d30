/** Makes values of what llhttp finds; never throws into WebAssembly, and never runs code of callers. */

import { Fifo } from '../exchange/fifo.js'
import { type ResponseEvent, type ResponseLimits, ResponseParseError } from '../exchange/response-event.js'
import { trimBlanks } from '../headers.js'
import type { Headers } from '../words.js'
import { after, code, type Handler, Llhttp } from './llhttp.js'

interface Expectation {
  readonly method: string
  readonly upgrade: boolean
}

const EMPTY = Buffer.alloc(0)
const START: ResponseEvent = { type: 'start' }
const NO_HEADERS: Headers = Object.freeze([])
const CR = 0x0d
const LF = 0x0a
const H = 0x48
const LINE_END = 2
const NAME = 0
const VALUE = 1
// llhttp reads a chunk extension of any length and does not report it: a peer could keep us busy without a body.
const MAX_CHUNK_LINE = 16_384
const CODING = /^[!#$%&'*+.^_`|~0-9a-z-]+(?:[ \t]*;[^"]*)?$/i

function append(list: string | undefined, value: string): string {
  return list === undefined ? value : `${list},${value}`
}

/** Gives the elements of a list-valued field (RFC 9110 section 5.6.1), in lower case. */
function elements(list: string): string[] {
  return list
    .split(',')
    .map(element => element.trim().toLowerCase())
    .filter(element => element !== '')
}

/** Collects the values of one connection's responses. */
export class ResponseCollector implements Handler {
  readonly expected = new Fifo<Expectation>()
  readonly llhttp = new Llhttp()
  events: ResponseEvent[] = []
  error: ResponseParseError | undefined
  state: 'idle' | 'head' | 'body' | 'trailers' | 'upgrade' = 'idle'
  /** Whether the body ends where the connection does. */
  untilClose = false
  readonly #limits: ResponseLimits
  #chunk: Buffer = EMPTY
  // Positions from here on count from the start of the connection, so that they do not depend on the chunks.
  #base = 0
  #sectionStart = 0
  #lastEnd = 0
  #closed = false
  #chunked = false
  #lastData: { isFin: boolean } | undefined
  // Kind, start and end of each piece of a name or a value in this chunk: decoding the whole block at once is
  // several times faster than piece by piece.
  #pieces: number[] = []
  #headers: [string, string][] = []
  #name = ''
  #value: string | undefined
  #contentLength: string | undefined
  #connection: string | undefined
  #transferEncoding: string | undefined

  constructor(limits: ResponseLimits) {
    this.#limits = limits
  }

  execute(chunk: Buffer): number {
    this.#chunk = chunk
    const result = this.llhttp.execute(chunk, this)
    this.#decode()
    this.#chunk = EMPTY
    // The event with these bytes belongs to the caller from now on, and must not change any more.
    this.#lastData = undefined
    this.#base += chunk.length
    if (result === code.ok) this.#checkUnfinished()
    return result
  }

  onRun(offset: number): number {
    if (this.state !== 'idle') return offset
    const chunk = this.#chunk
    let at = offset
    // An empty line before a status line is skipped, as llhttp and Node do.
    while (at < chunk.length && (chunk[at] === CR || chunk[at] === LF)) at++
    if (at === chunk.length) return at
    if (this.#closed) {
      return this.fail('protocol_error', 'bytes arrived after a response that ended the connection')
    }
    if (this.expected.length === 0) {
      return this.fail('protocol_error', 'a response arrived that no request asked for')
    }
    // llhttp also reads RTSP/1.0 and ICE/1.0, and does not tell which protocol the text was.
    if (chunk[at] !== H) return this.fail('protocol_error', notHttp(chunk[at]))
    this.state = 'head'
    this.events.push(START)
    this.#sectionStart = this.#base + at
    this.#lastEnd = this.#sectionStart
    return at
  }

  onStatus(start: number, end: number): number {
    // The reason is not used, but llhttp would let a NUL through (RFC 9112 section 4).
    for (let at = start; at < end; at++) {
      const byte = this.#chunk[at]
      if (byte !== undefined && (byte === 0x7f || (byte < 0x20 && byte !== 0x09))) {
        return this.fail('protocol_error', 'the reason phrase contains a control character')
      }
    }
    return this.#measure(end)
  }

  onHeaderField(start: number, end: number): number {
    if (this.state === 'body') {
      if (this.#chunkLine(start) !== code.ok) return code.refused
      this.state = 'trailers'
      this.#sectionStart = this.#base + start
    }
    this.#pieces.push(NAME, start, end)
    return this.#measure(end)
  }

  onHeaderValue(start: number, end: number): number {
    this.#pieces.push(VALUE, start, end)
    return this.#measure(end)
  }

  onHeadersComplete(status: number): number {
    const headers = this.#takeHeaders()
    const expected = this.expected.first
    const version = this.llhttp.version()
    if (expected === undefined) {
      return this.fail('protocol_error', 'a response arrived that no request asked for')
    }
    if (version !== 11 && version !== 10) {
      const named = `HTTP/${Math.floor(version / 10)}.${version % 10}`
      return this.fail('protocol_error', `the response has version ${named}, not HTTP/1.1 or HTTP/1.0`)
    }
    if (status < 100) return this.fail('protocol_error', `the response has the impossible status ${status}`)
    if (status === 101 && (!expected.upgrade || expected.method === 'CONNECT')) {
      return this.fail('protocol_error', 'a 101 response arrived for a request that asked for no upgrade')
    }
    const tunnel = expected.method === 'CONNECT' && status >= 200 && status < 300
    if (status === 101 || (tunnel && expected.upgrade)) {
      this.state = 'upgrade'
      this.expected.shift()
      this.events.push({ type: 'upgrade', status, headers, rest: EMPTY })
      return after.upgrade
    }
    if (status < 200) {
      this.events.push({ type: 'inform', status, headers })
      return after.noBody
    }
    // RFC 9112 section 6.3, rules 1 and 2: these have no body, whatever the header fields say.
    const bodiless = tunnel || expected.method === 'HEAD' || status === 204 || status === 304
    this.untilClose = !bodiless && this.#contentLength === undefined && this.llhttp.needsEof()
    if (!bodiless && this.#transferEncoding !== undefined) {
      const problem = this.#codingProblem(this.#transferEncoding)
      if (problem !== undefined) return this.fail('protocol_error', problem)
    }
    const isFin = bodiless || Number(this.#contentLength) === 0
    const keepAlive = this.#keepAlive(version)
    this.#closed = !keepAlive
    this.#chunked = this.#transferEncoding !== undefined && !this.untilClose
    this.expected.shift()
    const length = bodiless || this.#contentLength === undefined ? undefined : Number(this.#contentLength)
    this.events.push({ type: 'response', status, headers, isFin, keepAlive, length })
    if (isFin) return after.noBody
    this.state = 'body'
    // The head ends two line ends behind its last field.
    this.#lastEnd += 2 * LINE_END
    return after.body
  }

  onBody(start: number, end: number): number {
    if (start === end) return code.ok
    if (this.#chunkLine(start) !== code.ok) return code.refused
    this.#lastEnd = this.#base + end
    const event: { type: 'data'; data: Buffer; isFin: boolean } = {
      type: 'data',
      data: this.#chunk.subarray(start, end),
      isFin: false,
    }
    this.#lastData = event
    this.events.push(event)
    return code.ok
  }

  onMessageComplete(): number {
    if (this.state === 'body') {
      if (this.#lastData === undefined) this.events.push({ type: 'data', data: EMPTY, isFin: true })
      else this.#lastData.isFin = true
    } else if (this.state === 'trailers') {
      this.events.push({ type: 'trailers', headers: this.#takeHeaders() })
    }
    this.#lastData = undefined
    this.#contentLength = undefined
    this.#connection = undefined
    this.#transferEncoding = undefined
    if (this.state === 'upgrade') return code.ok
    this.state = 'idle'
    return code.paused
  }

  #takeHeaders(): Headers {
    this.#decode()
    if (this.#value !== undefined) this.#endHeader(this.#value)
    const headers = this.#headers
    if (headers.length === 0) return NO_HEADERS
    this.#headers = []
    return headers
  }

  #decode(): void {
    const pieces = this.#pieces
    const first = pieces[1]
    if (first === undefined) return
    const text = this.#chunk.toString('latin1', first, pieces[pieces.length - 1])
    for (let i = 0; i < pieces.length; i += 3) {
      const piece = text.slice((pieces[i + 1] ?? first) - first, (pieces[i + 2] ?? first) - first)
      if (pieces[i] === VALUE) {
        this.#value = this.#value === undefined ? piece : this.#value + piece
      } else {
        if (this.#value !== undefined) this.#endHeader(this.#value)
        this.#name = this.#name === '' ? piece : this.#name + piece
      }
    }
    this.#pieces = []
  }

  #endHeader(value: string): void {
    const name = this.#name.toLowerCase()
    const trimmed = trimBlanks(value)
    this.#headers.push([name, trimmed])
    this.#name = ''
    this.#value = undefined
    if (this.state !== 'head') return
    if (name === 'content-length') this.#contentLength = trimmed
    else if (name === 'connection') this.#connection = append(this.#connection, trimmed)
    else if (name === 'transfer-encoding') this.#transferEncoding = append(this.#transferEncoding, trimmed)
  }

  /** Whether the connection goes on. llhttp's own answer misses `close` before a tab, and beside `keep-alive` in HTTP/1.0. */
  #keepAlive(version: number): boolean {
    if (this.untilClose) return false
    // RFC 9112 section 6.1: such a message is to be read, and its connection closed.
    if (version === 10 && this.#transferEncoding !== undefined) return false
    if (this.#connection === undefined) return version === 11
    if (this.#connection === 'keep-alive') return true
    const options = elements(this.#connection)
    if (options.includes('close')) return false
    return version === 11 || options.includes('keep-alive')
  }

  /** Refuses a transfer coding that others may read differently than llhttp does (RFC 9112 sections 6.1 and 7). */
  #codingProblem(list: string): string | undefined {
    const codings = elements(list)
    const agreed = codings.length > 0 && (codings.at(-1) === 'chunked') !== this.untilClose
    const plain = codings.every(coding => CODING.test(coding) && !/^chunked[ \t;]/.test(coding))
    const once = codings.filter(coding => coding === 'chunked').length <= 1
    return agreed && plain && once ? undefined : `the transfer-encoding "${list}" is ambiguous`
  }

  #measure(end: number): number {
    this.#lastEnd = this.#base + end
    return this.#checkSize(this.#lastEnd + LINE_END)
  }

  #checkSize(position: number): number {
    const inHead = this.state === 'head'
    const option = inHead ? 'maxHeaderBlockSize' : 'maxTrailerBlockSize'
    if (position - this.#sectionStart <= this.#limits[option]) return code.ok
    const block = inHead ? 'header' : 'trailer'
    return this.fail('limit_reached', `the ${block} block exceeds ${option} (${this.#limits[option]} bytes)`)
  }

  #chunkLine(offset: number): number {
    if (!this.#chunked || this.#base + offset - this.#lastEnd <= MAX_CHUNK_LINE) return code.ok
    return this.fail('limit_reached', `a chunk's size line exceeds ${MAX_CHUNK_LINE} bytes`)
  }

  /** Catches what llhttp is silent about while it is incomplete, such as whitespace before a value. */
  #checkUnfinished(): void {
    if (this.state === 'body') this.#chunkLine(0)
    // The empty line that ends a block is not counted.
    else if (this.state !== 'idle') this.#checkSize(this.#base - LINE_END + 1)
  }

  fail(kind: ResponseParseError['code'], message: string): number {
    this.error ??= new ResponseParseError(kind, message)
    return code.refused
  }
}

/** Says what is wrong with the first byte of a response; the bytes behind it may not have come. */
function notHttp(first: number | undefined): string {
  const text = 'the response does not start with HTTP/'
  // RFC 8446 section 5.1: an alert, most likely about our plain text.
  return first === 0x15
    ? `${text}; the peer seems to speak TLS: open the connection with transport: 'tls'`
    : text
}
