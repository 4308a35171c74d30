/** WebSocket: one stream that owns the connection; frames both ways until both sides have said close. */

import { asConnectionError, GunError } from '../errors.js'
import type { WsFrame, WsFrameIn } from '../messages.js'
import { WS_DEFAULTS, type WsOpts } from '../options.js'
import type { StreamRef } from '../stream-ref.js'
import { isSendable } from '../ws/frame.js'
import { Inbound, type InboundHandler } from '../ws/inbound.js'
import { Outbound } from '../ws/outbound.js'
import type { Host, Protocol } from './contract.js'

/** `wsSend` answers `false` while more than so many bytes wait to be sent. */
const SEND_HIGH_WATER_MARK = 1024 * 1024

/** RFC 6455 section 7.4.1. */
const GOING_AWAY = 1001

export class Ws implements Protocol, InboundHandler {
  readonly name = 'ws'
  readonly stateName = 'connected_ws_only'
  readonly #host: Host
  readonly #ref: StreamRef
  readonly #opts: WsOpts
  readonly #inbound: Inbound
  readonly #outbound: Outbound
  readonly #keepalive: NodeJS.Timeout | undefined
  #sentClose = false
  #receivedClose = false

  constructor(host: Host, streamRef: StreamRef, opts: WsOpts) {
    this.#host = host
    this.#ref = streamRef
    this.#opts = opts
    this.#inbound = new Inbound(
      {
        maxPayload: opts.maxPayload ?? WS_DEFAULTS.maxPayload,
        maxFragments: opts.maxFragments ?? WS_DEFAULTS.maxFragments,
      },
      this,
    )
    this.#outbound = new Outbound(host.outlet)
    const { keepalive = WS_DEFAULTS.keepalive } = opts
    if (keepalive !== Number.POSITIVE_INFINITY) {
      this.#keepalive = setInterval(() => this.#outbound.send('ping'), keepalive)
    }
  }

  /** RFC 6455 section 7.1.4. */
  get isDone(): boolean {
    return this.#sentClose && this.#receivedClose
  }

  handle(chunk: Buffer): void {
    this.#inbound.write(chunk)
  }

  end(): void {
    this.#host.lost(
      new GunError('closed', 'connection_error', 'the peer closed the connection without a close frame'),
    )
  }

  wsSend(streamRef: StreamRef | undefined, frames: readonly WsFrame[]): boolean {
    if (streamRef !== undefined && streamRef !== this.#ref) {
      const text = 'this stream is not the WebSocket of its connection'
      this.#host.fail(streamRef, new GunError('badstate', 'badstate', text, { frames }))
      return this.#hasRoom
    }
    let sent = 0
    for (const frame of frames) {
      if (this.#sentClose) {
        const text = 'a close frame was sent before; nothing may follow it'
        this.#host.fail(this.#ref, new GunError('badstate', 'badstate', text, { frames: frames.slice(sent) }))
        break
      }
      if (frame === 'close' || frame[0] === 'close') this.#close(frame as WsFrame, true)
      else this.#outbound.send(frame)
      sent++
    }
    return this.#hasRoom
  }

  closing(): number {
    if (!this.#sentClose) {
      this.#sentClose = true
      this.#stopPings()
      this.#outbound.send(['close', GOING_AWAY, ''])
    }
    return this.#opts.closingTimeout ?? WS_DEFAULTS.closingTimeout
  }

  close(reason: GunError | 'normal'): readonly StreamRef[] {
    this.#stopPings()
    this.#inbound.end()
    // A WebSocket that both sides have closed was not killed.
    if (this.isDone) return []
    const error = new GunError('closed', 'connection_error', 'the connection was closed')
    this.#host.fail(this.#ref, reason === 'normal' ? error : asConnectionError(reason))
    return [this.#ref]
  }

  onFrame(frame: WsFrameIn, bytes: number): void {
    const [name, payload] = typeof frame === 'string' ? [frame, undefined] : frame
    if (name === 'ping' && !this.#sentClose) {
      this.#outbound.send(payload === undefined ? 'pong' : ['pong', payload as Uint8Array])
    }
    const isSilent =
      (name === 'ping' || name === 'pong') && (this.#opts.silencePings ?? WS_DEFAULTS.silencePings)
    if (name === 'close') this.#receivedClose = true
    if (!isSilent) {
      const { connPid } = this.#host
      this.#host.deliver(this.#ref, { type: 'gun_ws', connPid, streamRef: this.#ref, frame }, bytes)
    }
    if (name === 'close' && !this.#sentClose) this.#close(answerTo(frame), false)
  }

  onError(error: GunError, code: number): void {
    if (!this.#sentClose) {
      this.#sentClose = true
      this.#outbound.send(['close', code, ''])
    }
    this.#host.lost(error)
  }

  get #hasRoom(): boolean {
    return this.#host.outlet.buffered <= SEND_HIGH_WATER_MARK
  }

  /** `final`: the caller wants it, so there is nothing to come back to. */
  #close(frame: WsFrame, final: boolean): void {
    this.#sentClose = true
    this.#stopPings()
    this.#outbound.send(frame)
    this.#host.closing(this.#opts.closingTimeout ?? WS_DEFAULTS.closingTimeout, final)
  }

  #stopPings(): void {
    if (this.#keepalive !== undefined) clearInterval(this.#keepalive)
  }
}

/** The same code comes back (RFC 6455 section 5.5.1), as far as it may be sent. */
function answerTo(frame: WsFrameIn): WsFrame {
  return typeof frame !== 'string' && frame[0] === 'close' && isSendable(frame[1])
    ? ['close', frame[1], '']
    : 'close'
}
