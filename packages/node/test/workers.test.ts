// Worker nodes: threads that know each other, are started anew when they die, and share the work.

import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import {
  moduleAt,
  type NodeChange,
  node,
  nodes,
  send,
  spawnAny,
  spawnAt,
  startNode,
  stopNode,
  type Workers,
  type WorkersOptions,
  workers,
} from '@holster/node'
import { createProcess, type Down, makeRef, type Pid, type Process, setExitHook } from '@holster/process'
import type { Death, Echo } from './support/bodies.ts'

const bodies = moduleAt<typeof import('./support/bodies.ts')>(new URL('./support/bodies.ts', import.meta.url))
const preload = [new URL('./support/typescript.mjs', import.meta.url)]

type News =
  | NodeChange
  | { readonly type: 'sees'; readonly nodes: readonly string[] }
  | { readonly type: 'weighed'; readonly length: number; readonly sum: number }
  | { readonly type: 'echoed'; readonly body: unknown; readonly self: Pid<Echo> }

let started: Workers[] = []

async function start(count: number, options: WorkersOptions = {}): Promise<Workers> {
  const all = await workers(count, { preload, ...options })
  started.push(all)
  return all
}

/** Makes a process that ends with the test, and collects the reports of crashes. */
function main(t: TestContext): { readonly self: Process<News>; readonly crashes: unknown[] } {
  const crashes: unknown[] = []
  const hook = setExitHook((_pid, reason) => crashes.push(reason))
  const self = createProcess<News>({ trapExit: true })
  t.after(() => {
    self.exit()
    setExitHook(hook)
  })
  return { self, crashes }
}

beforeEach(() => startNode({ name: 'main' }))

afterEach(async () => {
  await Promise.all(started.map(all => all.stop().catch(() => {})))
  started = []
  await stopNode()
})

test('workers are named after the node that started them, and know it and each other', async t => {
  const { self } = main(t)
  const { nodes: names } = await start(3)
  assert.deepEqual(names, ['main.1', 'main.2', 'main.3'])
  assert.deepEqual(nodes().toSorted(), ['main.1', 'main.2', 'main.3'])
  for (const name of names) {
    const pid = await spawnAt(name, bodies, 'observer', self as Pid<unknown>, 'main')
    assert.equal(pid.node, name)
    const { nodes: seen } = await self.receive([{ type: 'sees' }])
    const others: string[] = ['main', ...names].filter(other => other !== name)
    assert.deepEqual(seen.toSorted(), others.toSorted())
  }
})

for (const option of ['preload', 'execArgv']) {
  test(`the option ${option} of workers must be an array`, async () => {
    await assert.rejects(
      workers(1, { [option]: './module.js' }),
      new RegExp(`options.${option} must be an array`),
    )
  })
}

describe('a worker that dies', () => {
  for (const how of [
    'an error',
    'an exit of the program',
    'want of memory',
  ] as const satisfies readonly Death[]) {
    test(`of ${how} is told by noconnection and nodedown, and is started anew`, async t => {
      const { self, crashes } = main(t)
      const { nodes: names } = await start(2, { resourceLimits: { maxOldGenerationSizeMb: 64 } })
      const [dying, other] = names as [string, string]
      self.monitorNode(dying)
      await spawnAt(other, bodies, 'observer', self as Pid<unknown>, dying)
      await self.receive([{ type: 'sees' }])
      const pid = await spawnAt(dying, bodies, 'reaper', 'a busy loop' as Death)
      const ref = self.monitor(pid)
      void spawnAt(dying, bodies, 'reaper', how).catch(() => {})
      const down: Down = await self.receive([{ type: 'DOWN', ref }])
      assert.deepEqual(down, { type: 'DOWN', ref, pid, reason: 'noconnection' })
      // Here, and on the other worker.
      for (const change of ['nodedown', 'nodeup'] as const) {
        await self.receive([{ type: change, node: dying }])
        await self.receive([{ type: change, node: dying }])
      }
      const again = await spawnAt(dying, bodies, 'echo')
      again.send({ type: 'echo', from: self, body: 1 })
      await self.receive([{ type: 'echoed', self: again }])
      assert.equal(crashes.length, 1)
    })
  }

  test('too often ends all of them, and the supervisor says so', async t => {
    const { self } = main(t)
    const { nodes: names, supervisor } = await start(2, { intensity: 1, period: 60_000 })
    const ref = self.monitor(supervisor)
    self.monitorNode('main.1')
    for (let deaths = 0; deaths < 2; deaths++) {
      void spawnAt('main.1', bodies, 'reaper', 'an exit of the program').catch(() => {})
      await self.receive([{ type: 'nodedown' }])
      if (deaths === 0) await self.receive([{ type: 'nodeup' }])
    }
    assert.equal((await self.receive([{ type: 'DOWN', ref }])).reason, 'shutdown')
    self.monitorNode('main.2')
    await self.receive([{ type: 'nodedown', node: 'main.2' }])
    assert.equal(names.length, 2)
  })
})

