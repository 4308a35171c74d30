/** WebSocket: one stream that owns its line, with frames both ways until both sides have sent a close frame. */

import { inspect } from 'node:util'
import type { Pid } from '@holster/process'
import { onRejection, reportThrown } from '@holster/process/internal'
import { GunError } from '../errors.js'
import type { StreamRef } from '../handles.js'
import {
  bytesOf,
  type DataCommand,
  type FlowCommand,
  type FramesCommand,
  isClose,
  type UpgradeCommand,
} from '../layer/commands.js'
import type { Again, Foreseen, Home, Host, Protocol } from '../layer/contract.js'
import type { StreamInfo } from '../layer/info.js'
import { Keepalive } from '../layer/keepalive.js'
import { replyToOf } from '../messages.js'
import { WS_DEFAULTS, type WsHandler } from '../options/websocket.js'
import type { Outlet } from '../transport/outlet.js'
import type { Headers, WsFrame, WsFrameIn } from '../words.js'
import type { Deflation } from './deflate.js'
import { answerTo } from './frame.js'
import { watchFrames } from './frame-events.js'
import { handlerError, handlerOf, Reply } from './handler.js'
import type { Agreement } from './handshake.js'
import { CREDIT, Inbound, type InboundHandler, MAILBOX } from './inbound.js'
import { Outbound } from './outbound.js'
import { Pongs } from './pongs.js'

/** RFC 6455 section 7.4.1. */
const GOING_AWAY = 1001
const POLICY_VIOLATION = 1008
const INTERNAL_ERROR = 1011

export class Ws implements Protocol, InboundHandler {
  readonly name = 'ws'
  readonly stateName = 'connected_ws_only'
  readonly #since = performance.now()
  /** Whether the peer has sent something of use. */
  #hasHeard = false
  readonly #host: Host
  readonly #ref: StreamRef
  readonly #command: UpgradeCommand
  readonly #agreement: Agreement
  readonly #inbound: Inbound
  readonly #outlet: Outlet
  readonly #steps: Home['steps']
  readonly #sendMark: number
  readonly #outbound: Outbound
  readonly #pongs: Pongs
  readonly #reply: Reply
  readonly #handler: WsHandler<unknown, never>
  readonly #state: unknown
  readonly #keepalive: Keepalive | undefined
  /** Whether the caller was told to wait until there is room. */
  #isFull = false
  /** How many messages the receiver still wants. */
  #credit: number
  #hasSentClose = false
  #hasReceivedClose = false
  /** Whether a frame could not be handled, so that the end is not one in order. */
  #hasFailed = false
  /** Why the line has ended, while the bytes that came before are still being handed on. */
  #end: GunError | undefined

  /** Throws what the subprotocol's handler throws. */
  constructor(host: Host, command: UpgradeCommand, agreement: Agreement, headers: Headers) {
    const { streamRef, opts } = command
    this.#host = host
    this.#ref = streamRef
    this.#command = command
    this.#agreement = agreement
    this.#reply = new Reply(host, streamRef)
    this.#handler = handlerOf(agreement.subprotocol, opts)
    this.#state = this.#handler.init(this.#reply as Pid<never>, streamRef, headers, opts)
    onRejection(this.#state, cause => this.guard(() => this.onError(handlerError(cause), INTERNAL_ERROR)))
    const { connPid, events } = host
    const limits = {
      maxPayload: opts.maxPayload ?? WS_DEFAULTS.maxPayload,
      maxFragments: opts.maxFragments ?? WS_DEFAULTS.maxFragments,
    }
    const watcher = watchFrames(events, { connPid, streamRef, replyTo: replyToOf(streamRef) })
    this.#inbound = new Inbound(limits, agreement.deflation, this, host.home.frames, watcher)
    this.#outlet = host.outlet
    this.#steps = host.home.steps
    this.#sendMark = opts.sendHighWaterMark ?? WS_DEFAULTS.sendHighWaterMark
    this.#outbound = new Outbound(this.#outlet, agreement.deflation, host.home.frames, run => this.guard(run))
    this.#pongs = new Pongs(this.#outlet, pong => this.#sendAhead(pong))
    this.#credit = opts.flow ?? WS_DEFAULTS.flow
    const { keepalive = WS_DEFAULTS.keepalive, keepaliveTolerance = WS_DEFAULTS.keepaliveTolerance } = opts
    if (keepalive !== Number.POSITIVE_INFINITY) {
      this.#keepalive = new Keepalive(keepalive, keepaliveTolerance, {
        ping: () => this.guard(() => this.#send('ping')),
        isRead: () => !this.#inbound.isHeld,
        lost: error => host.lost(error),
      })
    }
  }

