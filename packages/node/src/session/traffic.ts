/** The traffic of a session is counted by packets, however many signals each of them holds. */

/** How many data packets have gone each way, and how many bytes they had. */
export class Traffic {
  sent = 0
  received = 0
  bytesSent = 0
  bytesReceived = 0

  /** Counts a packet that was sent. */
  addSent(bytes: number): void {
    this.sent++
    this.bytesSent += bytes
  }

  /** Counts a packet that was received. */
  addReceived(bytes: number): void {
    this.received++
    this.bytesReceived += bytes
  }
}

/** Gives the size of a packet of `length` bytes with the buffers that are moved beside it. */
export function sizeOf(length: number, moved: readonly ArrayBuffer[]): number {
  return moved.length === 0 ? length : moved.reduce((sum, buffer) => sum + buffer.byteLength, length)
}
