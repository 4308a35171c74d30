/** The processes of the benchmark: one with the origins and the proxy, and one for each client. */

import { fileURLToPath } from 'node:url'
import type { Cost } from '../cost.ts'
import { Worker } from '../crew.ts'
import type { RunningClient } from '../rounds.ts'
import type { Job, Ports } from './contract.ts'

const pathOf = (file: string) => fileURLToPath(new URL(file, import.meta.url))

/** The origins and the proxy, and the ports that they listen on. */
export async function startServers(): Promise<Ports & Disposable> {
  const worker = Worker.onNode(pathOf('servers.js'))
  const ports = await worker.read<Ports>()
  return { ...ports, [Symbol.dispose]: () => worker[Symbol.dispose]() }
}

/** Each client through the proxy, and without. */
export const CLIENTS = ['holster', 'holster-direct', 'undici', 'undici-direct', 'ws', 'ws-direct'] as const
export type ClientName = (typeof CLIENTS)[number]

/** Whether the client does jobs of this type. */
export function canDo(name: ClientName, type: Job['type']): boolean {
  return !name.startsWith(type === 'get' ? 'ws' : 'undici')
}

export function startClient(name: ClientName, ports: Ports): RunningClient<Job> {
  const [client = name, way] = name.split('-')
  const { proxy, ...origins } = ports
  const given = way === 'direct' ? origins : { ...origins, proxy }
  const worker = Worker.onNode(pathOf('worker.js'), `${client}-client`, JSON.stringify(given))
  return { run: job => worker.ask<Cost>(job), [Symbol.dispose]: () => worker[Symbol.dispose]() }
}
