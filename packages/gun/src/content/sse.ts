/** Server-sent events (the HTML standard, section 9.2): each becomes a message. */

import { setImmediate as turn } from 'node:timers/promises'
import { createParser } from 'eventsource-parser'
import * as v from 'valibot'
import { GunError } from '../errors.js'
import type { GunSse, SseEvent, SseFin } from '../messages.js'
import type { ContentHandler, ContentReader, ContentResponse } from '../options/content-handler.js'
import { strictOptions } from '../options/names.js'
import { Slice } from '../transport/slice.js'
import type { IsFin } from '../words.js'
import { checked } from './checked.js'

/** Options of `sse`. */
export interface SseOpts {
  /** The most characters a line, or all the data of an event, may have. Default 1048576. Beyond: `limit_reached`. */
  readonly maxEventSize?: number
}

const sseOpts = strictOptions({
  maxEventSize: v.optional(
    v.pipe(
      v.number('must be a number'),
      v.check(
        n => n === Number.POSITIVE_INFINITY || (Number.isInteger(n) && n >= 1),
        'must be a whole number of at least 1, or Infinity',
      ),
    ),
    1024 * 1024,
  ),
})

/**
 * Makes a `gun_sse` of each event of a response whose content-type is text/event-stream, and one with `'fin'` of its
 * end. Source: gun_sse_h of Gun.
 */
export function sse(opts: SseOpts = {}): ContentHandler {
  const { maxEventSize } = checked('sse', sseOpts, opts)
  return {
    init(response) {
      const type = response.headers.find(([name]) => name === 'content-type')?.[1]
      if (type === undefined || !/^\s*text\/event-stream\s*(;|$)/i.test(type)) return undefined
      return new Events(response, maxEventSize)
    },
  }
}

/** The events of one response. */
class Events implements ContentReader {
  readonly #response: ContentResponse
  readonly #maxEventSize: number
  /** Decodes across parts and skips a byte order mark. */
  readonly #decoder = new TextDecoder()
  readonly #parser = createParser({
    onEvent: ({ event, data }) => {
      const all = { lastEventId: this.#lastEventId, eventType: event || 'message', data }
      this.#post({ event: this.#retry === undefined ? all : { ...all, retry: this.#retry } })
    },
    onRetry: retry => {
      this.#retry = retry
    },
  })
  #lastEventId = ''
  /** That of the block that has begun, which counts with the end of the block. */
  #id = ''
  #retry: number | undefined
  /** The beginning of a line. */
  #line = ''
  /** How many characters the event that has begun holds. */
  #size = 0
  /** A line has ended with CR: an LF that follows belongs to it. */
  #skipsLf = false
  #isClosed = false
  readonly #slice = new Slice()

  constructor(response: ContentResponse, maxEventSize: number) {
    this.#response = response
    this.#maxEventSize = maxEventSize
    // It would skip what it takes for a byte order mark, and is in fact text.
    this.#parser.feed('\n')
  }

  handle(isFin: IsFin, data: Buffer): void | Promise<void> {
    const text = this.#decoder.decode(data, { stream: true })
    const start = this.#skipsLf && text.startsWith('\n') ? 1 : 0
    if (text !== '') this.#skipsLf = text.endsWith('\r')
    return this.#take(isFin, text, start)
  }

  close(): void {
    this.#isClosed = true
  }

  /** What is in the text from there on. Gives a promise where some of it waits for the next turn of the event loop. */
  #take(isFin: IsFin, text: string, start: number): void | Promise<void> {
    const ending = /\r\n?|\n/g
    let from = start
    ending.lastIndex = from
    this.#slice.begin()
    for (let match = ending.exec(text); match !== null; match = ending.exec(text)) {
      const line = this.#line + text.slice(from, match.index)
      this.#line = ''
      from = ending.lastIndex
      this.#takeLine(line)
      // The receiver of an event may have cancelled the stream.
      if (this.#isClosed) return
      if (this.#slice.isOver()) return turn().then(() => this.#take(isFin, text, from))
    }
    this.#line += text.slice(from)
    this.#limit(this.#size + this.#line.length)
    // What has not ended yet is not an event.
    if (isFin === 'fin') this.#post({ event: 'fin', lastEventId: this.#lastEventId })
  }

  /** Line by line: the parser tells neither of an id without data, nor of a CR before it has seen what follows. */
  #takeLine(line: string): void {
    this.#limit(this.#size + line.length)
    if (line === '') {
      this.#size = 0
      this.#lastEventId = this.#id
    } else if (/^data(:|$)/.test(line)) this.#size += line.length
    const id = /^id(?:$|: ?(.*))/s.exec(line)
    if (id !== null && !line.includes('\0')) this.#id = id[1] ?? ''
    this.#parser.feed(`${line}\n`)
  }

  #limit(size: number): void {
    if (size <= this.#maxEventSize) return
    const problem = `an event has more characters than sse.maxEventSize allows (${this.#maxEventSize})`
    throw new GunError('limit_reached', 'stream_error', problem)
  }

  #post(what: Pick<SseEvent, 'event'> | Pick<SseFin, 'event' | 'lastEventId'>): void {
    if (this.#isClosed) return
    const { connPid, streamRef, replyTo } = this.#response
    const message: GunSse = { type: 'gun_sse', connPid, streamRef, ...what }
    replyTo.send(message)
  }
}
