// Crashes: a reason that nobody has handled fails a test, unless the test takes it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setExitHook, spawn } from '@holster/process'
import { collectCrashes } from '../src/index.ts'

const crash = (message: string) =>
  spawn(() => {
    throw new Error(message)
  })

test('a test takes the crashes that it expects, the oldest first', async () => {
  await using crashes = collectCrashes()
  const processes = [crash('the first'), crash('the second')]
  const taken = await crashes.take()
  assert.deepEqual(
    taken.map(({ pid }) => pid),
    processes,
  )
  assert.deepEqual(
    taken.map(({ reason }) => String(reason)),
    ['Error: the first', 'Error: the second'],
  )
  assert.deepEqual(await crashes.take(), [])
})

test('crashes that nobody has taken fail the test, with the reasons as its errors', async () => {
  const crashes = collectCrashes()
  const process = crash('nobody looked')
  await assert.rejects(
    async () => crashes[Symbol.asyncDispose](),
    (error: unknown) => {
      assert.ok(error instanceof AggregateError)
      assert.ok(error.message.startsWith(`${process} has crashed: Error: nobody looked`), error.message)
      assert.deepEqual(error.errors.map(String), ['Error: nobody looked'])
      return true
    },
  )
})

test('an orderly exit is no crash', async () => {
  await using _crashes = collectCrashes()
  spawn(() => {})
  spawn(self => self.exit('shutdown'))
})

test('the exit hook that was set before gets the crashes that come behind the test', async t => {
  const seen: unknown[] = []
  const hook = (_pid: unknown, reason: unknown): void => {
    seen.push(reason)
  }
  const before = setExitHook(hook)
  t.after(() => void setExitHook(before))
  await collectCrashes()[Symbol.asyncDispose]()
  await crash('later').exited
  assert.deepEqual(seen.map(String), ['Error: later'])
})
