/**
 * Signals wait in the outbox until they go out, many in one packet. No more than the window is under way at a time: the other side says
 * what it has got, so that neither the carrier nor the inbox of a peer that is busy fills up.
 */

import { MORE } from './packet.js'

/** The most bytes of small signals in one packet. */
const FULL = 64 * 1024
/** So many bytes in the outbox are too many for what can be paused. */
const CONGESTED = 1024 * 1024

/** A signal that waits, with the buffers that are moved beside it. */
interface Waiting {
  readonly bytes: Uint8Array
  readonly moved: readonly ArrayBuffer[]
}

/** The session of an outbox. */
export interface OutboxHost {
  /** The most bytes that a packet may hold behind its header. */
  readonly most: number
  /** The most bytes that may be under way. */
  readonly window: number
  /** Sends a packet of so many bytes, which `parts` make up. */
  sendData(flags: number, parts: readonly Uint8Array[], length: number, moved: readonly ArrayBuffer[]): void
  /** The outbox is fuller than it should be, or no longer. */
  onCongested(isCongested: boolean): void
}

const NONE: readonly ArrayBuffer[] = []

/** The signals of one session that wait to be sent, and the count of bytes under way. */
export class Outbox {
  private readonly host: OutboxHost
  private waiting: Waiting[] = []
  /** How many of the waiting were sent. */
  private gone = 0
  /** How much of the first one was sent. */
  private begun = 0
  private bytes = 0
  /** The sizes of the packets under way, oldest first. */
  private sizes: number[] = []
  private arrived = 0
  private underWay = 0
  private isCongested = false
  private isDue = false

  constructor(host: OutboxHost) {
    this.host = host
  }

  /** Adds a signal. It goes out once the callbacks and promises that run now have run, or as soon as the window has room. */
  add(bytes: Uint8Array, moved: readonly ArrayBuffer[] = NONE): void {
    this.waiting.push({ bytes, moved })
    this.bytes += bytes.length
    if (this.bytes >= FULL) this.flush()
    else if (!this.isDue) {
      this.isDue = true
      process.nextTick(() => {
        this.isDue = false
        this.flush()
      })
    }
  }

  /** Takes note that the other side has got so many packets more. */
  received(packets: number): void {
    for (let left = packets; left > 0; left--) this.underWay -= this.sizes[this.arrived++] ?? 0
    if (this.arrived > 1024 && this.arrived * 2 > this.sizes.length) {
      this.sizes = this.sizes.slice(this.arrived)
      this.arrived = 0
    }
    this.flush()
  }

  /** How many packets are under way. */
  get packetsUnderWay(): number {
    return this.sizes.length - this.arrived
  }

  /** How many bytes are under way. */
  get bytesUnderWay(): number {
    return this.underWay
  }

  /** How many bytes of signals wait to be sent. */
  get bytesWaiting(): number {
    return this.bytes
  }

  /** Sends what the window has room for. */
  flush(): void {
    while (this.gone < this.waiting.length && this.underWay < this.host.window) this.sendOne()
    if (this.gone === this.waiting.length) {
      this.waiting = []
      this.gone = 0
    } else if (this.gone > 1024 && this.gone * 2 > this.waiting.length) {
      this.waiting = this.waiting.slice(this.gone)
      this.gone = 0
    }
    const isCongested = this.isCongested ? this.bytes > CONGESTED / 2 : this.bytes > CONGESTED
    if (isCongested === this.isCongested) return
    this.isCongested = isCongested
    this.host.onCongested(isCongested)
  }

  /** Drops everything. */
  clear(): void {
    this.waiting = []
    this.gone = 0
    this.bytes = 0
    if (!this.isCongested) return
    this.isCongested = false
    this.host.onCongested(false)
  }

  private sendOne(): void {
    const first = this.waiting[this.gone]
    if (first === undefined) return
    const rest = first.bytes.length - this.begun
    const { most } = this.host
    if (rest > most) {
      const part = first.bytes.subarray(this.begun, this.begun + most)
      this.begun += most
      return this.send(MORE, [part], most, NONE)
    }
    const parts = [first.bytes.subarray(this.begun)]
    let length = rest
    this.begun = 0
    this.gone++
    // Buffers are counted from the first of the packet, so that a signal with some goes alone.
    if (first.moved.length > 0) return this.send(0, parts, length, first.moved)
    const limit = Math.min(FULL, most)
    for (let next = this.waiting[this.gone]; next !== undefined; next = this.waiting[this.gone]) {
      if (length + next.bytes.length > limit || next.moved.length > 0) break
      parts.push(next.bytes)
      length += next.bytes.length
      this.gone++
    }
    this.send(0, parts, length, NONE)
  }

  private send(
    flags: number,
    parts: readonly Uint8Array[],
    length: number,
    moved: readonly ArrayBuffer[],
  ): void {
    const size = moved.reduce((sum, buffer) => sum + buffer.byteLength, length)
    this.bytes -= length
    this.underWay += size
    this.sizes.push(size)
    this.host.sendData(flags, parts, length, moved)
  }
}