  get streams(): readonly StreamRef[] {
    return [this.#ref]
  }

  get unsent(): number {
    return this.#outbound.waiting
  }

  get streamRef(): StreamRef {
    return this.#ref
  }

  /** RFC 6455 section 7.1.4. */
  get isDone(): boolean {
    return this.#hasSentClose && this.#hasReceivedClose && !this.#hasFailed
  }

  handle(chunk: Buffer): void {
    // Bytes behind a close frame mean nothing, but are read up to the end of the line.
    if (this.#hasReceivedClose) return
    this.#inbound.write(chunk)
  }

  end(reason: GunError | undefined): void {
    // The socket that closes behind the peer's last byte says nothing new.
    if (this.#end !== undefined) return
    this.#end =
      reason ??
      new GunError('closed', 'connection_error', 'the peer closed the connection without a close frame')
    // Nothing more can come from a line that broke, so that no flow control need hold back the rest.
    if (reason !== undefined) this.lift()
    if (!this.#inbound.isHeld) this.#host.lost(this.#end)
  }

  guard(run: () => void): void {
    this.#host.guard(run)
  }

  onYield(): void {
    this.#host.stopReading()
  }

  onCaughtUp(): void {
    if (this.#end !== undefined) this.#host.lost(this.#end)
    else this.#host.startReading()
  }

  pause(): void {
    this.#inbound.hold(MAILBOX)
  }

  resume(): void {
    this.#keepalive?.forgive()
    this.#inbound.release(MAILBOX)
  }

  overflow(error: GunError): void {
    this.onError(error, POLICY_VIOLATION)
  }

  flow({ streamRef, increment }: FlowCommand<StreamRef>): void {
    if (streamRef !== this.#ref) return
    this.#credit += increment
    if (this.#credit <= 0) return
    this.#keepalive?.forgive()
    this.#inbound.release(CREDIT)
  }

  streamInfo(streamRef: StreamRef): StreamInfo | undefined {
    if (streamRef !== this.#ref) return undefined
    const { subprotocol, deflation } = this.#agreement
    return {
      ref: streamRef,
      replyTo: replyToOf(streamRef),
      state: this.#hasSentClose || this.#hasReceivedClose ? 'stopping' : 'running',
      intermediaries: this.#host.endpoint.intermediaries,
      websocket: {
        subprotocol,
        extensions: deflation?.answer,
        bufferedBytes: this.#outbound.buffered,
        flow: this.#credit,
      },
    }
  }

  foresee(command: DataCommand | FramesCommand, before: number): Foreseen {
    if (command.type === 'data' || this.#hasSentClose) return 'refused'
    const { frames, streamRef } = command
    if (streamRef !== undefined && streamRef !== this.#ref) return 'refused'
    const close = frames.findIndex(isClose)
    if (close !== -1 && close < frames.length - 1) return 'refused'
    return this.#outbound.buffered + before + bytesOf(command) <= this.#sendMark ? 'room' : 'full'
  }

  frames({ streamRef, frames, isToldToWait }: FramesCommand): boolean {
    if (streamRef !== undefined && streamRef !== this.#ref) {
      const text = 'this stream is not the WebSocket of its connection'
      this.#host.refuse(streamRef, new GunError('badstate', 'badstate', text, { frames }))
      return false
    }
    let sent = 0
    for (const frame of frames) {
      if (this.#hasSentClose) {
        const text = 'a close frame was sent before; nothing may follow it'
        this.#host.refuse(
          this.#ref,
          new GunError('badstate', 'badstate', text, { frames: frames.slice(sent) }),
        )
        return false
      }
      if (isClose(frame)) this.#sendClose(frame as WsFrame, true)
      else this.#send(frame)
      sent++
    }
    return this.#isRoomy(isToldToWait)
  }

  finish(): number {
    if (!this.#hasSentClose) {
      this.#hasSentClose = true
      this.#keepalive?.dispose()
      this.#send(['close', GOING_AWAY, ''])
    }
    this.lift()
    return this.#command.opts.closingTimeout ?? WS_DEFAULTS.closingTimeout
  }

  abort(reason: GunError | 'normal', again: Again | undefined): readonly StreamRef[] {
    this.#keepalive?.dispose()
    this.#outlet.onSent = undefined
    this.#inbound.dispose()
    this.#deflation?.dispose()
    if (this.#command.opts.reupgrade && again !== undefined) {
      again({ ...this.#command, refusals: 0 }, this.#hasHeard ? Number.NEGATIVE_INFINITY : this.#since)
      return []
    }
    // A WebSocket that both sides have closed was not killed.
    if (this.isDone) return []
    const error = new GunError('closed', 'connection_error', 'the connection was closed')
    this.#host.fail(this.#ref, reason === 'normal' ? error : reason)
    return [this.#ref]
  }

  onFrame(frame: WsFrameIn, bytes: number): void {
    const [name, payload] = typeof frame === 'string' ? [frame, undefined] : frame
    if (name === 'ping' && !this.#hasSentClose) {
      this.#pongs.answer(payload as Uint8Array | undefined)
      if (this.#pongs.areMany) this.#watch()
    } else if (name === 'pong') {
      this.#keepalive?.forgive()
    } else if (name === 'close') {
      this.#hasReceivedClose = true
    }
    this.#reply.bytes = bytes
    let sent: number
    try {
      sent = this.#handler.handle(frame, this.#state)
      if (!Number.isInteger(sent) || sent < 0) throw this.#noCount(sent)
    } catch (cause) {
      return this.onError(handlerError(cause), INTERNAL_ERROR)
    }
    this.#reply.bytes = 0
    this.#credit -= sent
    // The handler's commands come before the next frame, and before our own close frame.
    this.#steps.settle()
    if (name !== 'close') {
      if (!this.#hasHeard) {
        this.#hasHeard = true
        this.#host.heard()
      }
      return this.#regulate()
    }
    if (!this.#hasSentClose) this.#sendClose(answerTo(frame), false)
    // All that follows is read and discarded, up to the end of the line.
    this.onCaughtUp()
  }

  onError(error: GunError, code: number): void {
    this.#hasFailed = true
    this.#inbound.dispose()
    if (!this.#hasSentClose) {
      this.#hasSentClose = true
      const frame: WsFrame = ['close', code, '']
      this.#tellOf(frame, () => this.#outbound.sendLast(frame))
    }
    this.#host.lost(error)
  }

  get #deflation(): Deflation | undefined {
    return this.#agreement.deflation
  }

  /** Returns the error for a `handle` that has not given how many messages it has sent. */
  #noCount(given: unknown): TypeError {
    const isPromise = onRejection(given, reason => reportThrown(this.#host.connPid, reason))
    return new TypeError(
      `handle must give a number of messages, not ${isPromise ? 'a promise' : inspect(given, { depth: 0 })}`,
    )
  }

  /** Reads no further than the caller has asked for. */
  #regulate(): void {
    if (this.#credit > 0) return
    this.#inbound.hold(CREDIT)
    this.#host.stopReading()
  }

  /** Holds back nothing any more, so that the peer's last words are handed on whatever the credit. */
  lift(): void {
    this.#credit = Number.POSITIVE_INFINITY
    this.#inbound.release(CREDIT)
    this.#inbound.release(MAILBOX)
  }

  /** Sends a close frame. `isFinal`: the caller asked for it, so that nothing is connected again. */
  #sendClose(frame: WsFrame, isFinal: boolean): void {
    this.#hasSentClose = true
    this.#keepalive?.dispose()
    this.#send(frame)
    this.lift()
    this.#host.closing(this.#command.opts.closingTimeout ?? WS_DEFAULTS.closingTimeout, isFinal)
  }

  #send(frame: WsFrame): void {
    const { events } = this.#host
    if (!events.wants('wsSendFrameStart') && !events.wants('wsSendFrameEnd')) this.#outbound.send(frame)
    else this.#tellOf(frame, () => this.#outbound.send(frame))
  }

  #tellOf(frame: WsFrame, send: () => void): void {
    const { connPid, events } = this.#host
    const streamRef = this.#ref
    const event = { connPid, streamRef, replyTo: replyToOf(streamRef), frame }
    events.tell('wsSendFrameStart', event)
    send()
    events.tell('wsSendFrameEnd', event)
  }

  #sendAhead(frame: WsFrame): void {
    if (!this.#hasSentClose) this.#tellOf(frame, () => this.#outbound.sendAhead(frame))
  }

  /** Whether the caller may go on. `isToldToWait`: the caller waits already, so that a drain is due. */
  #isRoomy(isToldToWait: boolean | undefined): boolean {
    if (isToldToWait === undefined) return true
    if (!isToldToWait && this.#outbound.buffered <= this.#sendMark) return true
    this.#isFull = true
    this.#watch()
    return false
  }

  /** Has `#onSent` called when something has left. */
  #watch(): void {
    this.#outlet.onSent ??= () => this.guard(() => this.#onSent())
  }

  #onSent(): void {
    this.#pongs.sent()
    const data = this.#outbound.buffered
    const hasRoom = this.#isFull && data <= this.#sendMark / 2
    if (hasRoom) this.#isFull = false
    if (!this.#isFull && !this.#pongs.areMany) this.#outlet.onSent = undefined
    if (!hasRoom) return
    const { connPid } = this.#host
    const streamRef = this.#ref
    this.#host.deliver(streamRef, { type: 'gun_notify', connPid, streamRef, event: 'drain', data })
  }
}
