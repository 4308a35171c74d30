// A fake clock that a test puts in place of Node's for a while stops nothing that has begun before, and leaves nothing behind.

import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { clearTimeout as clearNodesTimeout, setTimeout as setNodesTimeout } from 'node:timers'
import { setImmediate as turn } from 'node:timers/promises'
import { createProcess, type Process, processes, spawn } from '../../src/index.ts'

/** Fakes all that the fake clocks of sinon, Jest and Vitest do. Gives the function that takes them away. */
function fakeClock(t: TestContext, now: number): () => void {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'setImmediate', 'Date'] })
  const clock = t.mock.method(performance, 'now', () => now)
  return () => {
    clock.mock.restore()
    t.mock.timers.reset()
  }
}

describe('while a fake clock is in place', () => {
  // With a lost alarm the test would end after days.
  test('timers that have begun before go on, in their time', { timeout: 60_000 }, async t => {
    const self = createProcess<number>()
    for (const n of [1, 2, 3]) self.sendAfter(n * 5, n)
    const restore = fakeClock(t, -2_000_000_000)
    await self.receive([1])
    restore()
    self.sendAfter(20, 4)
    for (const n of [2, 3, 4]) await self.receive([n])
  })

  test('a loop of receives that never wait still lets the event loop turn', { timeout: 60_000 }, async t => {
    const restore = fakeClock(t, 0)
    let now = 0
    t.mock.method(performance, 'now', () => now++)
    const self = createProcess<number>()
    for (let n = 0; n < 20_000; n++) {
      self.send(n)
      await self.receive([n])
    }
    restore()
  })

  test('a receive of a process that has exited is still refused, however many were', {
    timeout: 60_000,
  }, async t => {
    fakeClock(t, 0)
    const self = createProcess()
    self.exit()
    for (let n = 0; n < 64; n++) self.receive([1])
    // This one takes longer, in a loop that nothing else keeps alive.
    const alive = setNodesTimeout(() => {}, 2 ** 30)
    t.after(() => clearNodesTimeout(alive))
    await assert.rejects(self.receive([1]), { name: 'ProcessExit' })
  })
})

describe('after a fake clock', () => {
  test('no timer of Node is left when all of Holster have been cancelled', async t => {
    const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
    await turn()
    const before = timers()
    const self = createProcess<number>()
    const ref = self.sendAfter(100_000, 1)
    assert.equal(timers(), before + 1)
    const restore = fakeClock(t, 0)
    self.cancelTimer(ref)
    restore()
    await turn()
    assert.equal(timers(), before)
  })

  test('a process that nothing but the table holds is collected', async t => {
    await turn()
    const restore = fakeClock(t, 0)
    createProcess().exit()
    restore()
    const refs = spawnMany(100)
    await collected(refs)
    assert.equal(processes().filter(({ label }) => label === 'waits after a fake clock').length, 0)
  })
})

function spawnMany(number: number): WeakRef<Process>[] {
  return Array.from({ length: number }, () => {
    const process = spawn(self => self.receive(['never']))
    process.label = 'waits after a fake clock'
    return new WeakRef(process)
  })
}

/** Resolves once all of `refs` are collected. */
async function collected(refs: readonly WeakRef<object>[]): Promise<void> {
  for (let tries = 0; refs.some(ref => ref.deref() !== undefined); tries++) {
    assert.ok(tries < 20, 'not collected')
    await turn()
    globalThis.gc?.()
  }
}
