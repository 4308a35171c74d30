/** Where the engine writes its frames. */

export interface Sink {
  /** The page to write in, at the position that `room` returns. */
  readonly page: Buffer
  /** How many bytes have been written and have not left yet. */
  readonly buffered: number
  /** Makes room for so many bytes in `page` and returns their position. */
  room(size: number): number
  /** Counts so many bytes as written at that position. */
  commit(size: number): void
  /** Writes bytes; large ones without a copy, so that they must not change until they have left. */
  write(bytes: Uint8Array): void
}
