/** What a protocol within a stream sees as its connection: what ends there ends the stream, and nothing else. */

import { constants, type Http2Stream as NodeStream } from 'node:http2'
import { type Mark, Source, type Valve } from '@holster/process/internal'
import { asKind, GunError, overflowError } from '../errors.js'
import type { ConnPid, StreamRef } from '../handles.js'
import type { GunMessage } from '../messages.js'
import { Deadline } from '../transport/deadline.js'
import { Outlet } from '../transport/outlet.js'
import type { Again, Host, Protocol } from './contract.js'

/** How long the last bytes may take to leave once nobody waits for the stream, in milliseconds. */
const LINGER = 1000

/**
 * In bytes: so much is handed on before the mailboxes are looked at again. All that Node has kept back comes at once when a
 * stream ends, and may be half as many messages.
 */
const PIECE = 16 * 1024

/** The peer has ended the stream, and nothing was wrong before. */
const BY_PEER: ReadonlySet<string> = new Set(['closed', 'stream_reset'])

/** Who has the stream. */
export interface StreamUser {
  /** Takes an upgrade for the next connection; `undefined` unless this one ends and another will follow. */
  readonly again: Again | undefined
  /** The protocol has ended by itself; its last message was posted. */
  onInnerOver(): void
}

export class StreamHost implements Host, Valve {
  readonly outlet: Outlet
  readonly #host: Host
  readonly #node: NodeStream
  readonly #ref: StreamRef
  readonly #user: StreamUser
  readonly #source = new Source(this)
  #protocol: Protocol | undefined
  /** A mailbox is over its mark. */
  #isPaused = false
  /** The protocol takes nothing for now. */
  #isStopped = false
  #isClosing = false
  /** The caller wants it to end, so there is nothing to come back to. */
  #isFinal = false
  #isOver = false
  /** The connection is cut; what has come is still being handed on. */
  #isCut = false
  /** The peer sends nothing more. */
  #hasEnded = false
  /** What has come and is not handed on yet, and what is told behind it. */
  #rest: Buffer | undefined
  #behind: (() => void) | undefined
  /** Nothing more is posted. */
  #isMute = false
  /** All that has come is handed on. */
  #hasCaughtUp = false
  #deadline: Deadline | undefined

  constructor(host: Host, node: NodeStream, ref: StreamRef, user: StreamUser) {
    this.#host = host
    this.#node = node
    this.#ref = ref
    this.#user = user
    this.outlet = new Outlet(node)
  }

  get protocol(): Protocol | undefined {
    return this.#protocol
  }

  // What the protocol is told.

  handle(chunk: Buffer): void {
    this.#rest = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk])
    this.#handOn()
  }

  /** The peer has ended the stream, or, with a reason, it broke. */
  ended(reason: GunError | undefined): void {
    this.#hasEnded = true
    this.#tellBehind(reason, protocol => (protocol.isDone ? this.lost('normal') : protocol.end(reason)))
  }

  /** The connection is cut: hands on what has come if the stream `isWhole`, and calls `onInnerOver` when that is done. */
  cut(reason: GunError, isWhole: boolean): void {
    this.#isCut = true
    if (!isWhole) this.#rest = undefined
    this.#tellBehind(reason, protocol => protocol.end(reason))
  }

  get isBusy(): boolean {
    return this.#isCut && !this.#hasCaughtUp && !this.#isOver
  }

  /** The whole connection is lost. Says whether the protocol was killed by that; it has told of it. */
  closed(reason: GunError | 'normal', again: Again | undefined): boolean {
    if (this.#isOver) return false
    this.#end()
    const killed = this.#protocol?.close(
      this.#protocol.isDone ? 'normal' : reason,
      this.#isFinal ? undefined : again,
    )
    return killed !== undefined && killed.length > 0
  }

  /** Begins an orderly end, and gives how long it may take. */
  shutdown(): number {
    this.#isClosing = true
    this.#regulate()
    return this.#protocol?.closing() ?? 0
  }

