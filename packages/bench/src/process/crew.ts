/** The processes of the benchmark: one for each side. */

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Cost } from '../cost.ts'
import { Worker } from '../crew.ts'
import type { RunningClient } from '../rounds.ts'
import type { Job } from './contract.ts'

const pathOf = (file: string) => fileURLToPath(new URL(file, import.meta.url))

export const CLIENTS = ['holster', 'promises', 'beam'] as const
export type ClientName = (typeof CLIENTS)[number]

/** Whether Erlang is installed here. */
export function hasBeam(): boolean {
  return spawnSync('escript', [], { stdio: 'ignore' }).error === undefined
}

export function startClient(name: ClientName): RunningClient<Job> {
  const worker =
    name === 'beam'
      ? Worker.onBeam(pathOf('beam.escript'))
      : Worker.onNode(pathOf('worker.ts'), `${name}-client`)
  return {
    run: job => worker.ask<Cost>(job),
    [Symbol.dispose]: () => worker[Symbol.dispose](),
  }
}

/** A bare queue knows neither monitors nor tags. */
export function canDo(client: ClientName, [job]: Job): boolean {
  return client !== 'promises' || !['monitor', 'backlog', 'numbers'].includes(job)
}
