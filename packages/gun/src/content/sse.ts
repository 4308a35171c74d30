/** Server-sent events (the HTML standard, section 9.2): each event becomes a message. */

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
  /**
   * The most characters that a line, or all data of an event, may have; more end the stream with
   * `limit_reached`. Default 1048576.
   */
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
 * Returns a content handler that posts a `gun_sse` for each event of a response whose content-type is
 * text/event-stream, and one with `'fin'` at its end. Source: gun_sse_h of Gun.
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

/** Reads the events of one response. */
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
  /** The id of the block that has begun; it takes effect at the end of the block. */
  #id = ''
  #retry: number | undefined
  /** The beginning of a line that is not complete. */
  #line = ''
  /** How many characters of data the block that has begun holds. */
  #size = 0
  /** Whether the last line ended with CR, so that a following LF belongs to the same line end. */
  #skipsLf = false
  #isClosed = false
  readonly #slice = new Slice()

  constructor(response: ContentResponse, maxEventSize: number) {
    this.#response = response
    this.#maxEventSize = maxEventSize
    // The parser skips a byte order mark at its start; here such a character is text, since the decoder has
    // already removed the real mark.
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

  /**
   * Takes the text from `start` on. Returns a promise if some of it waits for the next turn of the event
   * loop.
   */
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
      // The recipient of an event may have cancelled the stream.
      if (this.#isClosed) return
      if (this.#slice.isOver()) return turn().then(() => this.#take(isFin, text, from))
    }
    this.#line += text.slice(from)
    this.#limit(this.#size + this.#line.length)
    // An event without its final blank line does not count.
    if (isFin === 'fin') this.#post({ event: 'fin', lastEventId: this.#lastEventId })
  }

  /**
   * Takes the text line by line, because the parser reports neither an id without data nor, before it has
   * seen the next character, a line that ends with CR.
   */
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

  #post(content: Pick<SseEvent, 'event'> | Pick<SseFin, 'event' | 'lastEventId'>): void {
    if (this.#isClosed) return
    const { connPid, streamRef, replyTo } = this.#response
    const message: GunSse = { type: 'gun_sse', connPid, streamRef, ...content }
    replyTo.send(message)
  }
}
