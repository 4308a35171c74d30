// The table of processes and the page of one show what lives, what waits for what, and since when.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { supervisor } from '@holster/otp'
import { type Call, createProcess, P, type Process, recordSpawns, reply, spawn } from '@holster/process'
import type { ProcessPage, ProcessRow, Subject, Table } from '../../src/words.ts'
import { ALL, observed } from '../support/viewer.ts'

const here = observed()

const subject = ({ id }: Process): Subject & { kind: 'process' } => ({
  kind: 'process',
  node: 'nonode@nohost',
  id,
})

const seePage = (process: Process, isWanted?: (page: ProcessPage) => boolean): Promise<ProcessPage> =>
  here.viewer.see({ name: 'process', ...subject(process) }, isWanted)

describe('the table', () => {
  test('shows what a process waits for, its mailbox and its links', async () => {
    const self = createProcess<unknown>({ name: 'shown', highWaterMark: { messages: 1 } })
    self.label = 'a label'
    const other = createProcess()
    self.link(other)
    const received = self.receive([{ type: 'never' }, { type: 'ever' }])
    self.send(1)
    self.send(2)
    const { rows, total, matching } = await here.viewer.see({ name: 'processes', ...ALL, filter: 'A LABEL' })
    assert.ok(total >= 2)
    assert.equal(matching, 1)
    const { waitsSince = Number.POSITIVE_INFINITY, oldestSince = 0, ...row } = rows[0] ?? {}
    assert.ok(waitsSince <= Date.now() && oldestSince > 0)
    assert.deepEqual(row, {
      node: 'nonode@nohost',
      id: self.id,
      name: 'shown',
      label: 'a label',
      status: 'waiting',
      waitsFor: '{ type: "never" } or { type: "ever" }',
      messages: 2,
      bytes: 0,
      isOverMark: true,
      isOlder: true,
      links: 1,
    })
    self.send({ type: 'ever' })
    await received
    self.exit()
    other.exit()
  })

  test('finds a process by what it waits for, and sorts by the mailbox', async () => {
    const processes = [3, 1, 2].map(count => {
      const self = createProcess<number>()
      void self.receive([{ type: 'the one sorted' } as never]).catch(() => {})
      for (let i = 0; i < count; i++) self.send(i)
      return self
    })
    const range = { ...ALL, filter: 'the one sorted', order: 'messages', descending: true }
    const { rows } = await here.viewer.see({ name: 'processes', ...range })
    assert.deepEqual(
      rows.map(({ messages }) => messages),
      [3, 2, 1],
    )
    for (const self of processes) self.exit()
  })

  test('shows since when the oldest message waits, and how long those have that were taken', async t => {
    const first = createProcess<number>()
    const range = { ...ALL, filter: 'slow and', order: 'oldestSince' }
    first.label = 'slow and old'
    first.send(1)
    const id = here.viewer.watch({ name: 'processes', ...range })
    await here.viewer.find(told => (told.type === 'shown' && told.id === id ? told : undefined))
    let ahead = 0
    const now = performance.now.bind(performance)
    const clock = t.mock.method(performance, 'now', () => now() + ahead)
    const second = createProcess<number>()
    second.label = 'slow and young'
    second.send(1)
    ahead = 300
    await second.receive([1])
    second.send(2)
    clock.mock.restore()
    const { rows } = await here.viewer.see({ name: 'processes', ...range }, table => table.rows.length === 2)
    assert.deepEqual(
      rows.map(({ label, isOlder }) => [label, isOlder]),
      [
        ['slow and old', true],
        ['slow and young', false],
      ],
    )
    assert.equal(rows[0]?.waited, undefined)
    assert.ok(Number(rows[1]?.waited) >= 300 && Number(rows[1]?.waited) <= 100_000)
    const waited = await here.viewer.see({
      name: 'processes',
      ...range,
      order: 'waited',
      descending: true,
    })
    assert.equal(waited.rows[0]?.label, 'slow and young')
    const page = await seePage(second as Process)
    const { last = 0, longest = 0, median = 0, p99 = 0 } = page.messageWaits ?? {}
    assert.ok(last === longest && last >= 300 && median === longest && p99 === longest)
    assert.ok(Math.abs(Number(page.oldestSince) - Date.now()) < 600_000)
    here.viewer.ask({ type: 'unwatch', id })
    first.exit()
    second.exit()
  })

  test('shows one hundred thousand processes a window at a time, and turns to another one at once', async () => {
    const processes = Array.from({ length: 100_000 }, () => createProcess<number>())
    processes[70_000]?.send(1)
    const id = here.viewer.watch({ name: 'processes', ...ALL, order: 'messages', descending: true, limit: 5 })
    const first = await here.viewer.find(told =>
      told.type === 'shown' && told.id === id ? (told.value as Table<ProcessRow>) : undefined,
    )
    assert.ok(first.total >= 100_000)
    assert.ok(first.rows.length === 5)
    const offset = first.total - 5
    here.viewer.ask({ type: 'watch', id, view: { name: 'processes', ...ALL, offset, limit: 5 } })
    const last = await here.viewer.find(told => {
      const { value } = told as { value?: { offset?: number; rows: { id: string }[] } }
      return told.type === 'shown' && told.id === id && value?.offset === offset ? value : undefined
    })
    assert.equal(last.rows.length, 5)
    here.viewer.ask({ type: 'unwatch', id })
    for (const self of processes) self.exit()
  })

  test('says which columns there are if asked for another one', async () => {
    await assert.rejects(
      here.viewer.see({ name: 'processes', ...ALL, order: 'shoes' }),
      /order must be one of id, name/,
    )
  })
})

