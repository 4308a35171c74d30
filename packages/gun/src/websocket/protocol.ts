/** WebSocket: one stream that owns the connection; frames both ways until both sides have said close. */

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
import { type GunMessage, replyToOf } from '../messages.js'
import { WS_DEFAULTS, type WsHandler } from '../options/websocket.js'
import type { Outlet } from '../transport/outlet.js'
import type { Headers, WsFrame, WsFrameIn } from '../words.js'
import type { Deflation } from './deflate.js'
import { isSendable } from './frame.js'
import { watchFrames } from './frame-events.js'
import { handlerError, handlerOf } from './handler.js'
import type { Agreement } from './handshake.js'
import { CREDIT, Inbound, type InboundHandler, MAILBOX } from './inbound.js'
import { Outbound } from './outbound.js'
import { Pongs } from './pongs.js'

/** RFC 6455 section 7.4.1. */
const GOING_AWAY = 1001
const POLICY_VIOLATION = 1008
const INTERNAL_ERROR = 1011

/** Whom the stream replies to, as its handler sees it: what it sends holds the bytes of the frame that it is for. */
class Reply implements Pid<GunMessage> {
  readonly #host: Host
  readonly #ref: StreamRef
  bytes = 0

  constructor(host: Host, ref: StreamRef) {
    this.#host = host
    this.#ref = ref
  }

  send(message: GunMessage): void {
    this.#host.deliver(this.#ref, message, this.bytes)
  }
}

export class Ws implements Protocol, InboundHandler {
  readonly name = 'ws'
  readonly stateName = 'connected_ws_only'
  readonly #since = performance.now()
  /** The peer has sent something of use. */
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
  /** Whoever sends was told to wait until there is room. */
  #isFull = false
  /** How many messages the owner still wants. */
  #credit: number
  #sentClose = false
  #receivedClose = false
  /** What came could not be handled, so this is no orderly end. */
  #failed = false
  /** Why the line has ended, while what came before is still being handed on. */
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
    this.#inbound = new Inbound(limits, agreement.deflation, this, watcher)
    this.#outlet = host.outlet
    this.#steps = host.home.steps
    this.#sendMark = opts.sendHighWaterMark ?? WS_DEFAULTS.sendHighWaterMark
    this.#outbound = new Outbound(this.#outlet, agreement.deflation)
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

  get streamRef(): StreamRef {
    return this.#ref
  }

  /** RFC 6455 section 7.1.4. */
  get isDone(): boolean {
    return this.#sentClose && this.#receivedClose && !this.#failed
  }

  handle(chunk: Buffer): void {
    // Nothing follows a close frame, so reading must not stop for it: the end of the line is still to come.
    if (this.#receivedClose) return
    // What comes while something is being inflated waits, and what comes then is left to the peer.
    if (this.#inbound.isInflating) this.#host.stopReading()
    this.#inbound.write(chunk)
  }

  end(reason: GunError | undefined): void {
    // Behind the peer's last byte the socket closes, which says nothing new.
    if (this.#end !== undefined) return
    this.#end =
      reason ??
      new GunError('closed', 'connection_error', 'the peer closed the connection without a close frame')
    // From a line that broke nothing more can come, so there is nothing to hold the rest back for.
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

  flow({ streamRef, increment }: FlowCommand): void {
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
      state: this.#sentClose || this.#receivedClose ? 'stopping' : 'running',
      intermediaries: [],
      websocket: {
        subprotocol,
        extensions: deflation?.answer,
        bufferedBytes: this.#outbound.buffered,
        flow: this.#credit,
      },
    }
  }

  foresee(command: DataCommand | FramesCommand, before: number): Foreseen {
    if (command.type === 'data' || this.#sentClose) return 'refused'
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
      if (this.#sentClose) {
        const text = 'a close frame was sent before; nothing may follow it'
        this.#host.refuse(
          this.#ref,
          new GunError('badstate', 'badstate', text, { frames: frames.slice(sent) }),
        )
        return false
      }
      if (isClose(frame)) this.#close(frame as WsFrame, true)
      else this.#send(frame)
      sent++
    }
    return this.#isRoomy(isToldToWait)
  }

  finish(): number {
    if (!this.#sentClose) {
      this.#sentClose = true
      this.#keepalive?.stop()
      this.#send(['close', GOING_AWAY, ''])
    }
    this.lift()
    return this.#command.opts.closingTimeout ?? WS_DEFAULTS.closingTimeout
  }

  abort(reason: GunError | 'normal', again: Again | undefined): readonly StreamRef[] {
    this.#keepalive?.stop()
    this.#outlet.onSent = undefined
    this.#inbound.end()
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
    if (name === 'ping' && !this.#sentClose) {
      this.#pongs.answer(payload as Uint8Array | undefined)
      if (this.#pongs.areMany) this.#watch()
    } else if (name === 'pong') {
      this.#keepalive?.forgive()
    } else if (name === 'close') {
      this.#receivedClose = true
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
    // What the handler has asked for comes before the next frame, and before our own close frame.
    this.#steps.settle()
    if (name !== 'close') {
      if (!this.#hasHeard) {
        this.#hasHeard = true
        this.#host.heard()
      }
      return this.#regulate()
    }
    if (!this.#sentClose) this.#close(answerTo(frame), false)
    // What follows is read and dropped, up to the end of the line.
    this.onCaughtUp()
  }

  onError(error: GunError, code: number): void {
    this.#failed = true
    this.#inbound.end()
    if (!this.#sentClose) {
      this.#sentClose = true
      const frame: WsFrame = ['close', code, '']
      this.#tellOf(frame, () => this.#outbound.sendLast(frame))
    }
    this.#host.lost(error)
  }

  get #deflation(): Deflation | undefined {
    return this.#agreement.deflation
  }

  /** `handle` has given something else than how many messages it has sent. */
  #noCount(given: unknown): TypeError {
    const isPromise = onRejection(given, reason => reportThrown(this.#host.connPid, reason))
    return new TypeError(
      `handle must give a number of messages, not ${isPromise ? 'a promise' : inspect(given, { depth: 0 })}`,
    )
  }

  /** Reads no further than the caller has asked for. */
  #regulate(): void {
    if (this.#credit > 0 || this.#sentClose || this.#receivedClose) return
    this.#inbound.hold(CREDIT)
    this.#host.stopReading()
  }

  /** Nothing is held back any more: what has come, and the peer's last words, are handed on whatever the credit. */
  lift(): void {
    this.#credit = Number.POSITIVE_INFINITY
    this.#inbound.release(CREDIT)
    this.#inbound.release(MAILBOX)
  }

  /** `final`: the caller wants it, so there is nothing to come back to. */
  #close(frame: WsFrame, final: boolean): void {
    this.#sentClose = true
    this.#keepalive?.stop()
    this.#send(frame)
    this.lift()
    this.#host.closing(this.#command.opts.closingTimeout ?? WS_DEFAULTS.closingTimeout, final)
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
    if (!this.#sentClose) this.#tellOf(frame, () => this.#outbound.sendAhead(frame))
  }

  /** `isToldToWait`: the caller waits already, so that a drain is due. */
  #isRoomy(isToldToWait: boolean): boolean {
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

/** The same code comes back (RFC 6455 section 5.5.1), as far as it may be sent. */
function answerTo(frame: WsFrameIn): WsFrame {
  return typeof frame !== 'string' && frame[0] === 'close' && isSendable(frame[1])
    ? ['close', frame[1], '']
    : 'close'
}