test('workers can be stopped more than once', async () => {
  const all = await start(1)
  await Promise.all([all.stop(), all.stop()])
  await all.stop()
  assert.deepEqual(nodes(), [])
})

test('workers are stopped without a report, also by a program that is no node any more', async t => {
  const { crashes } = main(t)
  const all = await start(1)
  await stopNode()
  await all.stop()
  assert.deepEqual(crashes, [])
})

test('calls that wait for a worker which dies are rejected with noconnection', async t => {
  const { self } = main(t)
  await start(1)
  const pid = await spawnAt('main.1', bodies, 'counter', 0)
  const waiting = self.call(pid, { type: 'ignore' }, Number.POSITIVE_INFINITY)
  void spawnAt('main.1', bodies, 'reaper', 'an exit of the program').catch(() => {})
  await assert.rejects(waiting, { name: 'CallError', reason: 'noconnection' })
})

test('a worker that is busy for longer than the tick time counts as gone, and comes back', async t => {
  await stopNode()
  await startNode({ name: 'main', tickTime: 300 })
  const { self } = main(t)
  await start(1)
  const pid = await spawnAt('main.1', bodies, 'echo')
  const ref = self.monitor(pid)
  self.monitorNode('main.1')
  const blocked = spawnAt('main.1', bodies, 'reaper', 'a busy loop' as Death).catch(() => {})
  assert.equal((await self.receive([{ type: 'DOWN', ref }])).reason, 'noconnection')
  await self.receive([{ type: 'nodedown' }])
  await self.receive([{ type: 'nodeup' }])
  await blocked
  // The thread has lived on, and so has the process.
  pid.send({ type: 'echo', from: self, body: 'again' })
  assert.equal((await self.receive([{ type: 'echoed', self: pid }])).body, 'again')
})

describe('bytes', () => {
  test('that the sender gives away are moved, and are gone here', async t => {
    const { self } = main(t)
    await start(1)
    const pid = await spawnAt('main.1', bodies, 'weigher', self as Pid<unknown>)
    const bytes = new Uint8Array(1000).fill(1)
    send(pid, { bytes }, { transfer: [bytes.buffer] })
    assert.equal(bytes.length, 0)
    assert.deepEqual(await self.receive([{ type: 'weighed' }]), { type: 'weighed', length: 1000, sum: 1000 })
  })

  test('are copied otherwise, and as they were when they were sent', async t => {
    const { self } = main(t)
    await start(1)
    const pid = await spawnAt('main.1', bodies, 'weigher', self as Pid<unknown>)
    const bytes = new Uint8Array(1000).fill(1)
    pid.send({ bytes })
    bytes.fill(2)
    assert.equal((await self.receive([{ type: 'weighed' }])).sum, 1000)
  })

  test('stay here if the message cannot be sent', async () => {
    await start(1)
    const pid = await spawnAt('main.1', bodies, 'echo')
    const bytes = new Uint8Array(10)
    const body = { bytes, socket: () => {} }
    const wrong = () => send(pid as Pid<unknown>, { type: 'echo', body }, { transfer: [bytes.buffer] })
    assert.throws(wrong, { name: 'TypeError', message: /^message\.body\.socket: a function cannot be sent/ })
    assert.equal(bytes.length, 10)
    assert.throws(
      () => send(pid as Pid<unknown>, 1, { transfer: [bytes] as never }),
      /options.transfer must be an array of ArrayBuffers/,
    )
  })
})

