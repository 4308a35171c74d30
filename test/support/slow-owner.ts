// An owner on another node, which receives nothing before its keeper is told to have it do so.

import type * as gun from '@holster/gun'
import { createProcess, type Pid, type Process } from '@holster/process'

export type Order = { readonly type: 'look' | 'drain' }

export type News =
  | { readonly type: 'owner'; readonly pid: Pid<gun.GunMessage> }
  | { readonly type: 'looked'; readonly waiting: number; readonly memory: number }
  | { readonly type: 'drained'; readonly bytes: number }

/** Makes an owner, says how much waits there each time that it is told to look, and takes all frames once it is told to drain. */
export async function keeper(self: Process<Order>, boss: Pid<News>): Promise<void> {
  // A process that waits for anything would have its connection read on, so this one does nothing.
  const owner = createProcess<gun.GunMessage>()
  boss.send({ type: 'owner', pid: owner })
  while ((await self.receive([{ type: 'look' }, { type: 'drain' }])).type === 'look') {
    const { heapUsed, external } = process.memoryUsage()
    boss.send({ type: 'looked', waiting: owner.messageQueueLength, memory: heapUsed + external })
  }
  let bytes = 0
  for (;;) {
    const { frame } = await owner.receive([{ type: 'gun_ws' }])
    if (typeof frame === 'string' || frame[0] !== 'binary') break
    bytes += frame[1].length
  }
  boss.send({ type: 'drained', bytes })
}
