/** Takes the bytes of one connection's responses and gives one value at a time, so that its caller can stop between two. */

import { CHUNK_LINE, chunkSize, shortLine, shortSize } from './chunk-line.js'
import { ExpectedQueue } from './expected.js'
import { FieldReader } from './fields.js'
import { bodyEndOf, checkCodings, goesOn, headOf } from './framing.js'
import { Input, type Part } from './input.js'
import { Lines, type LinesKind } from './lines.js'
import { section } from './section.js'
import { BEHIND_HEAD, BREAKS, type State } from './states.js'
import { checkStatusLine, minorOf, notHttp, statusOf } from './status-line.js'
import { notValid, type ResponseLimits, ResponseParseError, type ResponseValue, refused } from './values.js'

const EMPTY = Buffer.alloc(0)
const START: ResponseValue = { type: 'start' }
const CR = 0x0d
const LF = 0x0a
const H = 0x48

/** Parses the responses of one connection. Never throws. */
export class ResponseParser {
  /** Why nothing more comes, once `next` has given the last value. */
  failure: ResponseParseError | undefined
  readonly #limits: ResponseLimits
  readonly #head: LinesKind
  readonly #trailers: LinesKind
  readonly #input: Input
  readonly #expected = new ExpectedQueue()
  readonly #lines: Lines
  readonly #fields = new FieldReader()
  #state: State = 'between'
  /** Whether the connection ends behind the last response that has come. */
  #isLast = false
  /** How many bytes of empty lines stand before the response. */
  #emptyBytes = 0
  /** 0 until the status line has come. */
  #status = 0
  #minor = 0
  /** How many bytes of the body, or of the chunk, are still to come. */
  #missing = 0
  #isBehindCr = false
  /** A part of a body in chunks that may be the last. */
  #part: Buffer | undefined
  /** The value behind that part. */
  #behind: ResponseValue | undefined

  /** `partOf` gives parts of what was pushed, as views by default; other memory is needed for bytes that change. */
  constructor(limits: ResponseLimits, partOf: Part = viewOf) {
    this.#limits = limits
    this.#input = new Input(partOf)
    this.#head = section('header', 'maxHeaderBlockSize', limits.maxHeaderBlockSize)
    this.#trailers = section('trailer', 'maxTrailerBlockSize', limits.maxTrailerBlockSize)
    this.#lines = new Lines(this.#head)
  }

  /**
   * Announces a request, in the order of sending. `isUpgrade`: the request asks to leave HTTP/1.1, with a 101, or for
   * CONNECT with any 2xx.
   */
  expect(method: string, isUpgrade = false): void {
    this.#expected.push({ method, isUpgrade })
  }

