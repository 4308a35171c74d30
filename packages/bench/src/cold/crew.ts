/** The processes of the benchmark of cold clients: a fresh one for each sample. */

import { fileURLToPath } from 'node:url'
import { Worker } from '../crew.ts'
import type { Answer, ImportCost, ImportSize, Job } from './contract.ts'

const pathOf = (file: string) => fileURLToPath(new URL(file, import.meta.url))

const FILES = {
  webSocket: {
    holster: 'websocket/holster-client',
    ws: 'websocket/ws-client',
    undici: 'websocket/standard-client',
  },
  http: { holster: 'http/holster-client', undici: 'http/undici-client' },
  http2: { holster: 'http2/holster-client', node: 'http2/node-client' },
} as const

export type Wire = keyof typeof FILES

/** Has a client do a job in a process of its own. */
export async function runCold(
  wire: Wire,
  client: string,
  url: string,
  job: Job,
): Promise<{ readonly answer: Answer; readonly milliseconds: number }> {
  const file = (FILES[wire] as Record<string, string>)[client]
  if (file === undefined) throw new RangeError(`${client} is no client of ${wire}`)
  const start = performance.now()
  using worker = Worker.fresh(pathOf('worker.js'), file, url, JSON.stringify(job))
  const answer = await worker.read<Answer>()
  return { answer, milliseconds: performance.now() - start }
}

/** An empty program: the least that any client can take. */
export async function runNothing(): Promise<{ readonly cpu: number; readonly milliseconds: number }> {
  const start = performance.now()
  using worker = Worker.fresh(
    '--eval',
    'const { user, system } = process.cpuUsage(); console.log(user + system)',
  )
  const cpu = await worker.read<number>()
  return { cpu, milliseconds: performance.now() - start }
}

export async function importCost(specifiers: readonly string[]): Promise<ImportCost> {
  using worker = Worker.fresh(pathOf('import-worker.js'), ...specifiers)
  return await worker.read<ImportCost>()
}

export async function importSize(specifiers: readonly string[]): Promise<ImportSize> {
  using worker = Worker.fresh(pathOf('modules-worker.js'), ...specifiers)
  return await worker.read<ImportSize>()
}
