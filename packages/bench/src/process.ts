/** Processes against those of the BEAM, against the actors of nact and xstate, and against bare queues of promises. */

import type { Benchmark } from './benchmark.ts'
import { compare, comparison } from './comparison.ts'
import { measureMemory, memoryTable } from './memory.ts'
import type { Job } from './process/contract.ts'
import { CLIENTS, type ClientName, canDo, hasBeam, startClient } from './process/crew.ts'

const MANY = 100_000
const RESTARTS = 10_000

const tables = [
  comparison<ClientName, Job>({ unit: 'process', units: 'processes', digits: 2 }, CLIENTS, 'beam', [
    { name: '100,000 begin at once, and return', job: ['spawn', MANY], units: MANY },
    { name: '100,000 live, take a message, and return', job: ['live', MANY], units: MANY },
    { name: '100,000 are monitored, end, and give DOWN', job: ['monitor', MANY], units: MANY },
    { name: 'what each of 100,000 does', job: ['info', MANY], units: MANY },
  ]),
  comparison<ClientName, Job>({ unit: 'message', digits: 0 }, CLIENTS, 'beam', [
    { name: 'by tag, behind 100,000 others', job: ['backlog', 100], units: 100 },
    { name: 'by tag and number, behind 100,000 others', job: ['numbers', 100], units: 100 },
  ]),
  comparison<ClientName, Job>({ unit: 'answer', digits: 2 }, CLIENTS, 'beam', [
    { name: 'a message there, and one back', job: ['turns', MANY], units: MANY },
    { name: 'a call', job: ['call', MANY], units: MANY },
    { name: 'a call to a server', job: ['server', MANY], units: MANY },
  ]),
  comparison<ClientName, Job>({ unit: 'restart', digits: 2 }, CLIENTS, 'beam', [
    { name: 'a child crashes, and is started anew', job: ['restart', RESTARTS], units: RESTARTS },
  ]),
]

const memory = memoryTable<ClientName, Job>({ unit: 'process that waits', digits: 2 }, CLIENTS, 'beam', [
  { job: ['idle', MANY], units: MANY, heap: 'heap of 100,000 that wait' },
])

export const processes: Benchmark = {
  name: 'process',
  heading: 'Processes',
  about: [
    'Ratios are to Erlang on the BEAM with one scheduler. `promises` is an array and a promise that somebody waits for: the',
    'least that could be called a process. Cells are empty where a library has no way to do the job.',
  ],
  tables: [...tables, memory],
  async *measure(choice) {
    const isThere = hasBeam()
    const contest = {
      start: startClient,
      canDo: (name: ClientName, job: Job) => (name !== 'beam' || isThere) && canDo(name, job),
    }
    for (const table of tables) yield* compare(table, choice, contest)
    yield* measureMemory(memory, choice, contest)
  },
}
