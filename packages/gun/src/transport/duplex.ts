/** A line as a Duplex of Node's, for what takes the place of a socket's user: TLS within a tunnel. */

import { Duplex } from 'node:stream'
import type { GunError } from '../errors.js'
import type { Line } from './line.js'
import { keep } from './reading.js'

/** With more bytes than this waiting to be sent, the writer waits. */
const MARK = 256 * 1024

type Done = (error?: Error | null) => void

/** Ends when the peer does, finishes when it is ended, and aborts the line when it is destroyed before both. */
export class LineDuplex extends Duplex {
  readonly #line: Line
  /** Called when nothing more comes, so that the reader need hold back nothing for the sake of flow. */
  onLift: (() => void) | undefined
  /** Lets the writer go on. */
  #written: Done | undefined
  /** Whether nobody reads for now. */
  #isPaused = false
  /** Whether the peer has sent its last byte. */
  #hasEnded = false
  /** Whether our last byte has left. */
  #hasFinished = false
  /** Why the line is gone. */
  #reason: GunError | undefined

  /** Becomes the line's user. */
  constructor(line: Line) {
    super()
    this.#line = line
    line.attach({
      handle: chunk => this.#handle(chunk),
      ended: reason => this.#end(reason),
      // The outlet drops what is written from now on.
      unwritable: () => this.#goOn(),
      beforeReading() {},
      lift: () => this.onLift?.(),
    })
    this.once('end', () => this.#settle())
  }

  /** Reads as any stream does; of a line that is gone the error comes behind the last of the peer's bytes. */
  override read(size?: number): ReturnType<Duplex['read']> {
    const bytes = super.read(size)
    this.#settle()
    return bytes
  }

  override _read(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#line.resume()
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: Done): void {
    const { outlet } = this.#line
    outlet.write(bytes)
    if (outlet.buffered <= MARK) return done()
    this.#written = done
    outlet.onSent = () => {
      if (outlet.buffered <= MARK) this.#goOn()
    }
  }

  override _final(done: Done): void {
    this.#written = done
    this.#line.finishWriting(() => {
      this.#hasFinished = true
      this.#goOn()
    })
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#written = undefined
    this.#line.outlet.onSent = undefined
    if (error === null && this.#hasFinished) this.#line.finish()
    else this.#line.abort()
    done(error)
  }

  #handle(chunk: Buffer): void {
    if (this.push(keep(chunk))) return
    this.#isPaused = true
    this.#line.pause()
  }

  #end(reason: GunError | undefined): void {
    if (reason === undefined) {
      this.#hasEnded = true
      this.push(null)
      return
    }
    this.#reason ??= reason
    this.onLift?.()
    this.#settle()
  }

  /** Tells why the line is gone, once all that had come before is read, unless both sides had ended by then. */
  #settle(): void {
    if (this.#reason === undefined) return
    const isRead = this.#hasEnded ? this.readableEnded : this.readableLength === 0
    const isWhole = this.#hasEnded && this.#hasFinished
    if (isRead && !isWhole) this.destroy(this.#reason)
  }

  #goOn(): void {
    const written = this.#written
    this.#written = undefined
    this.#line.outlet.onSent = undefined
    written?.()
  }
}
