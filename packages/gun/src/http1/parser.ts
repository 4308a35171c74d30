/** Turns the bytes of HTTP/1.1 responses into values; knows nothing about sockets, streams or messages. */

import { type Parsed, type ResponseLimits, ResponseParseError } from '../exchange/response-event.js'
import { ResponseCollector } from './collector.js'
import { code } from './llhttp.js'

/** Parses the responses of one connection. Holds memory that no garbage collector sees: `dispose` of it. */
export class ResponseParser {
  readonly #collector: ResponseCollector
  #phase: 'parsing' | 'failed' | 'disposed' = 'parsing'

  constructor(limits: ResponseLimits) {
    this.#collector = new ResponseCollector(limits)
  }

  /**
   * Announces a request, in the order of sending. `upgrade`: the request asks to leave HTTP/1.1, with a 101, or for
   * CONNECT with any 2xx.
   */
  expect(method: string, upgrade = false): void {
    this.#collector.expected.push({ method, upgrade })
  }

  /** Parses a chunk. Never throws; gives an earlier error again, and nothing behind an upgrade. */
  execute(chunk: Buffer): Parsed {
    const collector = this.#collector
    if (this.#phase !== 'parsing') return this.#nothing()
    try {
      const result = collector.execute(chunk)
      if (result === code.upgraded) this.#upgraded(chunk)
      else if (result !== code.ok)
        collector.fail('protocol_error', `not valid HTTP/1.1: ${collector.llhttp.reason()}`)
    } catch (cause) {
      collector.error ??= new ResponseParseError('protocol_error', 'the response cannot be parsed', { cause })
    }
    return this.#taken()
  }

  /**
   * Takes the end of the input. It completes a body that lasts until then (RFC 9112 section 6.3, rule 8); between
   * responses it means nothing, even if requests still wait for theirs; anywhere else the response is truncated
   * (section 8).
   */
  end(): Parsed {
    const collector = this.#collector
    if (this.#phase !== 'parsing') return this.#nothing()
    if (collector.state === 'body' && collector.untilClose) collector.onMessageComplete()
    else if (collector.state !== 'idle') {
      collector.fail('closed', `the connection was closed within the ${collector.state} of a response`)
    }
    const parsed = this.#taken()
    this.dispose()
    return parsed
  }

  /** Gives the parser's memory back. Afterwards `execute` and `end` give nothing. */
  dispose(): void {
    this.#phase = 'disposed'
    this.#collector.llhttp.dispose()
  }

  #upgraded(chunk: Buffer): void {
    const collector = this.#collector
    const event = collector.events.pop()
    const rest = chunk.subarray(collector.llhttp.stoppedAt)
    if (event?.type === 'upgrade') collector.events.push({ ...event, rest })
    this.dispose()
  }

  #taken(): Parsed {
    const collector = this.#collector
    const { events, error } = collector
    collector.events = []
    if (error !== undefined) {
      this.dispose()
      this.#phase = 'failed'
    }
    return { events, error }
  }

  #nothing(): Parsed {
    return { events: [], error: this.#phase === 'failed' ? this.#collector.error : undefined }
  }
}
