/** A server that is busy presses back on the connections that fill its mailbox, and takes that back as it goes on. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { deliver, Source } from '@holster/process/internal'
import { genServer } from '../../src/index.ts'

test('a server presses back while a handler is busy, and has its connection read when it waits for its next message', async () => {
  let isPaused = false
  const source = new Source({
    pause: () => {
      isPaused = true
    },
    resume: () => {
      isPaused = false
    },
    carries: () => false,
    overflow: () => assert.fail('overflow'),
  })
  let go!: () => void
  const busy = new Promise<void>(resolve => {
    go = resolve
  })
  const server = genServer.define({
    init: () => ['ok', 0],
    handleCall: { sum: (_request, _from, sum) => ['reply', sum, sum] },
    handleInfo: async (_message: { readonly type: 'data' }, sum) => {
      await busy
      return ['noreply', sum + 1]
    },
  })
  const pid = await genServer.start(server, undefined, { highWaterMark: { messages: 10 } })
  const bring = () => pid[deliver](source, { type: 'data' }, 0)
  bring()
  await turn()
  for (let n = 0; n < 10; n++) bring()
  await turn()
  assert.equal(isPaused, false)
  bring()
  await turn()
  assert.equal(isPaused, true)
  go()
  assert.equal(await genServer.call(pid, { type: 'sum' }), 12)
  assert.equal(isPaused, false)
  await genServer.stop(pid)
})
