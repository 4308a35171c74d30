/** A client in a process of its own, with as many worker threads as it is told, or none: takes jobs, one a line. */

import { moduleAt, spawnAt, startNode, workers } from '@holster/node'
import { createProcess, type Pid, spawn } from '@holster/process'
import { answerJobs, costOf } from '../cost.ts'
import { type CrowdNews, type CrowdOrder, crowd } from './crowd-body.ts'

/** A piece of work: how often each WebSocket echoes. */
export interface CrowdJob {
  readonly times: number
}

const [, , threads = '0', url = '', connections = '0'] = process.argv
const self = createProcess<CrowdNews>()
const parts = await start(Number(threads), Number(connections))
for (let ready = 0; ready < parts.length; ready++) await self.receive([{ type: 'ready' }])

async function start(count: number, sockets: number): Promise<Pid<CrowdOrder>[]> {
  if (count === 0) return [spawn(own => crowd(own as never, self, url, sockets)) as Pid<CrowdOrder>]
  const code = moduleAt<typeof import('./crowd-body.ts')>(new URL('crowd-body.js', import.meta.url))
  await startNode({ name: 'main' })
  const { nodes } = await workers(count)
  return Promise.all(nodes.map(node => spawnAt(node, code, 'crowd', self, url, sockets / count)))
}

await answerJobs<CrowdJob>(({ times }) =>
  costOf(async () => {
    for (const part of parts) part.send({ type: 'echo', times })
    for (let done = 0; done < parts.length; done++) await self.receive([{ type: 'done' }])
  }),
)
