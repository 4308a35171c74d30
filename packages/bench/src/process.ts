/**
 * Processes against those of the BEAM, where Erlang is installed, against the actors of nact and xstate, and against bare queues
 * of promises, in one run and alternating: CPU per process or message, and its ratio to the BEAM on one scheduler.
 * Run: npm run bench:process -- [part of a row's name…] [--rounds=9] [--clients=holster,beam]
 */

import { cpus } from 'node:os'
import { choice } from './choice.ts'
import { compare, type Row } from './comparison.ts'
import type { Cost } from './cost.ts'
import type { Job } from './process/contract.ts'
import { CLIENTS, type ClientName, canDo, hasBeam, startClient } from './process/crew.ts'
import { median } from './stats.ts'
import { Table } from './table.ts'

const MANY = 100_000

const processes: Row<Job>[] = [
  { name: '100,000 begin at once, and return', job: ['spawn', MANY], units: MANY, target: 5 },
  { name: '100,000 live, take a message, and return', job: ['live', MANY], units: MANY, target: 5 },
  { name: '100,000 are monitored, end, and give DOWN', job: ['monitor', MANY], units: MANY, target: 2 },
]

const messages: Row<Job>[] = [
  { name: 'by tag, behind 100,000 others', job: ['backlog', 100], units: 100, target: 2.5 },
  { name: 'by tag and number, behind 100,000 others', job: ['numbers', 100], units: 100, target: 2.5 },
]

const answers: Row<Job>[] = [
  { name: 'a message there, and one back', job: ['turns', MANY], units: MANY },
  { name: 'a call', job: ['call', MANY], units: MANY },
  { name: 'a call to a server', job: ['server', MANY], units: MANY, target: 1 },
]

const RESTARTS = 10_000
const restarts: Row<Job>[] = [
  { name: 'a child crashes, and is started anew', job: ['restart', RESTARTS], units: RESTARTS, target: 1 },
]

const infos: Row<Job>[] = [{ name: 'what each of 100,000 does', job: ['info', MANY], units: MANY }]

const IDLE: Job = ['idle', MANY]

const chosen = choice(CLIENTS.filter(name => name !== 'beam' || hasBeam()))
const table = new Table<ClientName>(chosen.names, 'beam')

/** In processes of their own, since memory that was used once stays. */
async function measureIdle(): Promise<void> {
  const { rounds, names, isWanted } = chosen
  if (!isWanted('idle')) return
  const heap = new Map<ClientName, number>()
  for (const name of names) {
    if (!canDo(name, IDLE)) continue
    const costs: Cost[] = []
    for (let round = 0; round < Math.min(rounds, 3); round++) {
      using client = startClient(name)
      costs.push(await client.run(IDLE))
    }
    heap.set(name, median(costs.map(cost => cost.heap)) / MANY / 1024)
  }
  table.print(`KB per process that waits, at ${MANY} processes`, 2, [{ name: 'idle', of: heap, target: 1 }])
}

console.log(`Node ${process.version}, ${process.arch}, ${cpus().length} × ${cpus()[0]?.model}`)
await compare('process', 2, processes, { choice: chosen, table, start: startClient, canDo })
await compare('message', 0, messages, { choice: chosen, table, start: startClient, canDo })
await compare('answer', 2, answers, { choice: chosen, table, start: startClient, canDo })
await compare('restart', 2, restarts, { choice: chosen, table, start: startClient, canDo })
await compare('process', 2, infos, { choice: chosen, table, start: startClient, canDo })
await measureIdle()
