// A message that waits already is taken at once, without a promise.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createProcess, P, trace } from '../../src/index.ts'
import { take } from '../../src/internal.ts'

interface Message {
  readonly type: 'a' | 'b'
  readonly n: number
}

describe('take', () => {
  test('gives the oldest message that matches, and the others keep their place', async () => {
    await using self = createProcess<Message>()
    for (const n of [1, 2, 3]) self.send({ type: n === 1 ? 'a' : 'b', n })
    assert.deepEqual(self[take]([{ type: 'b' }]), { type: 'b', n: 2 })
    assert.deepEqual(self[take]([{ n: 3 }, { n: 1 }]), { type: 'a', n: 1 })
    assert.deepEqual(await self.receive([{ type: 'b' }], 0), { type: 'b', n: 3 })
  })

  test('gives nothing where no message matches, or none waits', async () => {
    await using self = createProcess<Message>()
    assert.equal(self[take]([{ type: 'a' }]), undefined)
    self.send({ type: 'a', n: 1 })
    assert.equal(self[take]([{ type: 'b' }]), undefined)
    assert.equal(self.messageQueueLength, 1)
  })

  test('gives nothing of a process that has exited', () => {
    const self = createProcess<Message>()
    self.send({ type: 'a', n: 1 })
    self.exit()
    assert.equal(self[take]([{ type: 'a' }]), undefined)
  })

  test('throws what a guard throws, and the message stays', async () => {
    await using self = createProcess<Message>()
    self.send({ type: 'a', n: 1 })
    const boom = new Error('boom')
    const guard = P.when((): boolean => {
      throw boom
    })
    assert.throws(() => self[take]([{ n: guard }]), boom)
    assert.equal(self.messageQueueLength, 1)
  })

  test('is told to whoever traces the process', async () => {
    await using self = createProcess<Message>()
    const events: string[] = []
    trace(self, ({ event }) => events.push(event))
    self.send({ type: 'a', n: 1 })
    self[take]([{ type: 'a' }])
    assert.deepEqual(events, ['send', 'receive'])
  })
})
