/** The protocol raw: bytes both ways, as they are, until the peer has ended. */

import { GunError } from '../errors.js'
import { closedEarly, nothingToCancel, takesNoData } from '../exchange/errors.js'
import { type StreamRef, sendMarkOf, wasCancelled } from '../handles.js'
import {
  bytesOf,
  type CancelCommand,
  type DataCommand,
  type FlowCommand,
  type FramesCommand,
} from '../layer/commands.js'
import type { Foreseen, Host, Protocol } from '../layer/contract.js'
import type { StreamInfo } from '../layer/info.js'
import { replyToOf } from '../messages.js'
import type { RawOpts } from '../options/tunnel.js'
import type { Outlet } from '../transport/outlet.js'
import { keep } from '../transport/reading.js'
import type { IsFin } from '../words.js'

const EMPTY = Buffer.alloc(0)

/** The time in milliseconds that bytes of the caller may take to leave at the end. */
const CLOSING = 15_000

/** In bytes. A piece of this size is handed on before the mailboxes are looked at again. */
const PIECE = 64 * 1024

export class Raw implements Protocol {
  readonly name = 'raw'
  readonly stateName = 'connected_data_only'
  /** The stream that the bytes belong to; `undefined`: the whole connection speaks raw. */
  readonly streamRef: StreamRef | undefined
  readonly #host: Host
  readonly #outlet: Outlet
  readonly #sendMark: number
  /** How many messages are still wanted. */
  #credit: number
  #isPaused = false
  /** The bytes that have come and are not wanted yet. */
  #rest: Buffer[] = []
  /** The peer's end, which is told behind those bytes. */
  #end: { readonly reason: GunError | undefined } | undefined
  #isFull = false
  #isSilent = false
  /** Whether the peer's end was told. */
  #hasEnded = false
  /** Whether the caller has given the last bytes. */
  #hasFinished = false
  /** Whether the line is to be left once all that was given has left it. */
  #isFinishing = false

  constructor(host: Host, opts: RawOpts, streamRef: StreamRef | undefined) {
    this.#host = host
    this.#outlet = host.outlet
    this.streamRef = streamRef
    this.#credit = opts.flow ?? Number.POSITIVE_INFINITY
    const mark = streamRef === undefined ? undefined : sendMarkOf(streamRef)
    this.#sendMark = mark ?? opts.sendHighWaterMark ?? Number.POSITIVE_INFINITY
  }

  get streams(): readonly StreamRef[] {
    return this.streamRef === undefined ? [] : [this.streamRef]
  }

  /** Whether the peer has ended in order, which was told. */
  get isDone(): boolean {
    return this.#hasEnded
  }

