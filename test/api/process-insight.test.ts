/** Examples of looking into processes, and of processes as actors of xstate. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createProcess,
  measureMessageWaits,
  P,
  processes,
  processInfo,
  recordSpawns,
  spawn,
  type TraceEvent,
  trace,
} from '@holster/process'
import { fromProcess } from '@holster/process/xstate'
import { createActor, toPromise } from 'xstate'

test('processes lists those that live, the oldest first', async () => {
  // #region process/processes
  const reader = createProcess({ name: 'reader' })
  const writer = createProcess({ name: 'writer' })
  const lines = processes().map(String) // ['#Process<12 reader>', '#Process<13 writer>']
  // #endregion
  assert.match(lines.join(' '), /#Process<\d+ reader> #Process<\d+ writer>/)
  reader.exit()
  writer.exit()
})

test('processInfo tells for what a process waits', async () => {
  // #region process/processInfo, process/Process#label
  const worker = spawn<{ type: 'job'; id: number }>(async self => {
    self.label = 'worker for user 42'
    await self.receive([{ type: 'job' }], 60_000)
  })
  await new Promise(setImmediate) // the body begins in a later microtask
  const { status, label, waitsFor, messageQueueLength } = processInfo(worker)
  // 'waiting', 'worker for user 42', [{ patterns: ['{ type: "job" }'], timeout: 59990, … }], 0
  // #endregion
  assert.deepEqual([status, label, messageQueueLength], ['waiting', 'worker for user 42', 0])
  assert.deepEqual(waitsFor[0]?.patterns, ['{ type: "job" }'])
  worker.exit()
})

test('a trace tells what happens to one process, until it is ended', async () => {
  const events: TraceEvent[] = []
  // #region process/trace
  const self = createProcess<string>()
  const stop = trace(self, event => {
    events.push(event) // { type: 'trace', pid: self, at: 1764547200000, event: 'send', message: 'hello' }, …
  })
  self.send('hello')
  await self.receive([P.string])
  stop()
  // #endregion
  assert.deepEqual(
    events.map(({ event }) => event),
    ['send', 'receive'],
  )
  self.exit()
})

test('a process may get the events of another as messages', async () => {
  const worker = createProcess()
  // #region process/trace
  await using tracer = createProcess<TraceEvent>()
  trace(worker, tracer)
  worker.exit('shutdown')
  const { reason } = await tracer.receive([{ type: 'trace', event: 'exit' }]) // 'shutdown'
  // #endregion
  assert.equal(reason, 'shutdown')
})

test('a process keeps the stack of its birth while recordSpawns is on', () => {
  // #region process/recordSpawns
  recordSpawns(true)
  const worker = createProcess()
  recordSpawns(false)
  const { spawnedAt } = processInfo(worker) // the file and line of createProcess, and who called that
  // #endregion
  assert.match(spawnedAt ?? '', /process-insight/)
  worker.exit()
})

test('a process has an id, and shows its name with it', () => {
  // #region process/Process#toString, process/Process#id
  const cache = createProcess({ name: 'cache' })
  const line = `${cache} has started` // '#Process<12 cache> has started'
  const id = cache.id // '#Process<12>'
  // #endregion
  assert.match(line, /^#Process<\d+ cache> has started$/)
  assert.match(id, /^#Process<\d+>$/)
  cache.exit()
})

test('fromProcess makes actor logic of a body', async () => {
  // #region process/xstate/fromProcess
  const counter = fromProcess<{ type: 'tick' }, number, { limit: number }>(async (self, { input }) => {
    let ticks = 0
    while (ticks < input.limit) {
      await self.receive([{ type: 'tick' }])
      ticks++
    }
    return ticks // the output of the actor
  })
  const actor = createActor(counter, { input: { limit: 2 } }).start()
  actor.send({ type: 'tick' })
  actor.send({ type: 'tick' })
  const output = await toPromise(actor) // 2
  // #endregion
  assert.equal(output, 2)
})

test('while waits are measured, a process tells how long its messages waited', async () => {
  // #region process/measureMessageWaits
  using measure = measureMessageWaits()
  const worker = spawn<string>(async self => {
    await self.receive(['go'])
  })
  worker.send('go')
  const { oldestMessageSince, messageWaits } = processInfo(worker)
  await worker.exited
  const { messages, longest } = measure.waits
  // #endregion
  assert.equal(typeof oldestMessageSince, 'number')
  assert.equal(messageWaits?.messages, 0)
  assert.ok(messages >= 1 && longest >= 0)
})
