/** The processes of the benchmark: one for each client. The servers are those of the other benchmarks. */

import { fileURLToPath } from 'node:url'
import type { Cost } from '../cost.ts'
import { Worker } from '../crew.ts'
import type { RunningClient } from '../rounds.ts'
import type { Job, Version } from './contract.ts'

const pathOf = (file: string) => fileURLToPath(new URL(file, import.meta.url))

export const CLIENTS = ['holster-pool', 'holster', 'undici-pool'] as const
export type ClientName = (typeof CLIENTS)[number]

export function startClient(name: ClientName, origin: string, version: Version): RunningClient<Job> {
  const worker = Worker.onNode(pathOf('worker.js'), `${name}-client`, origin, version)
  return { run: job => worker.ask<Cost>(job), [Symbol.dispose]: () => worker[Symbol.dispose]() }
}