  handle(chunk: Buffer): void {
    if (this.#rest.length > 0 || this.#isHeld) this.#rest.push(Buffer.from(chunk))
    else this.#post('nofin', keep(chunk))
    this.#regulate()
  }

  end(reason: GunError | undefined): void {
    this.#end ??= { reason }
    // Nothing more comes of a line that broke, so that no flow control need hold back the rest.
    if (reason !== undefined) this.lift()
    else this.#handOn()
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    this.#handOn()
  }

  lift(): void {
    this.#credit = Number.POSITIVE_INFINITY
    this.#handOn()
  }

  flow({ streamRef, increment }: FlowCommand): void {
    if (!this.#isMeant(streamRef)) return
    this.#credit += increment
    this.#handOn()
  }

  bare(command: DataCommand<undefined> | FlowCommand<undefined>): boolean {
    if (command.type === 'data') return this.data(command)
    this.flow(command)
    return true
  }

  data({ streamRef, isFin, data, isToldToWait }: DataCommand): boolean {
    if (!this.#isMeant(streamRef) || this.#hasFinished) {
      this.#refuse(streamRef, takesNoData())
      return false
    }
    this.#outlet.write(data)
    if (isFin === 'nofin') return this.#hasRoom(isToldToWait)
    this.#hasFinished = true
    this.#isFull = false
    this.#host.finishWriting()
    return true
  }

  foresee(command: DataCommand | FramesCommand, before: number): Foreseen | undefined {
    if (command.type === 'frames') return 'refused'
    if (!this.#isMeant(command.streamRef)) return undefined
    if (this.#hasFinished) return 'refused'
    return this.#outlet.buffered + before + bytesOf(command) <= this.#sendMark ? 'room' : 'full'
  }

  streamInfo(streamRef: StreamRef): StreamInfo | undefined {
    if (streamRef !== this.streamRef || this.#hasEnded) return undefined
    const { intermediaries } = this.#host.endpoint
    const state = this.#isSilent || this.#hasFinished ? 'stopping' : 'running'
    return { ref: streamRef, replyTo: replyToOf(streamRef), state, intermediaries }
  }

  /** Posts nothing more of the stream. */
  silence(streamRef: StreamRef): boolean {
    if (streamRef !== this.streamRef || this.#isSilent || this.#hasEnded) return false
    this.#isSilent = true
    return true
  }

  /** Gives the line up: nothing else can be told to a peer that speaks raw. */
  cancel({ streamRef, wasOpen }: CancelCommand): void {
    if (!wasOpen) return this.#host.refuse(streamRef, nothingToCancel())
    const { connPid, events } = this.#host
    const replyTo = replyToOf(streamRef)
    events.tell('cancel', { connPid, streamRef, replyTo, endpoint: 'local', reason: 'cancel' })
    this.#host.lost(new GunError('cancelled', 'connection_error', 'the stream was cancelled'))
  }

  /** Lets the bytes of the caller leave, though nobody waits for an answer. */
  finish(): number {
    if (this.#outlet.buffered === 0) return 0
    this.#isFinishing = true
    this.#watch()
    return CLOSING
  }

  abort(reason: GunError | 'normal'): readonly StreamRef[] {
    this.#outlet.onSent = undefined
    this.#rest = []
    const { streamRef } = this
    if (streamRef === undefined || this.#hasEnded || wasCancelled(streamRef)) return []
    this.#host.fail(streamRef, reason === 'normal' ? closedEarly() : reason)
    return [streamRef]
  }

  /** Whether a command is for the bytes: it names their stream, or, as in Gun behind an upgrade, the whole connection. */
  #isMeant(streamRef: StreamRef | undefined): boolean {
    return streamRef === undefined || streamRef === this.streamRef
  }

  get #isHeld(): boolean {
    return this.#isPaused || this.#credit <= 0
  }

  /** Hands on the bytes that have come, as far as they are wanted, and then the end. */
  #handOn(): void {
    while (this.#rest.length > 0 && !this.#isHeld) {
      this.#host.beforeReading()
      if (this.#isHeld) break
      const [first = EMPTY] = this.#rest
      const piece = first.subarray(0, PIECE)
      if (piece.length < first.length) this.#rest[0] = first.subarray(PIECE)
      else this.#rest.shift()
      this.#post('nofin', piece)
    }
    this.#regulate()
    if (this.#rest.length > 0 || this.#end === undefined || this.#hasEnded) return
    const { reason } = this.#end
    if (reason !== undefined) return this.#host.lost(reason)
    this.#post('fin', EMPTY)
    this.#hasEnded = true
    const timeout = this.finish()
    if (timeout === 0) this.#host.lost('normal')
    else this.#host.closing(timeout, false)
  }

  #regulate(): void {
    if (this.#isHeld || this.#rest.length > 0) this.#host.stopReading()
    else this.#host.startReading()
  }

  #post(isFin: IsFin, data: Buffer): void {
    this.#credit--
    const { connPid } = this.#host
    const { streamRef } = this
    if (this.#isSilent) return
    this.#host.heard()
    if (streamRef === undefined) {
      this.#host.tellOwner({ type: 'gun_data', connPid, isFin, data }, data.length)
    } else this.#host.deliver(streamRef, { type: 'gun_data', connPid, streamRef, isFin, data }, data.length)
    this.#host.settle()
  }

  /** Whether the caller may go on; `isLate`: the caller was told before to wait. */
  #hasRoom(isLate: boolean | undefined): boolean {
    if (isLate === undefined || (!isLate && this.#outlet.buffered <= this.#sendMark)) return true
    this.#isFull = true
    this.#watch()
    return false
  }

  #watch(): void {
    this.#outlet.onSent ??= () => this.#host.guard(() => this.#onSent())
  }

  #onSent(): void {
    const data = this.#outlet.buffered
    if (this.#isFinishing && data === 0) return this.#host.lost('normal')
    if (!this.#isFull || data > this.#sendMark / 2) return
    this.#isFull = false
    if (!this.#isFinishing) this.#outlet.onSent = undefined
    const { connPid } = this.#host
    const { streamRef } = this
    const drain = { type: 'gun_notify', connPid, event: 'drain', data } as const
    if (streamRef === undefined) this.#host.tellOwner(drain)
    else this.#host.deliver(streamRef, { ...drain, streamRef })
  }

  #refuse(streamRef: StreamRef | undefined, reason: GunError): void {
    const { connPid } = this.#host
    if (streamRef === undefined) this.#host.tellOwner({ type: 'gun_error', connPid, reason })
    else this.#host.refuse(streamRef, reason)
  }
}
