/** A process with a name that the examples of nodes run in a thread: its region is shown beside those of the tests. */

// #region node/named, node/whereis, node/registered, node/send, node/types/SendOptions
// archive.ts, which runs on the node main.1
import { type Call, type Process, register, reply } from '@holster/process'

export type Archive = { type: 'store'; bytes: ArrayBuffer } | Call<'size', number>

export async function archive(self: Process<Archive>) {
  register('archive', self)
  let size = 0
  for (;;) {
    const message = await self.receive([{ type: 'store' }, { type: 'call', request: 'size' }])
    if (message.type === 'store') size += message.bytes.byteLength
    else reply(message.from, size)
  }
}
// #endregion
