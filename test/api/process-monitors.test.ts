/** Examples of monitors, which bring one message of an end, and of links, which tie two lives together. */

import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import {
  createProcess,
  type Down,
  type Exit,
  exit,
  type MonitorAlias,
  P,
  type Ref,
  setExitHook,
  spawn,
} from '@holster/process'

// The crashes of these examples are what they show.
beforeEach(() => void setExitHook(() => {}))
afterEach(() => void setExitHook(undefined))

test('a monitor brings one DOWN with the reason of the end', async () => {
  await using self = createProcess()
  // #region process/Process#monitor, process/messages/DOWN
  const worker = spawn(() => {
    throw new Error('bad input')
  })
  const ref = self.monitor(worker)
  const { pid, reason } = await self.receive([{ type: 'DOWN', ref }]) // pid: worker, reason: Error: bad input
  // #endregion
  assert.equal(pid, worker)
  assert.match(String(reason), /bad input/)
})

test('the DOWN of what has ended already comes at once', async () => {
  await using self = createProcess()
  const gone = spawn(() => {})
  await gone.exited
  // #region process/Process#monitor
  const ref = self.monitor(gone) // has ended before
  const { reason } = await self.receive([{ type: 'DOWN', ref }]) // 'noproc'
  // #endregion
  assert.equal(reason, 'noproc')
})

test('the messages of a process come before the DOWN of its end', async () => {
  type Line = { type: 'line'; text: string }
  // #region process/messages/DOWN
  await using self = createProcess<Line>()
  const reader = spawn(() => {
    for (const text of ['one', 'two']) self.send({ type: 'line', text })
  })
  self.monitor(reader)
  const lines: string[] = []
  for (;;) {
    const message = await self.receive([{ type: 'line' }, { type: 'DOWN' }])
    if (message.type === 'DOWN') break // behind all lines
    lines.push(message.text)
  }
  // #endregion
  assert.deepEqual(lines, ['one', 'two'])
})

test('demonitor takes a monitor back, with a DOWN that has come already', async () => {
  await using self = createProcess()
  // #region process/Process#demonitor
  const worker = spawn(me => me.receive([P._]))
  const ref = self.monitor(worker)
  exit(worker, 'shutdown')
  const wasSet = self.demonitor(ref) // false: it has fired; the DOWN is out of the mailbox
  const waiting = self.messageQueueLength // 0
  // #endregion
  assert.deepEqual([wasSet, waiting], [false, 0])
})

test('spawnMonitor starts a process that is monitored from the beginning', async () => {
  await using self = createProcess()
  // #region process/Process#spawnMonitor
  const { pid, ref } = self.spawnMonitor(() => Promise.reject(new Error('no such table')))
  const down = await self.receive([{ type: 'DOWN', ref }]) // down.reason: Error: no such table
  // #endregion
  assert.equal(down.pid, pid)
  assert.match(String(down.reason), /no such table/)
})

test('one reference is a monitor and an alias, for a call of your own making', async () => {
  type Answer = { type: 'answer'; ref: Ref; value: number }
  type Ask = { type: 'ask'; replyTo: MonitorAlias<Answer> }
  const worker = spawn<Ask>(async me => {
    const { replyTo } = await me.receive([{ type: 'ask' }])
    replyTo.send({ type: 'answer', ref: replyTo, value: 42 })
  })
  await using self = createProcess<Answer>()
  // #region process/types/MonitorOptions, process/Process#monitor
  const ref = self.monitor<Answer>(worker, { alias: 'reply_demonitor' })
  worker.send({ type: 'ask', replyTo: ref })
  const answer = await self.receive([
    self.on({ type: 'answer', ref }, ({ value }) => value), // ends alias and monitor: no DOWN follows
    self.on({ type: 'DOWN', ref }, ({ reason }) => Promise.reject(reason)),
  ])
  // #endregion
  await worker.exited
  assert.equal(answer, 42)
  assert.equal(self.messageQueueLength, 0)
})

test('a link ends both sides for the reason of the first', async () => {
  // #region process/Process#link
  const [reader, writer] = [createProcess(), createProcess()]
  reader.link(writer)
  exit(writer, 'disk_full')
  const reason = await reader.exited // 'disk_full'
  // #endregion
  assert.equal(reason, 'disk_full')
})

test('unlink takes a link back', async () => {
  // #region process/Process#unlink
  const [reader, writer] = [createProcess(), createProcess()]
  reader.link(writer)
  writer.unlink(reader) // from either side
  exit(writer, 'disk_full')
  const isAlive = reader.isAlive // true
  // #endregion
  reader.exit()
  assert.ok(isAlive)
})

test('a process that traps exits gets the end of a linked one as a message', async () => {
  // #region process/Process#spawnLink, process/messages/EXIT
  await using self = createProcess({ trapExit: true })
  const child = self.spawnLink(() => {
    throw new Error('crash')
  })
  const { from, reason } = await self.receive([{ type: 'EXIT', from: child }]) // reason: Error: crash
  // #endregion
  assert.equal(from, child)
  assert.match(String(reason), /crash/)
})

test('without trapExit the crash of a child ends its parent', async () => {
  // #region process/Process#spawnLink
  const parent = spawn(async self => {
    self.spawnLink(() => Promise.reject(new Error('crash')))
    await self.receive([P._])
  })
  const reason = await parent.exited // Error: crash
  // #endregion
  assert.match(String(reason), /crash/)
})

test('trapExit is switched on within a body', async () => {
  const seen: (Exit | Down)[] = []
  // #region process/Process#trapExit
  const parent = spawn(async self => {
    self.trapExit = true // process_flag(trap_exit, true)
    for (const name of ['a', 'b']) self.spawnLink(() => {}, { name })
    for (let n = 0; n < 2; n++) seen.push(await self.receive([{ type: 'EXIT' }])) // reason 'normal', twice
  })
  await parent.exited
  // #endregion
  assert.deepEqual(
    seen.map(({ reason }) => reason),
    ['normal', 'normal'],
  )
})
