/** A write that fails does not take along what has arrived before. */

import type { Socket } from 'node:net'

type Done = (error?: Error | null) => void

/**
 * Tells `failed` of a write of the socket's that fails, in place of the socket, which would end at once. The peer may have sent
 * an answer before it went, such as 413 to an upload, and the system still has it: so the socket stays to be read. It takes
 * no more writes.
 */
export function onFailedWrite(socket: Socket, failed: (cause: Error) => void): void {
  const { _write: write, _writev: writev } = socket
  // A stream gives the same function each time, so that nothing has to be made for a write.
  let given: Done | undefined
  let guarded: Done
  const guard = (done: Done): Done => {
    if (done === given) return guarded
    given = done
    guarded = error => (error ? failed(error) : done())
    return guarded
  }
  socket._write = (chunk, encoding, done) => write.call(socket, chunk, encoding, guard(done))
  if (writev) socket._writev = (chunks, done) => writev.call(socket, chunks, guard(done))
}
