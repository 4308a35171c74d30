/** A stream of HTTP/2 as a line, over Node's stream: bytes are kept while the line is paused, and handed on in pieces. */

import { constants, type Http2Stream as NodeStream } from 'node:http2'
import type { GunError } from '../errors.js'
import { Deadline } from './deadline.js'
import type { Line, LineUser } from './line.js'
import { Outlet } from './outlet.js'

/** How long the last bytes may take to leave once nobody waits for the stream, in milliseconds. */
const LINGER = 1000

/**
 * In bytes. A piece of this size is handed on before the mailboxes are looked at again: the data that Node has kept back comes
 * at once when a stream ends, and may be half as many messages.
 */
const PIECE = 16 * 1024

export class StreamLine implements Line {
  readonly outlet: Outlet
  readonly socket = undefined
  readonly #node: NodeStream
  #user: LineUser | undefined
  #isPaused = false
  #hasEnded = false
  /** The bytes that have come and are not handed on yet. */
  #rest: Buffer | undefined
  /** The end, which is told behind those bytes. */
  #end: { readonly reason: GunError | undefined } | undefined

  constructor(node: NodeStream) {
    this.#node = node
    this.outlet = new Outlet(node)
  }

  attach(user: LineUser): void {
    this.#user = user
  }

  /** Takes bytes of the peer. */
  receive(chunk: Buffer): void {
    this.#rest = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk])
    this.#handOn()
  }

  /** The peer has ended the stream, or, with a reason, the stream broke. */
  end(reason: GunError | undefined): void {
    this.#hasEnded = true
    this.endBehind(reason)
  }

  /** Does as `end`, for a stream that is cut off with its connection and has not ended itself. */
  endBehind(reason: GunError | undefined): void {
    if (this.#rest === undefined) return void this.#user?.ended(reason)
    this.#end ??= { reason }
    if (reason !== undefined) this.#user?.lift()
  }

  /** Drops the bytes that have come and are not handed on yet. */
  drop(): void {
    this.#rest = undefined
  }

  pause(): void {
    this.#isPaused = true
    this.#node.pause()
  }

  resume(): void {
    this.#isPaused = false
    if (this.#user === undefined) return
    this.#node.resume()
    // Not within the receive that has made room.
    if (this.#rest !== undefined) process.nextTick(() => this.#handOn())
  }

  finishWriting(then: () => void): void {
    this.outlet.flush()
    this.#node.once('finish', then)
    this.#node.end()
  }

  /** A peer that does not take the last bytes is not waited for long. */
  finish(): void {
    this.#dispose()
    const node = this.#node
    this.outlet.flush()
    if (node.destroyed) return
    node.resume()
    // Not at once: a reset drops what Node has not sent yet. A stream that both sides have ended needs no reset.
    if (!this.#hasEnded) whenFinished(node, () => node.close(constants.NGHTTP2_NO_ERROR))
    node.end()
    const deadline = new Deadline(LINGER, () => node.destroy())
    node.once('close', () => deadline.clear())
  }

  /** Resets the stream. */
  abort(): void {
    this.#dispose()
    resetStream(this.#node, constants.NGHTTP2_CANCEL, false)
  }

  /** Calls `run` when the last bytes have left, or have been given up. */
  whenLeft(run: () => void): void {
    if (this.#node.destroyed) run()
    else this.#node.once('close', run)
  }

  #dispose(): void {
    this.#user = undefined
    this.#rest = undefined
    this.#end = undefined
  }

  #handOn(): void {
    while (this.#rest !== undefined) {
      this.#user?.beforeReading()
      const all = this.#rest
      if (this.#isPaused || all === undefined) return
      const isLast = all.length <= PIECE
      this.#rest = isLast ? undefined : all.subarray(PIECE)
      this.#user?.handle(isLast ? all : all.subarray(0, PIECE))
    }
    const end = this.#end
    this.#end = undefined
    if (end !== undefined) this.#user?.ended(end.reason)
  }
}

/** Resets a stream at once. `isSent`: all that goes out on it was handed over, and its end. */
export function resetStream(node: NodeStream, code: number, isSent: boolean): void {
  if (node.destroyed) return
  node.resume()
  // Node would end a body that is under way before it resets the stream, and half of it would look like all.
  if (!isSent) node.end = () => node
  node.close(code)
}

function whenFinished(node: NodeStream, run: () => void): void {
  if (node.writableFinished) run()
  else node.once('finish', run)
}