describe('spawnAny', () => {
  test('spreads processes evenly over workers that have nothing to do', async t => {
    const { self } = main(t)
    const { nodes: names } = await start(2)
    const pids = await Promise.all(Array.from({ length: 20 }, () => spawnAny(bodies, 'echo')))
    const places = pids.map(pid => pid.node)
    for (const name of names) assert.equal(places.filter(place => place === name).length, 10)
    for (const pid of pids) pid.send({ type: 'echo', from: self, body: 0 })
    for (const pid of pids) await self.receive([{ type: 'echoed', self: pid }])
  })

  test('leaves a worker alone whose thread is busy', async t => {
    await stopNode()
    await startNode({ name: 'main', tickTime: 300 })
    const { self } = main(t)
    await start(2)
    // The first measure is only where the second begins.
    await spawnAny(bodies, 'echo')
    self.monitorNode('main.1')
    const blocked = spawnAt('main.1', bodies, 'reaper', 'a busy loop' as Death).catch(() => {})
    // A thread that was silent for so long was busy for so long.
    await self.receive([{ type: 'nodedown' }])
    for (let i = 0; i < 4; i++) assert.equal((await spawnAny(bodies, 'echo')).node, 'main.2')
    await blocked
  })

  test('needs workers', async () => {
    await assert.rejects(spawnAny(bodies, 'echo'), /start some with workers\(n\) first/)
  })
})

test('handles that nobody holds any more are let go on both sides', async t => {
  const { self } = main(t)
  await start(1)
  const pid = await spawnAt('main.1', bodies, 'echo')
  const weak: WeakRef<object>[] = []
  const visit = async () => {
    const ref = makeRef()
    const child = await spawnAt('main.1', bodies, 'echo')
    pid.send({ type: 'echo', from: self, body: [ref, child] })
    const { body } = await self.receive([{ type: 'echoed', self: pid }])
    assert.deepEqual(body, [ref, child])
    weak.push(new WeakRef(ref), new WeakRef(child))
  }
  for (let i = 0; i < 50; i++) await visit()
  for (let tries = 0; weak.some(each => each.deref() !== undefined) && tries < 50; tries++) {
    // Another message lets go of what the last one has left in the library's buffers.
    pid.send({ type: 'echo', from: self, body: 0 })
    await self.receive([{ type: 'echoed', self: pid }])
    await turn()
    globalThis.gc?.()
  }
  assert.equal(weak.filter(each => each.deref() !== undefined).length, 0)
})

describe('a node', () => {
  test('is one at a time', async () => {
    assert.equal(node(), 'main')
    await assert.rejects(startNode({ name: 'other' }), /this program is a node already: 'main'/)
  })

  test('has the processes of this program', t => {
    assert.equal(main(t).self.node, 'main')
  })

  test('that is not there is down at once', async t => {
    const { self } = main(t)
    self.monitorNode('nowhere')
    assert.deepEqual(await self.receive([{ type: 'nodedown' }]), { type: 'nodedown', node: 'nowhere' })
    await assert.rejects(spawnAt('nowhere', bodies, 'echo'), { name: 'CallError', reason: 'noconnection' })
  })

  test('tells of others as often as it is asked to', async t => {
    const { self } = main(t)
    const { stop } = await start(1)
    self.monitorNode('main.1')
    self.monitorNode('main.1')
    self.monitorNode('main.1', false)
    await stop()
    await self.receive([{ type: 'nodedown' }])
    await turn()
    assert.equal(self.messageQueueLength, 0)
  })

  for (const [options, message] of [
    [{ name: '' }, /options.name must be 1 to 128/],
    [{ name: 'a b' }, /options.name/],
    [{ name: 'a', tickTime: 5 }, /options.tickTime must be at least 100/],
    [{ name: 'a', window: 5 }, /options.window/],
    [{ name: 'a', cookie: 'short' }, /options.cookie must be a string of at least 16/],
    [{ name: 'a', carrier: {} }, /options.carrier must be a carrier/],
    [
      { name: 'a', carrier: { start() {}, isShared: true, name: 'mine' } },
      /options.cookie is needed with the carrier 'mine'/,
    ],
    [{ name: 'a', ticktime: 5 }, /options.ticktime is not an option of startNode.*tickTime/],
    [{ name: 'a', onRefused: 5 }, /options.onRefused must be a function/],
  ] as const) {
    test(`is refused with ${message.source}`, async () => {
      await assert.rejects(startNode(options as never), message)
    })
  }

  test('is none after stopNode, and what needs one says what to do', async t => {
    await stopNode()
    const { self } = main(t)
    assert.equal(node(), 'nonode@nohost')
    assert.equal(self.node, 'nonode@nohost')
    assert.deepEqual(nodes(), [])
    assert.throws(() => self.monitorNode('main.1'), /call startNode/)
    await assert.rejects(workers(1), /call startNode first/)
    await stopNode()
  })
})
