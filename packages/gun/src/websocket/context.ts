/**
 * A context of zlib that works within the call: one of Node's streams, by the call that Node's own synchronous
 * functions make, since none of these keeps a context.
 */

import { createInflateRaw, type DeflateRaw, type InflateRaw } from 'node:zlib'

/** The parts of Node's zlib streams that its types leave out; they are the same from Node 20 to 26. */
interface Internals {
  readonly _handle: {
    writeSync(
      flush: number,
      input: Uint8Array,
      start: number,
      size: number,
      output: Uint8Array,
      at: number,
      room: number,
    ): void
  } | null
  /** After a call: the room left in the output, and the number of bytes left of the input. */
  readonly _writeState: { readonly 0: number; readonly 1: number }
}

type ZlibStream = DeflateRaw | InflateRaw

/** The buffer that each stream makes for its asynchronous use, as small as Node allows. */
export const UNUSED = { chunkSize: 64 } as const

export class Context {
  readonly #stream: ZlibStream & Internals
  /** How many bytes of the input the last run took. */
  taken = 0
  /** How many bytes of output the last run gave. */
  given = 0

  constructor(stream: ZlibStream) {
    this.#stream = stream as ZlibStream & Internals
    // `run` throws the same error.
    stream.on('error', () => {})
  }

  /** Feeds the input from `start` to `end`, and fills the output from `at`. Throws zlib's error, which closes the context. */
  run(flush: number, input: Uint8Array, start: number, end: number, output: Uint8Array, at: number): void {
    const { _handle, _writeState } = this.#stream
    if (_handle === null) throw new Error('the context was closed')
    const size = end - start
    const room = output.length - at
    _handle.writeSync(flush, input, start, size, output, at, room)
    if (this.#stream.errored !== null) throw this.#stream.errored
    this.given = room - _writeState[0]
    this.taken = size - _writeState[1]
  }

  /** Forgets all that came before. */
  reset(): void {
    this.#stream.reset()
  }

  /** Gives back the memory. */
  close(): void {
    this.#stream.close()
  }
}

let isKnown: boolean | undefined

/** Whether this version of Node can run contexts within the call. */
export function canRun(): boolean {
  if (isKnown === undefined) {
    const stream = createInflateRaw(UNUSED)
    const { _handle, _writeState } = stream as InflateRaw & Partial<Internals>
    isKnown = typeof _handle?.writeSync === 'function' && _writeState !== undefined
    stream.close()
  }
  return isKnown
}
