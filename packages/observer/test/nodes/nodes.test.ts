// Worker nodes are shown as the program's own: their processes, their load, the links between them; and they come and go.

import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { nodes, spawnAt, startNode, stopNode, type Workers, workers } from '@holster/node'
import { type Observer, startObserver } from '@holster/observer'
import { createProcess, type Pid, type Process } from '@holster/process'
import type { ProcessRow, Table } from '../../src/words.ts'
import { ALL, Viewer } from '../support/viewer.ts'

const bodies = new URL('../support/waiter.mjs', import.meta.url)

let observer: Observer
let viewer: Viewer
let threads: Workers
let self: Process<unknown>
before(async () => {
  await startNode({ name: 'main' })
  threads = await workers(2)
  observer = await startObserver({ log: false, allowActions: true })
  viewer = await Viewer.open(observer)
  self = createProcess()
})
afterEach(() => self.flush())
after(async () => {
  viewer[Symbol.dispose]()
  await observer.stop()
  self.exit()
  await threads.stop()
  await stopNode()
})

/** Spawns a waiter on a node, and gives its id there. */
async function spawnWaiter(
  node: string,
  name: string,
): Promise<{ readonly pid: Pid<unknown>; readonly id: string }> {
  const pid: Pid<unknown> = await spawnAt(node, bodies, 'waiter', name, self)
  await self.receive([{ type: 'waits' }])
  return { pid, id: String(pid).replace(/@[^>]*/, '') }
}

const isWith = (filter: string, count: number) => (table: Table<ProcessRow>) =>
  table.matching === count && table.rows.every(({ label }) => label?.includes(filter) ?? false)

test('the list of nodes has each with its load, and the links between all of them', async () => {
  const value = await viewer.see({ name: 'nodes' }, ({ nodes }) =>
    nodes.every(({ sample }) => sample !== undefined),
  )
  assert.deepEqual(
    value.nodes.map(({ node, isHere, problem }) => [node, isHere, problem]),
    [
      ['main', true, undefined],
      ['main.1', false, undefined],
      ['main.2', false, undefined],
    ],
  )
  assert.deepEqual(
    value.links.map(({ from, to, carrier }) => `${from} ${to} ${carrier}`).sort(),
    ['main main.1', 'main main.2', 'main.1 main', 'main.1 main.2', 'main.2 main', 'main.2 main.1'].map(
      link => `${link} threads`,
    ),
  )
  assert.ok(value.links.every(({ window }) => window > 0))
  const threadIds = new Set(value.nodes.map(({ threadId }) => threadId))
  assert.equal(threadIds.size, 3)
})

test('the table of processes holds those of all nodes, or of the one that is asked for', async () => {
  const there = await spawnWaiter('main.1', 'first')
  const other = await spawnWaiter('main.2', 'second')
  const all = await viewer.see({ name: 'processes', ...ALL, filter: ' waits' }, isWith(' waits', 2))
  assert.deepEqual(
    all.rows.map(({ node, id, waitsFor }) => [node, id, waitsFor]),
    [
      ['main.1', there.id, '{ type: "go" } or { type: "many" }'],
      ['main.2', other.id, '{ type: "go" } or { type: "many" }'],
    ],
  )
  const one = await viewer.see(
    { name: 'processes', ...ALL, node: 'main.2', filter: ' waits' },
    isWith('second', 1),
  )
  assert.equal(one.rows[0]?.node, 'main.2')
  const sorted = await viewer.see(
    { name: 'processes', ...ALL, filter: ' waits', order: 'label', descending: true },
    isWith(' waits', 2),
  )
  assert.deepEqual(
    sorted.rows.map(({ label }) => label),
    ['second waits', 'first waits'],
  )
})

