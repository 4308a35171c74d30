// Many waiters share one AbortSignal.

import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { describe, type TestContext, test } from 'node:test'
import { createProcess } from '../src/index.ts'

const MANY = 50

/** Gives the warnings that `act` makes Node emit, however late Node does so. */
async function warningsOf(t: TestContext, act: () => void): Promise<readonly string[]> {
  const emitted = t.mock.method(process, 'emitWarning', () => undefined)
  act()
  await new Promise(resolve => setImmediate(resolve))
  return emitted.mock.calls.map(({ arguments: [warning] }) => String(warning))
}

describe('more than ten under one signal', () => {
  test('receives cause no warning, all end when it aborts, and nothing listens any more', async t => {
    const self = createProcess()
    const controller = new AbortController()
    const { signal } = controller
    const received: Promise<unknown>[] = []
    const warnings = await warningsOf(t, () => {
      for (let i = 0; i < MANY; i++) received.push(self.receive([{ type: 'a' }], { signal }))
    })
    assert.deepEqual(warnings, [])
    controller.abort('enough')
    const outcomes = await Promise.allSettled(received)
    assert.deepEqual(outcomes, Array(MANY).fill({ status: 'rejected', reason: 'enough' }))
    assert.equal(getEventListeners(signal, 'abort').length, 0)
  })

  test('processes cause no warning, all end when it aborts, and nothing listens any more', async t => {
    const controller = new AbortController()
    const { signal } = controller
    const made: ReturnType<typeof createProcess>[] = []
    const warnings = await warningsOf(t, () => {
      for (let i = 0; i < MANY; i++) made.push(createProcess({ signal }))
    })
    assert.deepEqual(warnings, [])
    controller.abort('enough')
    assert.deepEqual(
      await Promise.all(made.map(({ exited }) => exited)),
      Array(MANY).fill(['shutdown', 'enough']),
    )
    assert.equal(getEventListeners(signal, 'abort').length, 0)
  })
})

describe('a signal that does not abort', () => {
  test('has no listener once the last waiter has gone', async () => {
    const self = createProcess()
    const { signal } = new AbortController()
    const received = [1, 2].map(n => self.receive([{ n }], { signal }))
    const other = createProcess({ signal })
    for (const n of [2, 1]) {
      assert.equal(getEventListeners(signal, 'abort').length, 1)
      self.send({ n })
    }
    await Promise.all(received)
    assert.equal(getEventListeners(signal, 'abort').length, 1)
    other.exit()
    assert.equal(getEventListeners(signal, 'abort').length, 0)
  })

  test('can be waited for again afterwards', async () => {
    const self = createProcess()
    const controller = new AbortController()
    const { signal } = controller
    createProcess({ signal }).exit()
    const received = self.receive([{ type: 'a' }], { signal })
    controller.abort('enough')
    await assert.rejects(received, (reason: unknown) => reason === 'enough')
  })
})

test('those that end because another under the same signal has ended are not told of it again', async () => {
  const controller = new AbortController()
  const { signal } = controller
  const first = createProcess({ signal })
  const second = createProcess({ signal })
  second.link(first)
  controller.abort('enough')
  assert.deepEqual(await second.exited, ['shutdown', 'enough'])
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})
