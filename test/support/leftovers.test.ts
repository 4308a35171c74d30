// Leftovers: a warning or a crash of the program that a test leaves behind fails that test.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { collectWarnings } from './leftovers.ts'

test('warnings and crashes are collected, and fail a test that does not take them', async () => {
  const listeners = () => process.listenerCount('uncaughtException')
  const before = listeners()
  const collected = collectWarnings()
  process.emitWarning('careful')
  Promise.reject(new Error('nobody looked'))
  setImmediate(() => {
    throw new Error('nobody caught')
  })
  await assert.rejects(collected.assertNone(), /careful.*nobody looked.*nobody caught/)
  const { warnings, rejections, exceptions } = await collected.take()
  assert.deepEqual([...warnings, ...rejections, ...exceptions].map(String), [
    'Warning: careful',
    'Error: nobody looked',
    'Error: nobody caught',
  ])
  process.emitWarning('again')
  await assert.rejects(async () => collected[Symbol.asyncDispose](), /again/)
  assert.equal(listeners(), before)
})
