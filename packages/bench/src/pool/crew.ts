/** The processes of the benchmark: the server that all benchmarks of HTTP/1.1 share, and one for each client. */

import { fileURLToPath } from 'node:url'
import type { Cost } from '../cost.ts'
import { Worker } from '../crew.ts'
import type { RunningClient } from '../rounds.ts'
import type { Job } from './contract.ts'

const pathOf = (file: string) => fileURLToPath(new URL(file, import.meta.url))

export const CLIENTS = ['holster-pool', 'holster', 'undici-pool'] as const
export type ClientName = (typeof CLIENTS)[number]

/** A bare connection of Holster's is one caller's; with more callers its requests would be pipelined. */
export function canDo(name: ClientName, { callers }: Job): boolean {
  return name !== 'holster' || callers <= 8
}

export function startClient(name: ClientName, port: number): RunningClient<Job> {
  const worker = Worker.onNode(pathOf('worker.ts'), `${name}-client`, String(port))
  return { run: job => worker.ask<Cost>(job), [Symbol.dispose]: () => worker[Symbol.dispose]() }
}
