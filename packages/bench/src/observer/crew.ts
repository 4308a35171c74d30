/** The processes of the benchmark: a program for each way, and a viewer for the one that is looked at. */

import { fileURLToPath } from 'node:url'
import type { Cost } from '../cost.ts'
import { Worker } from '../crew.ts'
import type { RunningClient } from '../rounds.ts'
import type { Urls } from '../websocket/contract.ts'
import type { Begun, Job, Way } from './contract.ts'

const pathOf = (file: string) => fileURLToPath(new URL(file, import.meta.url))

/** Starts a program, and whoever looks at it. */
export function startProgram(way: Way, { plain }: Urls): RunningClient<Job> {
  const worker = Worker.onNode(pathOf('worker.js'), way, plain)
  const viewer = begin(worker, way)
  return {
    async run(job) {
      await viewer
      return worker.ask<Cost>(job)
    },
    async [Symbol.dispose]() {
      worker[Symbol.dispose]()
      ;(await viewer)?.[Symbol.dispose]()
    },
  }
}

async function begin(worker: Worker, way: Way): Promise<Worker | undefined> {
  const { url, connection, owner } = await worker.read<Begun>()
  if (way !== 'looked at' || url === null) return undefined
  const viewer = Worker.fresh(pathOf('viewer.js'), url, connection, owner)
  await viewer.read()
  return viewer
}
