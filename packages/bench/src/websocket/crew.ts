/** The processes of the benchmark: one server, and one for each client. */

import { fileURLToPath } from 'node:url'
import type { Cost } from '../cost.ts'
import { Worker } from '../crew.ts'
import type { RunningClient } from '../rounds.ts'
import type { Job, Urls } from './contract.ts'
import type { PatternJob } from './pattern-worker.ts'

const pathOf = (file: string) => fileURLToPath(new URL(file, import.meta.url))

/** The server, and where it listens. */
export async function startServer(bun: string): Promise<{ readonly urls: Urls } & Disposable> {
  const worker = Worker.onBun(bun, pathOf('server.js'))
  const urls = await worker.read<Urls>()
  return { urls, [Symbol.dispose]: () => worker[Symbol.dispose]() }
}

export const CLIENTS = ['holster', 'ws', 'undici', 'bun'] as const
export type ClientName = (typeof CLIENTS)[number]

const FILES: Record<ClientName, string> = {
  holster: 'holster-client',
  ws: 'ws-client',
  undici: 'standard-client',
  bun: 'standard-client',
}

export function startClient(name: ClientName, bun: string, urls: Urls): RunningClient<Job> {
  const args = [pathOf('worker.js'), FILES[name], JSON.stringify(urls)]
  const worker = name === 'bun' ? Worker.onBun(bun, ...args) : Worker.onNode(...args)
  return { run: job => worker.ask<Cost>(job), [Symbol.dispose]: () => worker[Symbol.dispose]() }
}

/** Starts a process of Holster's that receives with patterns of either kind. */
export function startPatterns({ plain }: Urls): RunningClient<PatternJob> {
  const worker = Worker.onNode(pathOf('pattern-worker.js'), `${plain}/flood`)
  return { run: job => worker.ask<Cost>(job), [Symbol.dispose]: () => worker[Symbol.dispose]() }
}