  /** The caller wants nothing more of it. */
  cancel(): void {
    if (this.#isOver) return
    this.#end()
    // What it would say goes to somebody who has said that he does not listen.
    this.#isMute = true
    this.#protocol?.close('normal')
  }

  /** Calls `run` when the last bytes have left, or have been given up. */
  whenLeft(run: () => void): void {
    if (this.#node.destroyed) return run()
    this.#node.once('close', () => this.#host.guard(run))
  }

  // What mailboxes ask for.

  pause(): void {
    this.#isPaused = true
    this.#regulate()
    if (!this.#isClosing) this.#protocol?.pause?.()
  }

  resume(): void {
    this.#isPaused = false
    this.#regulate()
    this.#protocol?.resume?.()
  }

  get whole(): ConnPid {
    return this.connPid
  }

  overflow(mark: Mark): void {
    const error = overflowError('stream_error', mark)
    this.guard(protocol => {
      if (protocol.overflow === undefined) this.lost(error)
      else protocol.overflow(error)
    })
  }

  carries(reference: object): boolean {
    return reference === this.#ref || reference === this.connPid
  }

  // What the protocol asks for.

  get connPid() {
    return this.#host.connPid
  }

  get authority() {
    return this.#host.authority
  }

  get events() {
    return this.#host.events
  }

  get scheme() {
    return this.#host.scheme
  }

  get goesOn() {
    return this.#host.goesOn
  }

  get cookies() {
    return this.#host.cookies
  }

  tellOwner(message: GunMessage): void {
    this.#host.tellOwner(message)
  }

  deliver(streamRef: StreamRef, message: GunMessage, bytes?: number): void {
    if (!this.#isMute) this.#host.deliver(streamRef, message, bytes, this.#source)
  }

  fail(streamRef: StreamRef, reason: GunError): void {
    if (!this.#isMute) this.#host.fail(streamRef, reason)
  }

  refuse(streamRef: StreamRef, reason: GunError): void {
    this.#host.refuse(streamRef, reason)
  }

  switchTo(protocol: Protocol): boolean {
    this.#protocol = protocol
    const { connPid, events } = this.#host
    if (events.wants('protocolChanged')) {
      events.tell('protocolChanged', { connPid, streamRef: this.#ref, protocol: protocol.name })
    }
    return !this.#isOver
  }

  stopReading(): void {
    this.#isStopped = true
    this.#regulate()
  }

  startReading(): void {
    if (!this.#isStopped) return
    this.#isStopped = false
    this.#regulate()
  }

  beforeReading(): void {
    this.#source.beforeReading()
  }

  guard(run: (protocol: Protocol) => void): void {
    const protocol = this.#protocol
    if (protocol === undefined || this.#isOver) return
    this.#host.guard(() => run(protocol))
  }

  lost(reason: GunError | 'normal'): void {
    if (this.#isOver) return
    if (this.#isCut) {
      this.#hasCaughtUp = true
      return this.#user.onInnerOver()
    }
    this.#end()
    const isDone = this.#protocol?.isDone || reason === 'normal'
    // What was wrong with it would not be told otherwise.
    const mayComeBack = !this.#isFinal && (isDone || BY_PEER.has(reason.code))
    const again = mayComeBack ? this.#user.again : undefined
    this.#protocol?.close(isDone ? 'normal' : asKind('stream_error', reason), again)
    this.#leave()
    this.#user.onInnerOver()
  }

  retire(): void {}

  askAgain(): boolean {
    return false
  }

  heard(): void {
    this.#host.heard()
  }

  closing(timeout: number, final: boolean): void {
    this.#isClosing = true
    this.#isFinal ||= final
    this.#regulate()
    this.#deadline?.clear()
    const text = 'the peer did not finish closing in time'
    const late = new GunError('closing_timeout', 'stream_error', text)
    this.#deadline = new Deadline(timeout, () => this.#host.guard(() => this.lost(late)))
  }

  #end(): void {
    this.#isOver = true
    this.#rest = undefined
    this.#behind = undefined
    this.#deadline?.clear()
    this.#source.close()
  }

  /** Lets the last bytes leave; a peer that does not take them is not waited for. */
  #leave(): void {
    const node = this.#node
    this.outlet.flush()
    if (node.destroyed) return
    node.resume()
    // Not at once: to reset it drops what Node has not sent yet. Where both sides have ended there is nothing to reset.
    if (!this.#hasEnded) node.once('finish', () => node.close(constants.NGHTTP2_NO_ERROR))
    node.end()
    if (node.destroyed) return
    const deadline = new Deadline(LINGER, () => node.destroy())
    node.once('close', () => deadline.clear())
  }

  /** A piece at a time, and none while a mailbox or the protocol does not want it. */
  #handOn(): void {
    while (this.#rest !== undefined) {
      this.#source.beforeReading()
      if (this.#isHeld) return
      const all = this.#rest
      const isLast = all.length <= PIECE
      const piece = isLast ? all : all.subarray(0, PIECE)
      this.#rest = isLast ? undefined : all.subarray(PIECE)
      this.guard(protocol => protocol.handle(piece))
    }
    const behind = this.#behind
    this.#behind = undefined
    behind?.()
  }

  /** Behind all that has come. From a stream that broke nothing more can come, so that no credit holds back the rest. */
  #tellBehind(reason: GunError | undefined, tell: (protocol: Protocol) => void): void {
    const run = () => this.guard(tell)
    if (this.#rest === undefined) return run()
    // What was to be told before says nothing new.
    this.#behind ??= run
    if (reason !== undefined) this.#protocol?.updateFlow?.(this.#ref, Number.POSITIVE_INFINITY)
  }

  /** In closing no mailbox holds up the peer's last words. */
  get #isHeld(): boolean {
    return this.#isStopped || (this.#isPaused && !this.#isClosing)
  }

  #regulate(): void {
    if (this.#isOver) return
    if (this.#isHeld) return void this.#node.pause()
    this.#node.resume()
    // Not within the receive that has made room.
    if (this.#rest !== undefined) process.nextTick(() => this.guard(() => this.#handOn()))
  }
}
