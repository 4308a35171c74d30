/** Where the bytes of a line are written, on pages of its own, and how many of them have left. */

import type { Octets } from '../octets.js'

export interface Outlet {
  /** The page in which `room` lets the caller write. */
  readonly page: Buffer
  /** How many bytes wait to be sent. */
  readonly buffered: number
  /** How many bytes were ever written. */
  readonly written: number
  /** How many of the bytes written have left, as far as is known. */
  readonly sent: number
  /** Whether everything written is discarded. */
  readonly isAborted: boolean
  /** Called when data has left, so that less may wait to be sent. */
  onSent: (() => void) | undefined
  /**
   * Makes room for so many bytes in `page` and returns their position. Bytes written there count once
   * `commit` is called, before anything else is written.
   */
  room(size: number): number
  /** Counts so many bytes, at most those that there is room for, as written at the position that `room` returned. */
  commit(size: number): void
  /** Writes text; each character is one byte. */
  writeText(text: Octets): void
  /** Writes bytes; large ones without a copy, so that they must not change until they have left. */
  write(bytes: Uint8Array): void
  /** Lets what was written leave now, and not at the end of the tick. */
  flush(): void
  /** Discards everything written from now on. */
  abort(): void
}