test('the table of all nodes is sorted by the age of the oldest message, wherever it waits', async () => {
  const looks: number[] = []
  for (const node of ['main.2', 'main.1']) {
    // A node measures while somebody looks.
    const id = viewer.watch({ name: 'processes', ...ALL, node, filter: 'late waits' })
    looks.push(id)
    await viewer.find(told => (told.type === 'shown' && told.id === id ? told : undefined))
    const { pid } = await spawnWaiter(node, 'late')
    pid.send({ type: 'never taken' })
    const { rows } = await viewer.see(
      { name: 'processes', ...ALL, node, filter: 'late waits' },
      table => table.rows[0]?.oldestSince !== undefined,
    )
    // The clocks of two threads may differ by a millisecond.
    while (Date.now() - (rows[0]?.oldestSince ?? 0) < 5) await turn()
  }
  const { rows } = await viewer.see(
    { name: 'processes', ...ALL, filter: 'late waits', order: 'oldestSince' },
    table => table.rows.length === 2,
  )
  assert.deepEqual(
    rows.map(({ node, isOlder }) => [node, isOlder]),
    [
      ['main.2', false],
      ['main.1', false],
    ],
  )
  for (const id of looks) viewer.ask({ type: 'unwatch', id })
})

test('the page of a process on another node leads to its ties on this one, and back', async () => {
  const { pid, id } = await spawnWaiter('main.1', 'tied')
  self.link(pid as never)
  const page = await viewer.see(
    { name: 'process', kind: 'process', node: 'main.1', id },
    ({ linksTo }) => linksTo.length > 0,
  )
  assert.deepEqual([page.node, page.label], ['main.1', 'tied waits'])
  assert.deepEqual(
    page.linksTo.map(({ kind, node, id }) => [kind, node, id]),
    [['process', 'main', self.id]],
  )
  const here = await viewer.see({ name: 'process', kind: 'process', node: 'main', id: self.id })
  const ref = here.linksTo.find(({ node }) => node === 'main.1')
  assert.deepEqual([ref?.kind, ref?.id], ['process', id])
  self.unlink(pid as never)
})

test('a trace shows the messages of a process on another node, and an action ends it', async () => {
  const { pid, id } = await spawnWaiter('main.2', 'traced')
  const subject = { kind: 'process', node: 'main.2', id } as const
  const trace = viewer.watch({ name: 'trace', subject, filter: "{ type: 'go' }", limit: 10 })
  await viewer.find(told => (told.type === 'shown' && told.id === trace ? told : undefined))
  pid.send({ type: 'go' })
  const { events } = await viewer.find(told =>
    told.type === 'events' && told.id === trace ? told : undefined,
  )
  assert.equal(events[0]?.event, 'send')
  self.monitor(pid as never)
  viewer.ask({ type: 'act', id: 500, action: { type: 'exit', subject, reason: 'enough' } })
  const { ticket } = await viewer.find(told =>
    told.type === 'confirm' && told.id === 500 ? told : undefined,
  )
  viewer.ask({ type: 'confirm', id: 500, ticket })
  assert.equal(((await self.receive([{ type: 'DOWN' }])) as { reason: unknown }).reason, 'enough')
})

test('the overview and the tree of another node are its own', async () => {
  const overview = await viewer.see({ name: 'overview', node: 'main.1' }, ({ samples }) => samples.length > 0)
  assert.equal(overview.node, 'main.1')
  assert.match(overview.program, /\(thread \d+\)$/)
  assert.deepEqual((await viewer.see({ name: 'tree', node: 'main.1' })).node, 'main.1')
})

test('rows of several nodes that cannot all be reached are noted', async () => {
  for (const node of ['main.1', 'main.2'])
    (await spawnWaiter(node, 'parent')).pid.send({ type: 'many', count: 2500 })
  const { rows, note } = await viewer.see(
    { name: 'processes', ...ALL, filter: 'never', order: 'messages', offset: 3990, limit: 100 },
    table => table.note !== undefined,
  )
  assert.equal(rows.length, 10)
  assert.match(note ?? '', /first 2000 rows of each node/)
  const last = await viewer.see(
    { name: 'processes', ...ALL, node: 'main.2', filter: 'never', offset: 2490 },
    table => table.rows.length === 10,
  )
  assert.equal(last.note, undefined)
})

test('a node that has gone is not shown, and one that comes is', async () => {
  await viewer.see({ name: 'nodes' }, value => value.nodes.length === 3)
  const more = await workers(1, { prefix: 'more.' })
  await viewer.see({ name: 'nodes' }, value =>
    value.nodes.some(({ node, sample }) => node === 'more.1' && sample !== undefined),
  )
  await more.stop()
  await viewer.see({ name: 'nodes' }, value => value.nodes.length === 3)
  assert.ok(!nodes().includes('more.1'))
  const gone = viewer.see({ name: 'overview', node: 'more.1' })
  await assert.rejects(gone, /the node more\.1 is not connected/)
})
