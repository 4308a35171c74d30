/** Holster's processes. */

import { genServer, supervisor } from '@holster/otp'
import {
  type Call,
  createProcess,
  type Pid,
  type Process,
  processInfo,
  reply,
  setExitHook,
  spawn,
} from '@holster/process'
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

interface Ask {
  readonly type: 'ask'
  readonly to: Pid<Answer>
}

interface Answer {
  readonly type: 'answer'
}

async function answering(self: Process<Ask>): Promise<void> {
  for (;;) (await self.receive([{ type: 'ask' }])).to.send({ type: 'answer' })
}

async function serving(self: Process<Call<'get', number>>): Promise<void> {
  for (;;) reply((await self.receive([{ type: 'call' }])).from, 1)
}

const server = genServer.define({
  init: () => ['ok', 1],
  handleCall: { get: (_request, _from, state) => ['reply', state, state] },
})

/** Runs a child that tells the waiting process of its start, and crashes when it is told to. */
async function crashing(self: Process<Stop>, told: Pid<Started>): Promise<void> {
  told.send({ type: 'started', pid: self })
  await self.receive([{ type: 'stop' }])
  self.exit('crash')
}

interface Started {
  readonly type: 'started'
  readonly pid: Process<Stop>
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
    turns: units => {
      const other = spawn(answering)
      const self = createProcess<Answer>()
      return async () => {
        for (let n = 0; n < units; n++) {
          other.send({ type: 'ask', to: self })
          await self.receive([{ type: 'answer' }])
        }
        other.exit()
        self.exit()
      }
    },
    call: units => {
      const server = spawn(serving)
      const self = createProcess()
      return async () => {
        for (let n = 0; n < units; n++) await self.call(server, 'get')
        server.exit()
        self.exit()
      }
    },
    server: units => {
      const self = createProcess()
      const started = genServer.start(server)
      return async () => {
        const pid = await started
        for (let n = 0; n < units; n++) await self.call(pid, { type: 'get' })
        pid.exit()
        self.exit()
      }
    },
    restart: units => {
      const self = createProcess<Started>()
      const start = (parent: Process<never>) => parent.spawnLink<Stop>(child => crashing(child, self))
      const started = supervisor.start({
        intensity: Number.POSITIVE_INFINITY,
        children: [{ id: 'child', start }],
      })
      return async () => {
        // Erlang logs nothing of an exit without an error in the code either.
        const hook = setExitHook(() => undefined)
        const tree = await started
        for (let n = 0; n < units; n++) (await self.receive([{ type: 'started' }])).pid.send({ type: 'stop' })
        await self.receive([{ type: 'started' }])
        await supervisor.stop(tree)
        setExitHook(hook)
        self.exit()
      }
    },
    info: units => {
      const processes = spawnWaiting(units)
      return async () => {
        let waiting = 0
        for (const process of processes) if (processInfo(process).status === 'waiting') waiting++
        if (waiting !== units) throw new Error(`${waiting} of ${units} wait`)
        for (const process of processes) process.send({ type: 'stop' })
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
