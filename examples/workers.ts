/**
 * All cores of the machine: each worker is a thread and a node, the load is spread over them, and a pid works wherever its process
 * lives.
 */

import { availableParallelism } from 'node:os'
import { moduleAt, nodes, spawnAny, startNode, stopNode, workers } from '@holster/node'
import { spawn } from '@holster/process'
import { startServer } from './local-server.ts'
import type { Echoed } from './workers-body.ts'

// Threads do not inherit what reads TypeScript; a program of compiled modules, or for Node 22.18 and newer, needs none of this.
const tsx = `import { register } from ${JSON.stringify(import.meta.resolve('tsx/esm/api'))}; register()`
const preload = [`data:text/javascript,${encodeURIComponent(tsx)}`]

await using server = await startServer()
await startNode({ name: 'main' })
const all = await workers(Math.min(4, availableParallelism()), { preload })
console.log('nodes:', nodes().join(', '))

const bodies = moduleAt<typeof import('./workers-body.ts')>(new URL('./workers-body.ts', import.meta.url))

await spawn<Echoed>(async self => {
  const clients = 20
  for (let i = 0; i < clients; i++) {
    const pid = await spawnAny(bodies, 'echoes', self, server.port, 100)
    self.monitor(pid)
  }
  const perNode = new Map<string, number>()
  for (let done = 0; done < clients; done++) {
    const { from, frames } = await self.receive([{ type: 'echoed' }], 60_000)
    perNode.set(from.node, (perNode.get(from.node) ?? 0) + frames)
  }
  const total = [...perNode.values()].reduce((sum, frames) => sum + frames, 0)
  console.log(`${total} frames echoed, over ${perNode.size} threads`)
}).exited

await all.stop()
await stopNode()
