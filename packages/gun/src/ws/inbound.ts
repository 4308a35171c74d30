/** Bytes in, messages out: ws's Receiver, with UTF-8 validated once, while it is decoded. */

import { isAscii, isUtf8 } from 'node:buffer'
import { Receiver } from 'ws'
import { GunError } from '../errors.js'
import type { WsFrameIn } from '../messages.js'

/** What inbound tells the protocol; `bytes` is the size of the payload. */
export interface InboundHandler {
  onFrame(frame: WsFrameIn, bytes: number): void
  /** `code` is the close code that answers this error (RFC 6455 section 7.4.1). */
  onError(error: GunError, code: number): void
}

export interface InboundLimits {
  readonly maxPayload: number
  readonly maxFragments: number
}

/** Turns the bytes of one WebSocket into frames; fragments are put together. Nothing follows a close or an error. */
export class Inbound {
  readonly #receiver: Receiver
  readonly #handler: InboundHandler
  #ended = false

  constructor(limits: InboundLimits, handler: InboundHandler) {
    this.#handler = handler
    this.#receiver = new Receiver({
      isServer: false,
      extensions: {},
      maxPayload: engineLimit(limits.maxPayload),
      maxFragments: engineLimit(limits.maxFragments),
      skipUTF8Validation: true,
    })
    this.#receiver.on('message', (data, isBinary) => this.#message(data, isBinary))
    this.#receiver.on('ping', data => this.#control('ping', data))
    this.#receiver.on('pong', data => this.#control('pong', data))
    this.#receiver.on('conclude', (code, reason) => this.#close(code, reason))
    this.#receiver.on('error', error => this.#fail(...explain(error, limits)))
  }

  write(chunk: Buffer): void {
    if (!this.#ended) this.#receiver.write(chunk)
  }

  /** Nothing more is wanted. */
  end(): void {
    this.#ended = true
  }

  #message(data: Buffer, isBinary: boolean): void {
    if (this.#ended) return
    if (isBinary) return this.#handler.onFrame(['binary', data], data.length)
    const text = decode(data)
    if (text === undefined) return this.#fail(badEncoding('a text message'), 1007)
    this.#handler.onFrame(['text', text], data.length)
  }

  #control(name: 'ping' | 'pong', data: Buffer): void {
    if (this.#ended) return
    this.#handler.onFrame(data.length === 0 ? name : [name, data], data.length)
  }

  #close(code: number, reason: Buffer): void {
    if (this.#ended) return
    const text = decode(reason)
    if (text === undefined) return this.#fail(badEncoding('a close reason'), 1007)
    this.#ended = true
    // 1005 is what ws says for a close frame without a code.
    this.#handler.onFrame(code === 1005 ? 'close' : ['close', code, text], reason.length)
  }

  #fail(error: GunError, code: number): void {
    if (this.#ended) return
    this.#ended = true
    this.#handler.onError(error, code)
  }
}

/** ws takes 0 for no limit, and keeps a limit in 32 bits. */
function engineLimit(limit: number): number {
  return limit === Number.POSITIVE_INFINITY ? 0 : limit
}

function decode(bytes: Buffer): string | undefined {
  if (isAscii(bytes)) return bytes.toString('latin1')
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined
}

function badEncoding(what: string): GunError {
  return new GunError('badencoding', 'connection_error', `the peer sent ${what} that is not valid UTF-8`)
}

function explain(error: Error & { readonly code?: string }, limits: InboundLimits): [GunError, number] {
  switch (error.code) {
    case 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH':
    case 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH': {
      const text = `a message from the peer exceeds wsOpts.maxPayload (${limits.maxPayload} bytes)`
      return [new GunError('limit_reached', 'connection_error', text, { cause: error }), 1009]
    }
    case 'WS_ERR_TOO_MANY_BUFFERED_PARTS': {
      const text = `a message from the peer has more fragments than wsOpts.maxFragments (${limits.maxFragments})`
      return [new GunError('limit_reached', 'connection_error', text, { cause: error }), 1008]
    }
    default: {
      const text = `the peer sent a bad frame: ${error.message}`
      return [new GunError('badframe', 'connection_error', text, { cause: error }), 1002]
    }
  }
}
