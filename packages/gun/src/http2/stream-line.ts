/** A stream of HTTP/2 as a line: bytes are kept while the line is paused, and count on the peer's window until they are handed on. */

import { nodesTick } from '@holster/process/internal'
import type { GunError } from '../errors.js'
import { Deadline } from '../transport/deadline.js'
import type { Line, LineUser } from '../transport/line.js'
import type { Outlet } from '../transport/outlet.js'
import { codes } from './engine/codes.js'
import type { EngineStream } from './engine/stream.js'
import { KeptBytes } from './kept-bytes.js'
import type { Http2Session } from './session.js'
import { StreamOutlet } from './stream-outlet.js'

/** How long the last bytes may take to leave once nobody waits for the stream, in milliseconds. */
const LINGER = 1000

/** In bytes. A piece of this size is handed on before the mailboxes are looked at again: it may be half as many messages. */
const PIECE = 16 * 1024

const EMPTY = Buffer.alloc(0)

export class StreamLine<Stream> implements Line {
  readonly outlet: StreamOutlet<Stream>
  readonly socket = undefined
  readonly #session: Http2Session<Stream>
  readonly #stream: EngineStream<Stream>
  #user: LineUser | undefined
  #isPaused = false
  /** The bytes that have come and are not handed on yet. */
  readonly #rest = new KeptBytes()
  /** Whether bytes are being handed on. */
  #isHandingOn = false
  /** The end, which is told behind those bytes. */
  #end: { readonly reason: GunError | undefined } | undefined
  /** The calls that are made once our end has left, or has been given up. */
  #whenLeft: (() => void)[] = []
  #deadline: Deadline | undefined

  /** `connection` is the outlet of the connection that the stream is on. */
  constructor(session: Http2Session<Stream>, connection: Outlet, stream: EngineStream<Stream>) {
    this.#session = session
    this.#stream = stream
    this.outlet = new StreamOutlet(session, connection, stream)
  }

  attach(user: LineUser): void {
    this.#user = user
  }

  // The stream tells:

  /** Bytes that waited have been sent. */
  onSent(): void {
    this.outlet.onWritten()
    if (this.#stream.hasFinished) this.#left()
  }

  /** Takes bytes of the peer, which are only valid during the call. */
  receive(chunk: Buffer): void {
    if (this.#rest.length === 0 && !this.#isHandingOn && chunk.length <= PIECE) {
      this.#user?.beforeReading()
      if (!this.#isPaused) return this.#pass(chunk)
    }
    this.#rest.add(chunk)
    this.#handOn()
  }

  /** The peer has ended the stream, or, with a reason, the stream broke or was cut off with its connection. */
  end(reason: GunError | undefined): void {
    if (this.#stream.isClosed) this.#left()
    if (this.#rest.length === 0) return void this.#user?.ended(reason)
    this.#end ??= { reason }
    if (reason !== undefined) this.#user?.lift()
  }

  /** Drops the bytes that have come and are not handed on yet. */
  drop(): void {
    this.#rest.drop()
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    // Not within the receive that has made room.
    if (this.#user !== undefined && this.#rest.length > 0) nodesTick(() => this.#handOn())
  }

  finishWriting(then: () => void): void {
    this.#whenLeft.push(then)
    this.#finish()
  }

  /** A peer that does not take the last bytes is not waited for long. */
  finish(): void {
    this.#dispose()
    if (this.#stream.isClosed) return
    // Not at once: a reset drops what was not sent yet. A stream that both sides have ended needs no reset.
    this.#whenLeft.push(() => this.#session.engine.reset(this.#stream, codes.NO_ERROR))
    this.#deadline = new Deadline(LINGER, () => this.#giveUp())
    this.#session.lingering.add(this)
    this.#finish()
  }

  /** Resets the stream. */
  abort(): void {
    this.#dispose()
    this.#giveUp()
  }

  /** Calls `run` when the last bytes have left, or have been given up. */
  whenLeft(run: () => void): void {
    if (this.#stream.hasFinished) run()
    else this.#whenLeft.push(run)
  }

  #finish(): void {
    this.#session.engine.send(this.#stream, EMPTY, true)
    this.#session.watch()
    if (this.#stream.hasFinished) this.#left()
  }

  #giveUp(): void {
    this.#session.engine.reset(this.#stream, codes.CANCEL)
    this.#left()
  }

  #left(): void {
    this.#deadline?.clear()
    this.#session.lingering.delete(this)
    for (const run of this.#whenLeft.splice(0)) run()
  }

  #dispose(): void {
    this.#user = undefined
    this.#rest.drop()
    this.#end = undefined
  }

  #handOn(): void {
    if (this.#isHandingOn) return
    this.#isHandingOn = true
    while (this.#rest.length > 0) {
      this.#user?.beforeReading()
      if (this.#isPaused || this.#rest.length === 0) break
      this.#pass(this.#rest.take(PIECE))
    }
    this.#isHandingOn = false
    if (this.#rest.length > 0) return
    const end = this.#end
    this.#end = undefined
    if (end !== undefined) this.#user?.ended(end.reason)
  }

  /** Hands bytes on; the peer may send as many again. */
  #pass(bytes: Buffer): void {
    this.#user?.handle(bytes)
    this.#session.engine.consume(this.#stream, bytes.length)
  }
}
