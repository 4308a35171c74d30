/** The other side of Holster's client: a process that counts what comes, or sends it back. */

import type { Pid, Process } from '@holster/process'
import type { Parcel } from './contract.ts'

export type Order = Parcel | { readonly type: 'count'; readonly count: number } | { readonly type: 'echo' }

/** Sends each parcel back, or counts so many and then says so, as it was told last. */
export async function other(self: Process<Order>, boss: Pid<unknown>): Promise<void> {
  let isEcho = true
  let left = 0
  for (;;) {
    const message = await self.receive([{ type: 'parcel' }, { type: 'count' }, { type: 'echo' }])
    if (message.type === 'count') {
      isEcho = false
      left = message.count
    } else if (message.type === 'echo') {
      isEcho = true
    } else if (isEcho) boss.send(message)
    else if (--left === 0) {
      isEcho = true
      boss.send({ type: 'arrived' })
    }
  }
}
