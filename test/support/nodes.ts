// The nodes of a test: this program, and threads of it that do what the test says.

import { type NodeChange, spawnAt, startNode, stopNode, type Workers, workers } from '@holster/node'
import { call, createProcess, type Pid } from '@holster/process'
import type * as agent from './agent.ts'
import { PATIENCE } from './client.ts'

type Jobs = typeof agent

/** A node that does jobs. */
export interface Remote {
  readonly name: string
  /** The process that does the jobs. */
  readonly pid: Pid<agent.Request>
  /** Does a job of `agent.ts` there, and resolves to what it gives. */
  run<Name extends keyof Jobs>(job: Name, ...args: unknown[]): Promise<Awaited<ReturnType<Jobs[Name]>>>
}

export interface Nodes extends AsyncDisposable {
  readonly remotes: readonly Remote[]
  readonly family: Workers
}

const place = new URL('./agent-thread.mjs', import.meta.url)

/** Gives the remote of a node that is up. */
export async function remoteOf(name: string): Promise<Remote> {
  const pid = (await spawnAt(name, place, 'serve')) as Pid<agent.Request>
  return {
    name,
    pid,
    async run(job, ...args) {
      const answer = await call(pid, { job, args }, 4 * PATIENCE)
      const { value, error } = answer as { value: never; error: unknown }
      if (error !== undefined) throw error
      return value
    },
  }
}

/** Makes this program the node `main`, and starts so many threads. */
export async function startNodes(count: number): Promise<Nodes> {
  await startNode({ name: 'main' })
  const family = await workers(count, { intensity: 10 })
  const remotes = await Promise.all(family.nodes.map(remoteOf))
  return {
    family,
    remotes,
    async [Symbol.asyncDispose]() {
      await family.stop()
      await stopNode()
    },
  }
}

/** Ends the thread of a node as a crash would, and gives the node that comes in its place. */
export async function crash({ name, run }: Remote): Promise<Remote> {
  const self = createProcess<NodeChange>()
  self.monitorNode(name)
  await run('crash').catch(() => {})
  await self.receive([{ type: 'nodedown' }], 4 * PATIENCE)
  await self.receive([{ type: 'nodeup' }], 4 * PATIENCE)
  self.exit()
  return remoteOf(name)
}
