/** The processes of the benchmark: one server, and one for each client. */

import { fileURLToPath } from 'node:url'
import type { Cost } from '../cost.ts'
import { Worker } from '../crew.ts'
import type { RunningClient } from '../rounds.ts'
import type { Job } from './contract.ts'

const pathOf = (file: string) => fileURLToPath(new URL(file, import.meta.url))

export interface Ports {
  readonly plain: number
  readonly compressed: number
}

/** The server, and the ports that it listens on. */
export async function startServer(bun: string): Promise<Ports & Disposable> {
  const worker = Worker.onBun(bun, pathOf('server.ts'))
  const { plain, compressed } = await worker.read<Ports>()
  return { plain, compressed, [Symbol.dispose]: () => worker[Symbol.dispose]() }
}

export const CLIENTS = ['holster', 'ws', 'undici', 'bun'] as const
export type ClientName = (typeof CLIENTS)[number]

const FILES: Record<ClientName, string> = {
  holster: 'holster-client',
  ws: 'ws-client',
  undici: 'standard-client',
  bun: 'standard-client',
}

export function startClient(name: ClientName, bun: string, { plain, compressed }: Ports): RunningClient<Job> {
  const args = [pathOf('worker.ts'), FILES[name], String(plain), String(compressed)]
  const worker = name === 'bun' ? Worker.onBun(bun, ...args) : Worker.onNode(...args)
  return { run: job => worker.ask<Cost>(job), [Symbol.dispose]: () => worker[Symbol.dispose]() }
}
