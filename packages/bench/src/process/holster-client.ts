/** Holster's processes. */

import { createProcess, type Process, spawn } from '@holster/process'
import { BACKLOG, type Client } from './contract.ts'

interface Stop {
  readonly type: 'stop'
}

interface Numbered {
  readonly type: 'noise' | 'wanted'
  readonly n: number
}

function spawnWaiting(units: number): Process<Stop>[] {
  return Array.from({ length: units }, () => spawn<Stop>(waiting))
}

async function waiting(self: Process<Stop>): Promise<void> {
  await self.receive([{ type: 'stop' }])
}

async function lastOf(processes: readonly Process<Stop>[]): Promise<void> {
  await processes.at(-1)?.exited
}

function behindNoise(): Process<Numbered> {
  const self = createProcess<Numbered>()
  for (let n = 0; n < BACKLOG; n++) self.send({ type: 'noise', n })
  return self
}

const client: Client = {
  jobs: {
    spawn: units => async () => {
      let last: Process | undefined
      for (let n = 0; n < units; n++) last = spawn(() => undefined)
      await last?.exited
    },
    live: units => async () => {
      const processes = spawnWaiting(units)
      await null
      for (const process of processes) process.send({ type: 'stop' })
      await lastOf(processes)
    },
    monitor: units => {
      const processes = spawnWaiting(units)
      return async () => {
        const self = createProcess()
        const refs = processes.map(process => self.monitor(process))
        for (const process of processes) process.send({ type: 'stop' })
        for (const ref of refs) await self.receive([{ type: 'DOWN', ref }])
        self.exit()
      }
    },
    backlog: units => {
      const self = behindNoise()
      return async () => {
        for (let n = 0; n < units; n++) {
          self.send({ type: 'wanted', n })
          await self.receive([{ type: 'wanted' }])
        }
        self.exit()
      }
    },
    numbers: units => {
      const self = behindNoise()
      return async () => {
        for (let n = 0; n < units; n++) {
          self.send({ type: 'wanted', n })
          await self.receive([{ type: 'wanted', n }])
        }
        self.exit()
      }
    },
    idle: units => async () => {
      const processes = spawnWaiting(units)
      await null
      return processes
    },
  },
}

export default client
