// A module that registers a process before its thread is a node: the key may be taken elsewhere, and nobody can know.

import { registry } from '@holster/otp'
import { type Exit, type Pid, type Process, spawn } from '@holster/process'

const leaders = registry.start<string>({ keys: 'unique', name: 'leaders', nodes: 'all' })

const lost = new Promise<Exit>(resolve => {
  const pid = spawn<Exit>(async self => {
    self.trapExit = true
    resolve(await self.receive([{ type: 'EXIT' }]))
  })
  registry.register(leaders, 'leader', pid)
})

/** Tells why the process has lost its key, and who has it. */
export async function witness(_self: Process, boss: Pid<unknown>): Promise<void> {
  const { from, reason } = await lost
  boss.send({
    type: 'lost',
    isOfRegistry: from === (leaders as unknown),
    reason,
    found: registry.whereis(leaders, 'leader'),
  })
}