  /** Takes bytes. They have to stay as they are until `next` has given all values in them, or `keep` was called. */
  push(bytes: Buffer): void {
    if (this.failure !== undefined || this.#state === 'left') return
    this.#input.push(bytes, this.#expected.announced)
  }

  /** Keeps what is left of the last push, as a part of it. */
  keep(): void {
    this.#input.keep()
  }

  /**
   * Takes the end of the input. It completes a body that lasts until then (RFC 9112 section 6.3, rule 8); between
   * responses it means nothing, even if requests still wait for theirs; anywhere else the response is truncated
   * (section 8).
   */
  end(): void {
    this.#input.isEnded = true
  }

  /** Gives the next value; `undefined` if none can come before more bytes, or none at all. */
  next(): ResponseValue | undefined {
    if (this.failure !== undefined || this.#state === 'left') return undefined
    try {
      return this.#next()
    } catch (cause) {
      if (!(cause instanceof ResponseParseError)) throw cause
      this.failure = cause
      return this.#part === undefined ? undefined : this.#takePart(false)
    }
  }

  #next(): ResponseValue | undefined {
    const behind = this.#behind
    if (behind !== undefined) {
      this.#behind = undefined
      return behind
    }
    for (;;) {
      const input = this.#input
      if (input.at === input.bytes.length) {
        if (this.#part !== undefined) return this.#takePart(false)
        if (!input.hasMore()) return input.isEnded ? this.#atEnd() : undefined
      }
      const value = this.#read()
      if (value !== undefined) return value
    }
  }

  #atEnd(): ResponseValue | undefined {
    const state = this.#state
    const part = BREAKS[state]
    if (part !== undefined) {
      throw new ResponseParseError('closed', `the connection was closed within the ${part} of a response`)
    }
    this.#state = 'left'
    return state === 'connection' ? { type: 'data', data: EMPTY, isFin: true } : undefined
  }

  /** Reads bytes, of which there is one at least, as far as they belong together. */
  #read(): ResponseValue | undefined {
    switch (this.#state) {
      case 'between':
        return this.#readBetween()
      case 'head':
        return this.#readHead()
      case 'length': {
        const data = this.#takeMissing()
        const isFin = this.#missing === 0
        if (isFin) this.#state = 'between'
        return { type: 'data', data, isFin }
      }
      case 'connection':
        return { type: 'data', data: this.#input.take(Number.POSITIVE_INFINITY), isFin: false }
      case 'chunk size':
        return this.#readChunkSize()
      case 'chunk':
        this.#part = this.#takeMissing()
        if (this.#missing === 0) this.#state = 'chunk end'
        return undefined
      case 'chunk end':
        return this.#readChunkEnd()
      case 'trailers':
        return this.#readTrailers()
      case 'left':
        return undefined
    }
  }

  #readBetween(): ResponseValue | undefined {
    const { bytes, at: from, announced } = this.#input
    let at = from
    // Empty lines before a status line are skipped, as other readers do.
    while (bytes[at] === CR || bytes[at] === LF) at++
    this.#input.at = at
    this.#emptyBytes += at - from
    const { maxHeaderBlockSize } = this.#limits
    if (this.#emptyBytes > maxHeaderBlockSize) {
      const text = `the empty lines before a response exceed maxHeaderBlockSize (${maxHeaderBlockSize} bytes)`
      throw new ResponseParseError('limit_reached', text)
    }
    if (at === bytes.length) return undefined
    if (this.#isLast) throw refused('bytes arrived after a response that ended the connection')
    if (this.#expected.answered === announced) throw refused('a response arrived that no request asked for')
    if (bytes[at] !== H) throw notHttp(bytes[at])
    this.#emptyBytes = 0
    this.#state = 'head'
    this.#status = 0
    this.#lines.begin(this.#head)
    this.#fields.begin()
    return START
  }

  #readHead(): ResponseValue | undefined {
    const input = this.#input
    const lines = this.#lines
    input.at = lines.take(input.bytes, input.at)
    const { whole } = lines
    let start = 0
    if (this.#status === 0 && whole !== '') {
      checkStatusLine(whole)
      this.#status = statusOf(whole)
      this.#minor = minorOf(whole)
      start = whole.indexOf('\n') + 1
    }
    this.#fields.add(whole, start)
    if (lines.problem !== undefined) throw lines.problem
    return lines.isOver ? this.#respond() : undefined
  }

  /** Gives the response, or another value, that a whole head begins. */
  #respond(): ResponseValue {
    const { method, isUpgrade } = this.#expected.first
    const status = this.#status
    const headers = this.#fields.fields
    const head = headOf(method, status, this.#minor, headers)
    const isTunnel = method === 'CONNECT' && status >= 200 && status < 300
    if (status === 101 && (!isUpgrade || method === 'CONNECT')) {
      throw refused('a 101 response arrived for a request that asked for no upgrade')
    }
    if (status === 101 || (isTunnel && isUpgrade)) {
      this.#state = 'left'
      return { type: 'upgrade', status, headers, rest: this.#input.takeAll() }
    }
    if (status < 200) {
      this.#state = 'between'
      return { type: 'inform', status, headers }
    }
    const bodyEnd = bodyEndOf(head)
    if (bodyEnd !== 'head' && head.transferEncoding !== undefined) {
      checkCodings(head.transferEncoding, this.#fields.hasTabBehindCoding)
    }
    const length = bodyEnd === 'length' ? Number(head.contentLength) : undefined
    const isFin = bodyEnd === 'head' || length === 0
    const keepAlive = goesOn(head, bodyEnd)
    this.#isLast = !keepAlive
    this.#expected.shift()
    this.#state = isFin ? 'between' : BEHIND_HEAD[bodyEnd]
    this.#missing = length ?? 0
    if (bodyEnd === 'last chunk') this.#lines.begin(CHUNK_LINE)
    return { type: 'response', status, headers, isFin, keepAlive, length }
  }

  #readChunkSize(): ResponseValue | undefined {
    const size = this.#takeChunkSize()
    if (size === undefined) return undefined
    if (size === 0) {
      this.#state = 'trailers'
      this.#lines.begin(this.#trailers)
      this.#fields.begin()
      return undefined
    }
    this.#state = 'chunk'
    this.#missing = size
    return this.#part === undefined ? undefined : this.#takePart(false)
  }

  #takeChunkSize(): number | undefined {
    const input = this.#input
    const { bytes, at } = input
    const lines = this.#lines
    const length = lines.isFresh ? shortLine(bytes, at) : 0
    if (length > 0) {
      input.at += length
      return shortSize(bytes, at, input.at)
    }
    input.at = lines.take(bytes, at)
    if (lines.problem !== undefined) throw lines.problem
    return lines.isOver ? chunkSize(lines.whole) : undefined
  }

  #readChunkEnd(): undefined {
    const input = this.#input
    const byte = input.bytes[input.at++]
    if (this.#isBehindCr && byte === LF) {
      this.#isBehindCr = false
      this.#state = 'chunk size'
      this.#lines.begin(CHUNK_LINE)
    } else if (!this.#isBehindCr && byte === CR) {
      this.#isBehindCr = true
    } else {
      throw notValid(`${byte === LF ? 'Missing expected CR' : 'Expected LF'} after chunk data`)
    }
  }

  #readTrailers(): ResponseValue | undefined {
    const input = this.#input
    const lines = this.#lines
    input.at = lines.take(input.bytes, input.at)
    this.#fields.add(lines.whole, 0)
    if (lines.problem !== undefined) throw lines.problem
    if (!lines.isOver) return undefined
    const headers = this.#fields.fields
    if (headers.some(([name]) => name === 'content-length')) {
      throw notValid("Content-Length can't be present with Transfer-Encoding")
    }
    this.#state = 'between'
    if (headers.length === 0) return this.#takePart(true)
    if (this.#part === undefined) return { type: 'trailers', headers }
    this.#behind = { type: 'trailers', headers }
    return this.#takePart(false)
  }

  /** Takes as much as there is of the body, or of the chunk. */
  #takeMissing(): Buffer {
    const data = this.#input.take(this.#missing)
    this.#missing -= data.length
    return data
  }

  #takePart(isFin: boolean): ResponseValue {
    const data = this.#part ?? EMPTY
    this.#part = undefined
    return { type: 'data', data, isFin }
  }
}

function viewOf(bytes: Buffer, start: number, end: number): Buffer {
  return bytes.subarray(start, end)
}
