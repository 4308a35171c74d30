// The body of a process that has exited can clean up, and has no effect on other processes.

import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createProcess, P, ProcessExit, register, spawn, whereis } from '../../src/index.ts'
import { collectExits, collectUnhandled } from '../support/exits.ts'
import { turn } from '../support/turns.ts'

const deadBody = fileURLToPath(new URL('../support/dead-body.ts', import.meta.url))

describe('a body that goes on after its process was killed', () => {
  const receives: [name: string, receive: (self: ReturnType<typeof createProcess>) => Promise<unknown>][] = [
    ['waits', self => self.receive([{ type: 'never' }])],
    ['looks once', self => self.receive([{ type: 'never' }], 0)],
    ['has a time', self => self.receive([{ type: 'never' }], { timeout: 0, onTimeout: () => 'over' })],
  ]
  for (const [name, receive] of receives) {
    test(`and catches every error of its receive, which ${name}, does not block the program`, async () => {
      let tries = 0
      let isOver = false
      const self = spawn(async process => {
        while (!isOver) {
          try {
            await receive(process)
          } catch {
            // A loop of microtasks alone would keep the test from failing.
            if (!process.isAlive && ++tries === 10_000) isOver = true
          }
        }
      })
      await turn()
      self.exit('shutdown')
      await turn()
      await turn()
      assert.ok(tries < 10, `${tries} receives in two turns of the event loop`)
      isOver = true
    })
  }

  test('gets the error at once if it waits, and can clean up', async () => {
    const steps: string[] = []
    const self = spawn(async process => {
      try {
        await process.receive([{ type: 'never' }])
      } finally {
        steps.push('cleaned up')
      }
    })
    await turn()
    self.exit('shutdown')
    await Promise.resolve()
    await Promise.resolve()
    assert.deepEqual(steps, ['cleaned up'])
  })

  test('gets a ProcessExit at its next receive, not before the next turn', async t => {
    const unhandled = collectUnhandled(t)
    const self = createProcess()
    self.exit('shutdown')
    const steps: string[] = []
    const received = self.receive([P._]).catch((error: unknown) => {
      steps.push('rejected')
      return error
    })
    for (let i = 0; i < 100; i++) await Promise.resolve()
    steps.push('microtasks')
    const error = await received
    assert.ok(error instanceof ProcessExit && error.reason === 'shutdown')
    assert.deepEqual(steps, ['microtasks', 'rejected'])
    void self.receive([P._])
    await turn()
    await turn()
    assert.deepEqual(unhandled, [])
  })

  test('lets the program end, although it receives for ever', async () => {
    const [code, signal] = await once(fork(deadBody, { execArgv: ['--import=tsx'] }), 'exit')
    assert.deepEqual({ code, signal }, { code: 0, signal: null })
  })

  test('and calls exit again has that call return', async t => {
    const exits = collectExits(t)
    const steps: string[] = []
    const self = spawn(process => {
      process.exit('shutdown')
      steps.push('after exit')
      process.exit(new Error('again'))
      steps.push('after the second')
    })
    assert.equal(await self.exited, 'shutdown')
    await turn()
    assert.deepEqual(steps, ['after exit', 'after the second'])
    assert.deepEqual(exits, [])
  })

  test('changes nothing by its calls of the process', async t => {
    const exits = collectExits(t)
    const other = createProcess({ trapExit: true })
    const self = createProcess<string>()
    self.exit('shutdown')
    self.link(other)
    self.monitor(other)
    self.sendAfter(0, 'later')
    self.send('now')
    self.trapExit = true
    assert.equal(self.flush(), 0)
    assert.throws(() => register('late', self), { message: /has exited$/ })
    assert.equal(whereis('late'), undefined)
    let began = false
    const begin = () => {
      began = true
    }
    const child = spawn(begin, { signal: self.signal })
    assert.equal(child.isAlive, false)
    other.exit('shutdown')
    await turn()
    assert.equal(began, false)
    assert.equal(self.messageQueueLength, 0)
    assert.deepEqual(exits, [])
  })
})
