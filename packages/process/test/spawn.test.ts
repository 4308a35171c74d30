// A process is linked or monitored by its maker before its body begins.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createProcess, isAlive, P, type Process, spawn } from '../src/index.ts'
import { collectExits } from './support/exits.ts'

describe('spawnLink', () => {
  test('starts a process whose end ends its maker', async t => {
    const exits = collectExits(t)
    const self = createProcess()
    const error = new Error('broken')
    const child = self.spawnLink(() => {
      throw error
    })
    assert.equal(await self.exited, error)
    assert.deepEqual(exits, [{ pid: child, reason: error }])
  })

  test('starts a process that ends with its maker', async () => {
    const self = createProcess()
    const child = self.spawnLink(process => process.receive([P._]))
    self.exit('shutdown')
    assert.equal(await child.exited, 'shutdown')
  })

  test('gives the signal of a child that ends at once to a maker that traps exits, with its reason', async () => {
    const self = createProcess({ trapExit: true })
    const aborted = AbortSignal.abort('no')
    const child = self.spawnLink(() => undefined, { signal: aborted })
    assert.deepEqual(await self.receive([{ type: 'EXIT' }]), {
      type: 'EXIT',
      from: child,
      reason: ['shutdown', 'no'],
    })
  })

  test('by a process that has exited gives the new one its exit signal, and no body runs', async () => {
    const self = createProcess()
    self.exit('shutdown')
    const child = self.spawnLink(() => assert.fail('the body runs'))
    assert.equal(await child.exited, 'shutdown')
  })

  test('passes options on, and throws for a wrong argument as spawn does, starting nothing', () => {
    const self = createProcess()
    const child = self.spawnLink(process => process.receive([P._]), { name: 'linked' })
    assert.match(String(child), /linked>$/)
    assert.throws(() => self.spawnLink(undefined as never), { message: 'body must be a function' })
    assert.throws(() => self.spawnLink(() => 0, { nam: 'x' } as object), {
      message: /^options.nam is not an option/,
    })
    child.exit()
  })
})

describe('spawnMonitor', () => {
  test('starts a process whose end sends a DOWN with the reference', async () => {
    const self = createProcess()
    const { pid, ref } = self.spawnMonitor(() => undefined)
    assert.deepEqual(await self.receive([{ type: 'DOWN' }]), { type: 'DOWN', ref, pid, reason: 'normal' })
    assert.equal(self.isAlive, true)
  })

  test('tells the reason of a process that ends before its body begins', async () => {
    const self = createProcess()
    const { ref } = self.spawnMonitor(() => undefined, { signal: AbortSignal.abort('no') })
    const { reason } = await self.receive([{ type: 'DOWN', ref }])
    assert.deepEqual(reason, ['shutdown', 'no'])
  })

  test('gives no DOWN of such a process if a guard that runs takes the monitor back', async () => {
    const self = createProcess<string>()
    self.send('x')
    await self.receive([
      P.when(() => {
        const { ref } = self.spawnMonitor(() => undefined, { signal: AbortSignal.abort('no') })
        assert.equal(self.demonitor(ref), true)
        return true
      }),
    ])
    assert.equal(self.messageQueueLength, 0)
  })

  test('by a process that has exited starts the process all the same', async () => {
    const self = createProcess()
    self.exit()
    const { pid } = self.spawnMonitor(() => undefined)
    assert.equal(await pid.exited, 'normal')
    assert.equal(self.messageQueueLength, 0)
  })
})

describe('isAlive', () => {
  test('is true until the end', () => {
    const self: Process<string> = spawn(process => process.receive([P._]))
    assert.equal(isAlive(self), true)
    self.exit()
    assert.equal(isAlive(self), false)
  })

  test('of something that does not end throws and names the argument', () => {
    assert.throws(() => isAlive({} as never), { name: 'TypeError', message: /^pid must be a process/ })
  })
})
