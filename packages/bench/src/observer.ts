/** A program with an observer that nobody looks at, and one that somebody does, against one without. */

import type { Benchmark } from './benchmark.ts'
import { compare, comparison, type Row } from './comparison.ts'
import { findBun } from './crew.ts'
import { type Job, WAYS, type Way } from './observer/contract.ts'
import { startProgram } from './observer/crew.ts'
import { startServer } from './websocket/crew.ts'

const row = (name: string, job: Job): Row<Job> => ({ name, job, units: job.count })

const looking = comparison<Way, Job>({ unit: 'message', digits: 2 }, WAYS, 'alone', [
  row('echo 32 B text, 1 in flight, looked at', { type: 'echo', inFlight: 1, count: 50_000 }),
  row('echo 32 B text, 256 in flight, looked at', { type: 'echo', inFlight: 256, count: 500_000 }),
  row('receive 32 B text, looked at', { type: 'receive', count: 1_000_000 }),
  row('send to a process and receive, looked at', { type: 'send', count: 2_560_000 }),
])

export const observer: Benchmark = {
  name: 'observer',
  heading: 'Looking on',
  about: [
    'One program, Node, that talks to the server of the WebSocket benchmark or sends to itself: `alone`; `observed`, with an observer that',
    'nobody looks at; and `looked at`, with a viewer in another process that has the overview, the tables of processes and connections,',
    'and the pages of the echoing connection and of its owner open, all at once.',
  ],
  tables: [looking],
  async *measure(choice) {
    if (!looking.rows.some(each => choice.isWanted(each))) return
    using server = await startServer(findBun())
    yield* compare(looking, choice, { start: way => startProgram(way, server.urls) })
  },
}
