/**
 * In how many files and functions of ours one event is on its way: from the socket's read to the mailbox, or from the
 * call to the socket's write. Built files of the packages count (`dist`), and neither `node_modules` nor Node.
 */

import { fileURLToPath } from 'node:url'
import type { Benchmark } from './benchmark.ts'
import { Worker } from './crew.ts'
import type { Table } from './table.ts'
import { type Answer, COUNTED, EVENTS } from './ways/contract.ts'

const counts = {
  title: 'files and functions that one event enters',
  clients: COUNTED,
  digits: 0,
  rows: EVENTS,
} as const satisfies Table

export const ways: Benchmark = {
  name: 'ways',
  heading: 'The way of one event',
  about: [
    "In how many files and functions of the packages one event is on its way, from the socket's read to the mailbox, or from",
    "the call to the socket's write. These are counts, the same on every machine; `npm run bench:ways -- --functions` lists",
    'the functions.',
  ],
  tables: [counts],
  async *measure(choice) {
    const flags = choice.isListing ? ['--functions'] : []
    using worker = Worker.onNode(fileURLToPath(new URL('ways/worker.js', import.meta.url)), ...flags)
    const answer = await worker.read<Answer>()
    for (const row of EVENTS) {
      if (!choice.isWanted(row)) continue
      yield { table: counts, row, values: new Map(Object.entries(answer[row])), rounds: 1 }
    }
  },
}
