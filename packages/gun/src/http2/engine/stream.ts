/** One stream as the engine has it: its state, its windows, and the bytes that wait until they may be sent. */

import { ReceiveWindow, SendWindow, type WindowRule } from './flow.js'
import type { Headers } from './head.js'
import { NEXT, type StreamChange, type StreamState } from './state.js'

/** How many pieces that have left are kept at most, unless more than that wait. */
const MOST_SENT = 1024

/** How far the peer's message has come. */
export type Phase =
  /** The final response is still due; interim ones may come before it. */
  | 'head'
  | 'body'
  /** The peer has agreed to CONNECT: bytes alone follow, in both directions. */
  | 'tunnel'

/** A stream; `Owner` is whatever its user attaches to it. The user reads it and changes nothing but the owner. */
export class EngineStream<Owner> {
  readonly id: number
  readonly method: string
  owner: Owner | undefined
  state: StreamState
  phase: Phase = 'head'
  /** How many bytes of the body are still to come, where the head says so. */
  expected: number | undefined
  readonly sendWindow: SendWindow
  readonly receiveWindow: ReceiveWindow
  /** How many bytes wait to be sent. */
  queued = 0
  /** Whether the user has given the last byte. */
  isComplete = false
  /** Whether the user has reset the stream, so that nothing more is handed out of it. */
  isSilent = false
  /** Whether the stream waits for its turn to send. */
  isReady = false
  /** The fields that end the body in place of its last byte. */
  trailers: Headers | undefined
  /** The pieces that wait, the index of the first, and how many bytes of that one have left. */
  #pieces: Uint8Array[] = []
  #first = 0
  #offset = 0

  constructor(id: number, method: string, state: StreamState, sendWindow: number, rule: WindowRule) {
    this.id = id
    this.method = method
    this.state = state
    this.sendWindow = new SendWindow(sendWindow)
    this.receiveWindow = new ReceiveWindow(rule)
  }

  /** Whether the server has begun the stream. */
  get isPushed(): boolean {
    return this.id % 2 === 0
  }

  /** Whether the peer sends nothing more. */
  get hasEnded(): boolean {
    return this.state === 'half_closed_remote' || this.state === 'closed'
  }

  /** Whether we send nothing more. */
  get hasFinished(): boolean {
    return this.state === 'half_closed_local' || this.state === 'closed' || this.state === 'reserved'
  }

  get isClosed(): boolean {
    return this.state === 'closed'
  }

  change(how: StreamChange): void {
    this.state = NEXT[this.state][how] ?? this.state
  }

  /** Whether something is to be sent once the windows allow it; an empty end needs no window. */
  get isSending(): boolean {
    return this.queued > 0 || (this.isComplete && !this.hasFinished)
  }

  /** Adds bytes to those that wait. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#pieces.push(bytes)
    this.queued += bytes.length
  }

  /** Takes at most so many of the bytes that wait, and not more than the first piece has left. */
  take(most: number): Uint8Array {
    const first = this.#pieces[this.#first] as Uint8Array
    const size = Math.min(most, first.length - this.#offset)
    const isAll = size === first.length
    const bytes = isAll ? first : first.subarray(this.#offset, this.#offset + size)
    this.#offset += size
    this.queued -= size
    if (this.#offset === first.length) this.#shift()
    return bytes
  }

  /** Removes the first piece. To shift the array would move all others, which takes seconds for 100,000 of them. */
  #shift(): void {
    this.#offset = 0
    this.#first++
    if (this.#first === this.#pieces.length) {
      this.#pieces = []
      this.#first = 0
    } else if (this.#first >= MOST_SENT && this.#first * 2 > this.#pieces.length) {
      this.#pieces = this.#pieces.slice(this.#first)
      this.#first = 0
    }
  }

  /** Drops the bytes that wait. */
  drop(): void {
    this.#pieces = []
    this.#first = 0
    this.#offset = 0
    this.queued = 0
    this.isComplete = true
    this.trailers = undefined
  }
}
