// The nodes of a test: this program, and threads of it that do what the test says.

import assert from 'node:assert/strict'
import * as gun from '@holster/gun'
import { type NodeChange, spawnAt, startNode, stopNode, type Workers, workers } from '@holster/node'
import { call, createProcess, type Pid, type Process } from '@holster/process'
import type { Place } from '@holster/testing'
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

/** The node on which `away` opens connections. */
export const THERE = 'main.1'

/** A connection of another node, with an owner of this one, which is closed at once when it is disposed of. */
export interface Away extends AsyncDisposable {
  readonly connPid: gun.ConnPid
  readonly owner: Process<gun.GunMessage>
}

/** Opens a connection on the first thread, and waits until it is up. */
export async function away({ host, port }: Pick<Place, 'host' | 'port'>, opts: gun.Opts = {}): Promise<Away> {
  const owner = createProcess<gun.GunMessage>()
  const connPid = await gun.openAt(THERE, host, port, { owner, ...opts })
  assert.match(connPid.id, /@main\.1>$/)
  await gun.awaitUp(connPid, PATIENCE)
  return {
    connPid,
    owner,
    async [Symbol.asyncDispose]() {
      const watcher = createProcess()
      watcher.monitor(connPid)
      gun.close(connPid)
      await watcher.receive([{ type: 'DOWN' }], PATIENCE)
      owner.exit()
    },
  }
}

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
