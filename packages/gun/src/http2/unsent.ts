/** How many bytes of one stream wait to be sent: for a window, for their turn, or in the connection's outlet. */

import type { Outlet } from '../transport/outlet.js'
import type { EngineStream } from './engine/stream.js'

export class Unsent<Stream> {
  readonly #connection: Outlet
  readonly #stream: EngineStream<Stream>
  /** How many bytes waited on the stream when that was looked at last. */
  #queued = 0
  /** How many bytes the connection's outlet was given since all earlier ones had left it. */
  #given = 0
  /** The position of the last of these in all that was written to the connection's outlet. */
  #end = 0

  /** `connection` is the outlet of the connection that the stream is on. */
  constructor(connection: Outlet, stream: EngineStream<Stream>) {
    this.#connection = connection
    this.#stream = stream
  }

  get size(): number {
    return this.#stream.queued + this.leaving
  }

  /** How many bytes the connection's outlet has. */
  get leaving(): number {
    const { sent, buffered } = this.#connection
    return this.#end <= sent ? 0 : Math.min(this.#given, buffered)
  }

  /** Takes note of so many bytes given to be sent: the connection's outlet was given all that does not wait on the stream. */
  update(bytes: number): void {
    const { queued } = this.#stream
    this.written(this.#queued + bytes - queued)
    this.#queued = queued
  }

  /** Takes note of bytes that the connection's outlet was given. */
  written(bytes: number): void {
    if (this.#end <= this.#connection.sent) this.#given = 0
    this.#given += bytes
    this.#end = this.#connection.written
  }
}
