// Workers are started and stopped more than once, in any order with their node, and no two have one name.

import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { nodes, startNode, stopNode, type Workers, workers } from '@holster/node'
import { createProcess, setExitHook } from '@holster/process'

const crashes: unknown[] = []
let hook: ReturnType<typeof setExitHook>
let started: Workers[] = []

async function start(...args: Parameters<typeof workers>): Promise<Workers> {
  const all = await workers(...args)
  started.push(all)
  return all
}

beforeEach(() => {
  hook = setExitHook((_pid, reason) => crashes.push(reason))
  return startNode({ name: 'main' })
})

afterEach(async () => {
  await Promise.all(started.map(all => all.stop()))
  started = []
  await stopNode()
  setExitHook(hook)
  assert.deepEqual(crashes.splice(0), [])
})

test('workers whose names are taken are refused at once, and the others go on', async () => {
  const first = start(2)
  const taken = /options.prefix must be another one than 'main\.': there is a node 'main\.1' already/
  // Before the first are there, and behind that.
  await assert.rejects(workers(1), taken)
  await first
  await assert.rejects(workers(1), taken)
  await assert.rejects(workers(1, { prefix: 'main.' }), taken)
  const more = await start(1, { prefix: 'more.' })
  assert.deepEqual(more.nodes, ['more.1'])
  assert.deepEqual(nodes().toSorted(), ['main.1', 'main.2', 'more.1'])
})

test('workers may not have the name of the node that starts them', async () => {
  await stopNode()
  await startNode({ name: 'w2' })
  await assert.rejects(workers(2, { prefix: 'w' }), /there is a node 'w2' already/)
  assert.deepEqual((await start(1, { prefix: 'w' })).nodes, ['w1'])
})

for (const prefix of ['a b', 'a'.repeat(128), 5]) {
  test(`the prefix ${prefix} is refused`, async () => {
    await assert.rejects(workers(1, { prefix: prefix as string }), {
      name: 'TypeError',
      message: /^options.prefix /,
    })
  })
}

test('workers that have ended leave their names to others, and may be stopped again', async () => {
  const all = await start(1)
  await Promise.all([all.stop(), all.stop()])
  await all.stop()
  assert.deepEqual((await start(1)).nodes, ['main.1'])
})

test('workers that could not start leave their names to others', async () => {
  const preload = [new URL('./nowhere.js', import.meta.url)]
  await assert.rejects(workers(1, { preload }), { name: 'SupervisorError', code: 'failed_to_start_child' })
  // The thread that did not start is reported.
  assert.equal(crashes.splice(0).length, 1)
  assert.deepEqual((await start(1)).nodes, ['main.1'])
})

test('workers may be stopped though their node has stopped', async () => {
  const all = await start(2)
  const self = createProcess()
  const ref = self.monitor(all.supervisor)
  await stopNode()
  await all.stop()
  assert.equal((await self.receive([{ type: 'DOWN', ref }])).reason, 'normal')
  self.exit()
})
