// A call waits as a receive does: what presses on a connection lets it be read, since the reply may depend on it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Call, createProcess, type ProcessOptions, reply, spawn } from '../../src/index.ts'
import { deliver, Source } from '../../src/internal.ts'
import { turn } from '../support/turns.ts'

const MARKS: ProcessOptions = {
  highWaterMark: { messages: 10 },
  waitingHighWaterMark: { messages: 40 },
}

interface Data {
  readonly type: 'data'
}

/** A connection whose reading can be paused. */
class Wire {
  isPaused = false
  overflows = 0
  readonly source = new Source({
    pause: () => {
      this.isPaused = true
    },
    resume: () => {
      this.isPaused = false
    },
    carries: () => false,
    overflow: () => {
      this.overflows++
    },
  })
}

test('a process that calls while its mailbox is over its mark has the connection read that the callee waits for', async () => {
  const wire = new Wire()
  const self = createProcess<Data>(MARKS)
  const server = spawn<Call<'next', string> | Data>(async callee => {
    const { from } = await callee.receive([{ type: 'call' }])
    await callee.receive([{ type: 'data' }])
    reply(from, 'it came')
  })
  const bring = (to: typeof self | typeof server) => to[deliver](wire.source, { type: 'data' }, 0)
  for (let n = 0; n < 11; n++) bring(self)
  await turn()
  assert.ok(wire.isPaused)
  const answer = self.call(server, 'next')
  await turn()
  assert.equal(wire.isPaused, false)
  // Messages for the caller press no more than they do on a receive that waits.
  for (let n = 0; n < 20; n++) bring(self)
  await turn()
  assert.equal(wire.isPaused, false)
  bring(server)
  assert.equal(await answer, 'it came')
  bring(self)
  await turn()
  assert.ok(wire.isPaused)
  self.flush()
  assert.equal(wire.isPaused, false)
  self.exit()
})

test('a process that calls over its second mark presses, and never ends the connection, as the reply comes from elsewhere', async () => {
  const wire = new Wire()
  const self = createProcess<Data>(MARKS)
  const server = spawn<Call<'next', string>>(async callee => {
    const { from } = await callee.receive([{ type: 'call' }])
    await turn()
    await turn()
    reply(from, 'late')
  })
  const answer = self.call(server, 'next')
  for (let n = 0; n < 50; n++) self[deliver](wire.source, { type: 'data' }, 0)
  await turn()
  assert.ok(wire.isPaused)
  assert.equal(await answer, 'late')
  assert.equal(wire.overflows, 0)
  self.exit()
})
