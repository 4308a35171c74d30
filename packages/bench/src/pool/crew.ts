/** The processes of the benchmark: one for each client. The servers are those of the other benchmarks. */

import { fileURLToPath } from 'node:url'
import type { Cost } from '../cost.ts'
import { Worker } from '../crew.ts'
import type { RunningClient } from '../rounds.ts'
import type { Job, Version } from './contract.ts'

const pathOf = (file: string) => fileURLToPath(new URL(file, import.meta.url))

export const CLIENTS = ['holster-pool', 'holster', 'undici-pool'] as const
export type ClientName = (typeof CLIENTS)[number]

/**
 * Whether a client does a job. A bare connection of Holster's has one caller over HTTP/1.1, as the requests of several would be
 * pipelined. undici speaks HTTP/2 over TLS.
 */
export function canDo(name: ClientName, { callers }: Job, version: Version): boolean {
  if (version === 'http2') return name !== 'undici-pool'
  return name !== 'holster' || callers <= 8
}

export function startClient(name: ClientName, origin: string, version: Version): RunningClient<Job> {
  const worker = Worker.onNode(pathOf('worker.ts'), `${name}-client`, origin, version)
  return { run: job => worker.ask<Cost>(job), [Symbol.dispose]: () => worker[Symbol.dispose]() }
}
