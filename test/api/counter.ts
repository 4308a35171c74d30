/** A process that the examples of nodes run in a thread: its region is shown beside those of the tests. */

// #region node/spawnAt, node/spawnLinkAt, node/spawnAny, node/moduleAt
// counter.ts, which is loaded on the other node
import { type Call, type Process, reply } from '@holster/process'

export async function counter(self: Process<Call<'next', number>>, start: number) {
  for (let n = start; ; n++) {
    const { from } = await self.receive([{ type: 'call', request: 'next' }])
    reply(from, n)
  }
}
// #endregion
