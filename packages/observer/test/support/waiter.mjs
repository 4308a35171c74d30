// Bodies that run on other nodes; plain JavaScript, as threads of Node 20 do not read TypeScript.

import { spawn } from '@holster/process'

/** Waits, with its name and label, and tells who has spawned it. */
export async function waiter(self, name, parent) {
  self.label = `${name} waits`
  parent.send({ type: 'waits', pid: self })
  for (;;) {
    const message = await self.receive([{ type: 'go' }, { type: 'many' }])
    if (message.type === 'many')
      for (let i = 0; i < message.count; i++) spawn(each => each.receive([{ type: 'never' }]))
  }
}
