/** The processes of the benchmark: one for each side. */

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Cost } from '../cost.ts'
import { Worker } from '../crew.ts'
import type { RunningClient } from '../rounds.ts'
import type { Job, JobName } from './contract.ts'

const pathOf = (file: string) => fileURLToPath(new URL(file, import.meta.url))

export const CLIENTS = ['holster', 'promises', 'nact', 'xstate', 'beam'] as const
export type ClientName = (typeof CLIENTS)[number]

/** Whether Erlang is installed here. */
export function hasBeam(): boolean {
  return spawnSync('escript', [], { stdio: 'ignore' }).error === undefined
}

export function startClient(name: ClientName): RunningClient<Job> {
  const worker =
    name === 'beam'
      ? Worker.onBeam(pathOf('../../src/process/beam.escript'))
      : Worker.onNode(pathOf('worker.js'), `${name}-client`)
  return {
    run: job => worker.ask<Cost>(job),
    [Symbol.dispose]: () => worker[Symbol.dispose](),
  }
}

/**
 * The jobs that each side has no way to do. With 100,000 actors nact does not come to an end: each actor that stops goes through
 * all others.
 */
const LACKS: Partial<Record<ClientName, readonly JobName[]>> = {
  promises: ['monitor', 'backlog', 'numbers', 'turns', 'call', 'server', 'restart', 'info'],
  nact: ['spawn', 'live', 'idle', 'monitor', 'backlog', 'numbers', 'server', 'restart', 'info'],
  xstate: ['monitor', 'backlog', 'numbers', 'call', 'server', 'restart', 'info'],
}

export function canDo(client: ClientName, [job]: Job): boolean {
  return LACKS[client]?.includes(job) !== true
}
