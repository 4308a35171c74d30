// A node starts and stops as often as it is told to, also where one is told before the other is done.

import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { type Carrier, named, node, send, startNode, stopNode, whereis } from '@holster/node'
import { createProcess } from '@holster/process'

afterEach(() => stopNode().catch(() => {}))

/** Makes a carrier that reaches nobody, and whose start and stop do as they are told. */
function carrier(parts: Partial<Pick<Carrier, 'start' | 'stop'>>): Carrier {
  return { name: 'lonely', isShared: false, start: async () => {}, stop: async () => {}, ...parts }
}

function gate(): { readonly passed: Promise<void>; open(): void } {
  let open!: () => void
  const passed = new Promise<void>(resolve => {
    open = resolve
  })
  return { passed, open }
}

test('a node that starts waits for the one before to leave', async () => {
  const { passed, open } = gate()
  await startNode({ name: 'before', carrier: carrier({ stop: () => passed }) })
  const left = stopNode()
  const begun = startNode({ name: 'after' })
  open()
  await Promise.all([left, begun])
  assert.equal(node(), 'after')
  assert.ok(await whereis('net_kernel', 'after'))
})

test('a node that is about to start is stopped once it has', async () => {
  const { passed, open } = gate()
  const begun = startNode({ name: 'short', carrier: carrier({ start: () => passed }) })
  const left = stopNode()
  open()
  await Promise.all([left, begun])
  assert.equal(node(), 'nonode@nohost')
})

test('all who stop a node wait until it has left', async () => {
  const { passed, open } = gate()
  await startNode({ name: 'slow', carrier: carrier({ stop: () => passed }) })
  const [first, second] = [stopNode(), stopNode()]
  open()
  await second
  assert.equal(node(), 'nonode@nohost')
  await first
})

test('a node that cannot start, since its process finds its name taken, keeps no other from starting', async () => {
  const holder = createProcess({ name: 'net_kernel' })
  await assert.rejects(startNode({ name: 'unlucky' }), /net_kernel/)
  assert.equal(node(), 'nonode@nohost')
  holder.exit()
  await startNode({ name: 'lucky' })
  assert.equal(node(), 'lucky')
})

test('a carrier that fails to stop is told of, and keeps no other node from starting', async () => {
  const failing = carrier({ stop: () => Promise.reject(new Error('stuck')) })
  await startNode({ name: 'stuck', carrier: failing })
  await assert.rejects(stopNode(), /stuck/)
  assert.equal(node(), 'nonode@nohost')
  await startNode({ name: 'free' })
  assert.equal(node(), 'free')
})

test('a start that fails says why, though its carrier fails to stop as well', async () => {
  const failing = carrier({
    start: () => Promise.reject(new Error('no way')),
    stop: () => {
      throw new Error('stuck')
    },
  })
  await assert.rejects(startNode({ name: 'lost', carrier: failing }), /no way/)
  assert.equal(node(), 'nonode@nohost')
})

test('names that were sent to and are not held any more take no memory', async () => {
  await startNode({ name: 'main' })
  const weigh = async () => {
    // A name that was collected is struck out in a later turn.
    for (let left = 4; left > 0; left--) {
      globalThis.gc?.()
      await turn()
    }
    return process.memoryUsage().heapUsed
  }
  const sendToMany = (from: number) => {
    for (let number = 0; number < 50_000; number++) send({ name: `name ${from + number}`, node: 'apart' }, 1)
  }
  sendToMany(0)
  const before = await weigh()
  for (let round = 1; round <= 4; round++) {
    sendToMany(round * 50_000)
    await weigh()
  }
  const grown = (await weigh()) - before
  assert.ok(grown < 10_000_000, `${grown} bytes are held`)
  assert.equal(named({ name: 'held', node: 'apart' }), named({ name: 'held', node: 'apart' }))
})
