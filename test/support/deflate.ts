// permessage-deflate by hand (RFC 7692 section 7.2), in plain calls: what came before goes in as zlib's dictionary.

import zlib from 'node:zlib'

/** What every message ends with, and what is left out of its payload. */
const TAIL = Buffer.of(0x00, 0x00, 0xff, 0xff)
const LARGEST_WINDOW = 32_768
const finishFlush = zlib.constants.Z_SYNC_FLUSH

export interface DeflateOptions {
  /** zlib makes 9 of 8 when it deflates, and even then never looks back further than 250 bytes. */
  windowBits?: number
  /** Whether a message may refer to those before it. */
  takeover?: boolean
  /** 0: stored blocks only. */
  level?: number
}

/** One direction of one connection. */
export class Deflate {
  readonly #options: DeflateOptions
  #history = Buffer.alloc(0)

  constructor(options: DeflateOptions = {}) {
    this.#options = options
  }

  /** The payload of a compressed message. */
  deflate(message: string | Uint8Array): Buffer {
    return this.block(message).subarray(0, -TAIL.length)
  }

  /** A part of such a payload that others follow: whole DEFLATE blocks, the last of them empty. */
  block(message: string | Uint8Array): Buffer {
    const { windowBits = 15, level = 6 } = this.#options
    const bytes = Buffer.from(message)
    const block = zlib.deflateRawSync(bytes, { ...this.#dictionary, windowBits, level, finishFlush })
    this.#remember(bytes)
    return block
  }

  /** The message of such a payload. Throws where it refers to what lies further back than the window is wide. */
  inflate(payload: Uint8Array): Buffer {
    const { windowBits = 15 } = this.#options
    // zlib looks at distances only where they lead out of a chunk: the smaller those are, the less can slip through.
    const options = { ...this.#dictionary, windowBits, chunkSize: 64, finishFlush }
    const bytes = zlib.inflateRawSync(Buffer.concat([payload, TAIL]), options)
    this.#remember(bytes)
    return bytes
  }

  get #dictionary(): zlib.ZlibOptions {
    return this.#history.length === 0 ? {} : { dictionary: this.#history }
  }

  #remember(bytes: Buffer): void {
    if (this.#options.takeover === false) return
    this.#history = Buffer.concat([this.#history, bytes]).subarray(-LARGEST_WINDOW)
  }
}
