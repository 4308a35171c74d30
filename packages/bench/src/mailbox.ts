/** Mailboxes against the bare structures that they could be instead, on the clock. */

import { fileURLToPath } from 'node:url'
import type { Benchmark } from './benchmark.ts'
import { Worker } from './crew.ts'
import { type Answer, BACKLOGS, WAYS, type Way } from './mailbox/contract.ts'
import type { Table } from './table.ts'

const QUEUE: Way = 'a bare array queue'
const PROMISE: Way = 'a bare awaited promise'

const inOrder = {
  title: 'ns per message, sent and received in order',
  clients: ['holster', 'promise', 'queue'],
  reference: 'promise',
  digits: 0,
  rows: WAYS.filter(way => way !== QUEUE && way !== PROMISE),
} as const satisfies Table

const WAITING = BACKLOGS.slice(1)
const rowOf = (backlog: number) => `pinned to a reference, behind ${backlog.toLocaleString('en')} others`

const pinned = {
  title: 'ns per message that is sent and received by a reference',
  clients: ['holster', 'empty'],
  reference: 'empty',
  digits: 0,
  rows: WAITING.flatMap(backlog => [rowOf(backlog), `the first, ${rowOf(backlog)}`]),
} as const satisfies Table

export const mailbox: Benchmark = {
  name: 'mailbox',
  heading: 'Mailboxes',
  about: [
    'Time on the clock, in one process that does nothing else. `queue` pushes to a bare array and shifts, `promise` awaits a',
    'promise that is settled, `empty` is the same receive in an empty mailbox. The first receive behind others lists all of',
    'them by the fields that it pins.',
  ],
  tables: [inOrder, pinned],
  async *measure(choice) {
    const { rounds } = choice
    if (![...inOrder.rows, ...pinned.rows].some(row => choice.isWanted(row))) return
    using worker = Worker.onNode(fileURLToPath(new URL('mailbox/worker.js', import.meta.url)), String(rounds))
    const answer = await worker.read<Answer>()
    for (const row of inOrder.rows) {
      if (!choice.isWanted(row)) continue
      const { [PROMISE]: promise, [QUEUE]: queue, [row]: holster } = answer.inOrder
      yield { table: inOrder, row, values: new Map(Object.entries({ holster, promise, queue })), rounds }
    }
    const empty = answer.pinned[0]
    for (const [i, backlog] of BACKLOGS.entries()) {
      const taken = answer.pinned[i]
      if (backlog === 0 || taken === undefined || empty === undefined) continue
      for (const [row, field] of [
        [rowOf(backlog), 'later'],
        [`the first, ${rowOf(backlog)}`, 'first'],
      ] as const) {
        if (!choice.isWanted(row)) continue
        const values = new Map([['holster', taken[field]]])
        if (field === 'later') values.set('empty', empty.later)
        yield { table: pinned, row, values, rounds }
      }
    }
  },
}
