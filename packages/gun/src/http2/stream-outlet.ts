/** The outlet of a stream of HTTP/2: what is written is a frame of DATA at once, on the page of the connection, if it may leave. */

import type { Octets } from '../octets.js'
import type { Outlet } from '../transport/outlet.js'
import type { EngineStream } from './engine/stream.js'
import type { Http2Session } from './session.js'
import { Unsent } from './unsent.js'

/** In bytes. Larger data is handed over as it is, without a copy. */
const COPIED = 4 * 1024
const NO_PAGE = Buffer.alloc(0)

export class StreamOutlet<Stream> implements Outlet {
  page: Buffer = NO_PAGE
  written = 0
  isAborted = false
  readonly #session: Http2Session<Stream>
  readonly #connection: Outlet
  readonly #stream: EngineStream<Stream>
  /** Whether `page` is the connection's. */
  #isDirect = false
  #onSent: (() => void) | undefined
  /** Whether that is called once more of the connection's bytes have left. */
  #isAwaiting = false
  readonly #unsent: Unsent<Stream>

  /** `connection` is the outlet of the connection that the stream is on. */
  constructor(session: Http2Session<Stream>, connection: Outlet, stream: EngineStream<Stream>) {
    this.#session = session
    this.#connection = connection
    this.#stream = stream
    this.#unsent = new Unsent(connection, stream)
  }

  /** How many bytes wait for a window, for their turn, or in the connection's outlet. */
  get buffered(): number {
    return this.#unsent.size
  }

  get sent(): number {
    return this.written - this.buffered
  }

  get onSent(): (() => void) | undefined {
    return this.#onSent
  }

  set onSent(onSent) {
    this.#onSent = onSent
    // Bytes that wait on the stream alone are told of by `onWritten`, however soon the connection could send more.
    if (onSent !== undefined && (this.buffered === 0 || this.#unsent.leaving > 0)) this.#await()
  }

  /** Bytes that waited on the stream have been written. */
  onWritten(): void {
    this.#unsent.update(0)
    this.#onSent?.()
    this.#goOnAwaiting()
  }

  room(size: number): number {
    const at = this.#session.engine.reserve(this.#stream, size)
    this.#isDirect = at !== undefined
    this.page = at === undefined ? Buffer.allocUnsafe(size) : this.#connection.page
    return at ?? 0
  }

  commit(size: number): void {
    const { page } = this
    this.page = NO_PAGE
    if (this.#isDirect) {
      this.written += size
      if (this.isAborted) return
      this.#session.engine.commit(this.#stream, size)
      this.#unsent.written(size)
      this.#goOnAwaiting()
    } else this.#send(page.subarray(0, size))
  }

  writeText(text: Octets): void {
    const size = text.length
    const at = this.room(size)
    this.page.write(text, at, 'latin1')
    this.commit(size)
  }

  write(bytes: Uint8Array): void {
    const size = bytes.length
    if (size === 0) return
    if (size > COPIED) return this.#send(bytes)
    const at = this.room(size)
    this.page.set(bytes, at)
    this.commit(size)
  }

  /** Has no effect: the connection's outlet has the bytes that may leave. */
  flush(): void {}

  abort(): void {
    this.isAborted = true
    this.#onSent = undefined
  }

  #send(bytes: Uint8Array): void {
    this.written += bytes.length
    if (this.isAborted) return
    this.#session.engine.send(this.#stream, bytes, false)
    this.#unsent.update(bytes.length)
    this.#session.watch()
    this.#goOnAwaiting()
  }

  #goOnAwaiting(): void {
    if (this.#onSent !== undefined && this.#unsent.leaving > 0) this.#await()
  }

  /** Has `onSent` called when more has left the connection's outlet; at once, but not within this call, if all has. */
  #await(): void {
    if (this.#isAwaiting) return
    this.#isAwaiting = true
    this.#session.whenSent(() => {
      this.#isAwaiting = false
      this.#onSent?.()
      this.#goOnAwaiting()
    })
  }
}