describe('the page of one', () => {
  test('shows its mailbox without secrets, its ties and its timers', async () => {
    const self = createProcess<unknown>()
    const linked = createProcess({ name: 'linked' })
    const monitored = createProcess()
    self.link(linked)
    self.monitor(monitored)
    monitored.monitor(self)
    self.send({ type: 'login', password: 'sesame' })
    self.sendAfter(60_000, 'late')
    const received = self.receive([{ type: 'answer' }], 50_000)
    const page = await seePage(self)
    assert.deepEqual(page.mailbox, ['{ type: "login", password: … }'])
    assert.deepEqual(
      page.linksTo.map(({ kind, id, text }) => ({ kind, id, text })),
      [{ kind: 'process', id: linked.id, text: `${linked}` }],
    )
    assert.deepEqual(
      page.monitors.map(({ id }) => id),
      [monitored.id],
    )
    assert.deepEqual(
      page.monitoredBy.map(({ id }) => id),
      [monitored.id],
    )
    assert.ok((page.timers[0] ?? 0) > 0)
    assert.deepEqual(page.waits[0]?.patterns, ['{ type: "answer" }'])
    assert.ok((page.waits[0]?.timeout ?? 0) > 0)
    assert.deepEqual(page.mark, { messages: 16_384, bytes: 16 * 1024 * 1024 })
    self.exit()
    linked.exit()
    monitored.exit()
    await assert.rejects(received)
  })

  test('shows what comes and goes while somebody looks, and the end', async () => {
    const server = spawn<Call<'ask', number>>(async asked => {
      for (;;) reply((await asked.receive([{ type: 'call' }])).from, 1)
    })
    const self = createProcess<unknown>()
    const seen = seePage(self, ({ recent }) => recent.some(({ event }) => event === 'reply'))
    // The page traces from its first look on.
    await seePage(self)
    self.send({ type: 'in', token: 'hidden' })
    await self.receive([{ type: 'in' }])
    await self.call(server, 'ask')
    const { recent } = await seen
    assert.deepEqual(
      recent.map(({ event, direction }) => [event, direction]).filter(([event]) => event !== 'link'),
      [
        ['send', 'in'],
        ['receive', 'none'],
        ['call', 'out'],
        ['reply', 'in'],
      ],
    )
    assert.equal(recent[0]?.text, '{ type: "in", token: … }')
    const ended = seePage(self, ({ status }) => status === 'exited')
    await seePage(self)
    self.exit('enough')
    assert.equal((await ended).exitReason, 'enough')
    server.exit()
    await assert.rejects(seePage(self), /there is no #Process<\d+> any more/)
  })

  test('names the supervisor, and the stack of the birth where that was kept', async () => {
    recordSpawns(true)
    const tree = await supervisor.start({
      children: [{ id: 'only', start: parent => parent.spawnLink(self => self.receive([P._])) }],
    })
    recordSpawns(false)
    const [child] = await supervisor.whichChildren(tree)
    const page = await seePage(child?.pid as Process)
    assert.equal(page.supervisor?.id, tree.id)
    assert.match(page.spawnedAt ?? '', /processes\.test/)
    await supervisor.stop(tree)
  })
})

test('a process named like a script is told as text', async () => {
  const self = createProcess({ name: '<script>alert(1)</script>' })
  const { rows } = await here.viewer.see({ name: 'processes', ...ALL, filter: '<script>' })
  assert.equal(rows[0]?.name, '<script>alert(1)</script>')
  self.exit()
})
