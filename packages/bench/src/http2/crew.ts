/** The processes of the benchmark: one server, and one for each client. */

import { fileURLToPath } from 'node:url'
import type { Cost } from '../cost.ts'
import { Worker } from '../crew.ts'
import type { RunningClient } from '../rounds.ts'
import type { Job } from './contract.ts'

const pathOf = (file: string) => fileURLToPath(new URL(file, import.meta.url))

export interface Origins {
  /** With prior knowledge. */
  readonly cleartext: string
  /** Agreed on by ALPN. */
  readonly tls: string
}

/** The server, and where it listens. */
export async function startServer(): Promise<Origins & Disposable> {
  const worker = Worker.onNode(pathOf('server.js'))
  const { cleartext, tls } = await worker.read<Origins>()
  return { cleartext, tls, [Symbol.dispose]: () => worker[Symbol.dispose]() }
}

export const CLIENTS = ['holster', 'holster-await', 'undici', 'node', 'bun'] as const
export type ClientName = (typeof CLIENTS)[number]

const FILES: Record<ClientName, string> = {
  holster: 'holster-client',
  'holster-await': 'holster-await-client',
  undici: 'undici-client',
  node: 'node-client',
  bun: 'bun-client',
}

const WITHOUT_WEBSOCKETS: readonly ClientName[] = ['holster-await', 'bun']

export function canDo(name: ClientName, job: Job): boolean {
  return job.type !== 'echo' || !WITHOUT_WEBSOCKETS.includes(name)
}

export function startClient(name: ClientName, bun: string, origin: string): RunningClient<Job> {
  const args = [pathOf('worker.js'), FILES[name], origin]
  const worker = name === 'bun' ? Worker.onBun(bun, ...args) : Worker.onNode(...args)
  return { run: job => worker.ask<Cost>(job), [Symbol.dispose]: () => worker[Symbol.dispose]() }
}
