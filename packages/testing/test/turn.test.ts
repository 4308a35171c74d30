// A turn of the event loop passes also while a fake clock stands still.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { spawn } from '@holster/process'
import { turn } from '../src/index.ts'

test('processes have taken what was sent to them', async t => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'setImmediate', 'Date'] })
  const taken: unknown[] = []
  const process = spawn<string>(async self => {
    for (;;) taken.push(await self.receive(['a', 'b']))
  })
  process.send('a')
  process.send('b')
  await turn()
  assert.deepEqual(taken, ['a', 'b'])
  process.exit()
})
