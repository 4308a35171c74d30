/** The processes of the benchmark: one server, and one for each client. */

import { fileURLToPath } from 'node:url'
import type { Cost } from '../cost.ts'
import { Worker } from '../crew.ts'
import type { RunningClient } from '../rounds.ts'
import type { Job } from './contract.ts'

const pathOf = (file: string) => fileURLToPath(new URL(file, import.meta.url))

/** The server, and the port that it listens on. */
export async function startServer(): Promise<{ readonly port: number } & Disposable> {
  const worker = Worker.onNode(pathOf('server.js'))
  const port = await worker.read<number>()
  return { port, [Symbol.dispose]: () => worker[Symbol.dispose]() }
}

export const CLIENTS = ['holster', 'holster-await', 'undici', 'undici-request', 'node', 'bun'] as const
export type ClientName = (typeof CLIENTS)[number]

const FILES: Record<ClientName, string> = {
  holster: 'holster-client',
  'holster-await': 'holster-await-client',
  undici: 'undici-client',
  'undici-request': 'undici-request-client',
  node: 'node-client',
  bun: 'bun-client',
}

const WITHOUT_PIPELINING: readonly ClientName[] = ['node', 'bun']

export function canDo(name: ClientName, job: Job): boolean {
  return job.type !== 'get' || job.inFlight === 1 || !WITHOUT_PIPELINING.includes(name)
}

export function startClient(name: ClientName, bun: string, port: number): RunningClient<Job> {
  const args = [pathOf('worker.js'), FILES[name], String(port)]
  const worker = name === 'bun' ? Worker.onBun(bun, ...args) : Worker.onNode(...args)
  return { run: job => worker.ask<Cost>(job), [Symbol.dispose]: () => worker[Symbol.dispose]() }
}
