/** Holster's client: a process here, and one in another thread. */

import { Worker } from 'node:worker_threads'
import { spawnAt, startNode, workers } from '@holster/node'
import { nats } from '@holster/node/nats'
import { createProcess, type Pid } from '@holster/process'
import type { Order } from './bodies.ts'
import type { Client, Parcel } from './contract.ts'

type News = Parcel | { readonly type: 'arrived' } | { readonly type: 'nodeup' }

const bodies = new URL('bodies.js', import.meta.url)
const cookie = 'a cookie for benchmarks'

/** Starts the other thread as a node that is reached by NATS, and gives its name. */
async function startApart(servers: string): Promise<string> {
  const name = 'apart'
  new Worker(new URL('apart.js', import.meta.url), { workerData: { servers, name, cookie } })
  const self = createProcess<News>()
  self.monitorNode(name)
  await self.receive([{ type: 'nodeup' }])
  self.exit()
  return name
}

const holster: Client = {
  async connect(servers) {
    await startNode({
      name: 'main',
      cookie,
      ...(servers === undefined ? undefined : { carrier: nats({ servers }) }),
    })
    const [node = ''] = servers === undefined ? (await workers(1)).nodes : [await startApart(servers)]
    const self = createProcess<News>()
    const pid = (await spawnAt(node, bodies, 'other', self)) as Pid<Order>
    return {
      send: parcel => pid.send(parcel),
      receive: () => self.receive([{ type: 'parcel' }]),
      async arrived(count) {
        pid.send({ type: 'count', count })
        await self.receive([{ type: 'arrived' }])
      },
    }
  },
}

export default holster
