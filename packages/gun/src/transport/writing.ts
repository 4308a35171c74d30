/** Keeps a failed write from discarding data that had arrived before. */

import type { Socket } from 'node:net'

type Done = (error?: Error | null) => void

/**
 * Calls `failed` when a write of the socket fails, instead of letting the socket end at once. The peer may
 * have sent an answer before it went, such as 413 to an upload, and the system still holds it, so the socket
 * stays to be read. The socket takes no more writes. Returns how to stop that.
 */
export function onFailedWrite(socket: Socket, failed: (cause: Error) => void): () => void {
  const { _write: write, _writev: writev } = socket
  // A stream passes the same callback each time, so nothing has to be allocated for a write.
  let lastDone: Done | undefined
  let guarded: Done
  const guard = (done: Done): Done => {
    if (done === lastDone) return guarded
    lastDone = done
    guarded = error => (error ? failed(error) : done())
    return guarded
  }
  socket._write = (chunk, encoding, done) => write.call(socket, chunk, encoding, guard(done))
  if (writev) socket._writev = (chunks, done) => writev.call(socket, chunks, guard(done))
  return () => {
    socket._write = write
    if (writev) socket._writev = writev
  }
}
