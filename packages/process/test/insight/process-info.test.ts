// The waits, messages and ties of a process can be known from outside, and being listed keeps no process alive.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import {
  type Call,
  createProcess,
  P,
  type Process,
  processes,
  processInfo,
  recordSpawns,
  registered,
  spawn,
} from '../../src/index.ts'
import { deliver, Source } from '../../src/internal.ts'

/** Gives the part of the living processes that was not there before. */
function newcomers(): () => Process<never>[] {
  const before = new Set(processes())
  return () => processes().filter(process => !before.has(process))
}

describe('processes', () => {
  test('lists those that have not exited, oldest first', async () => {
    const added = newcomers()
    const first = createProcess()
    const second = spawn(self => self.receive([P._]))
    assert.deepEqual(added(), [first, second])
    await turn()
    const third = createProcess()
    assert.deepEqual(added(), [first, second, third])
    second.exit()
    assert.deepEqual(added(), [first, third])
    first.exit()
    third.exit()
    assert.deepEqual(added(), [])
  })

  test('lists no process whose body has returned, however many there were', async () => {
    const added = newcomers()
    for (let round = 0; round < 3; round++) {
      await Promise.all(Array.from({ length: 3000 }, () => spawn(() => undefined).exited))
      await turn()
    }
    assert.deepEqual(added(), [])
  })

  test('lists no process that could not be made', () => {
    const added = newcomers()
    const first = createProcess({ name: 'only one' })
    assert.throws(() => createProcess({ name: 'only one' }))
    assert.throws(() => createProcess({ highWaterMark: { messages: 0 } }))
    assert.deepEqual(added(), [first])
    first.exit()
  })

  for (const [name, start] of [
    ['waits', () => void spawn(self => self.receive([P._]))],
    ['waits for a while', () => void spawn(self => self.receive([P._, { type: 'x' }]))],
    ['has no body', () => void createProcess()],
    ['waits for a promise that nobody can settle', () => void spawn(() => new Promise(() => undefined))],
  ] as const) {
    test(`keeps no process alive that ${name}, and that nothing else can reach`, async () => {
      assert.ok(globalThis.gc, 'run with --expose-gc')
      const added = newcomers()
      // Of its own, so that no variable of this function holds a process.
      const startMany = () => {
        for (let n = 0; n < 2000; n++) start()
      }
      startMany()
      for (let i = 0; i < 20 && added().length > 0; i++) {
        await turn()
        globalThis.gc()
      }
      assert.equal(added().length, 0)
    })
  }
})

describe('processInfo', () => {
  test('tells what a process waits for, and until when', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const self = createProcess<{ type: string; token?: string }>()
    assert.equal(processInfo(self).status, 'running')
    const [one, two] = [self.receive([{ type: 'a', token: 'x' }, { type: 'b' }], 60_000), self.receive([P._])]
    const { status, waitsFor } = processInfo(self)
    assert.equal(status, 'waiting')
    assert.deepEqual(
      waitsFor.map(({ patterns }) => patterns),
      [['{ type: "a", token: … }', '{ type: "b" }'], ['P._']],
    )
    assert.ok(waitsFor[0] && waitsFor[0].timeout <= 60_000 && waitsFor[0].timeout > 0)
    assert.equal(waitsFor[1]?.timeout, Number.POSITIVE_INFINITY)
    self.send({ type: 'b' })
    self.send({ type: 'c' })
    await Promise.all([one, two])
    assert.equal(processInfo(self).status, 'running')
  })

  test('tells of a call what was asked, and of its callee who waits', async () => {
    const server = createProcess<Call<{ type: 'get' }, number>>({ name: 'stuck' })
    const self = createProcess()
    const asked = self.call(server, { type: 'get' }, Number.POSITIVE_INFINITY)
    assert.deepEqual(processInfo(self).waitsFor, [
      {
        patterns: [`the reply of ${server} to { type: "get" }`],
        timeout: Number.POSITIVE_INFINITY,
        since: undefined,
      },
    ])
    assert.deepEqual(processInfo(server).monitoredBy, [self])
    assert.equal(processInfo(server).messageQueueLength, 1)
    server.exit()
    await assert.rejects(asked)
  })

  test('shows the oldest five messages without secrets, and how many wait', () => {
    const self = createProcess<object>()
    for (let n = 0; n < 7; n++) self.send({ type: 'n', n, password: 'hunter2' })
    const { messages, messageQueueLength } = processInfo(self)
    assert.equal(messageQueueLength, 7)
    assert.deepEqual(
      messages,
      [0, 1, 2, 3, 4].map(n => `{ type: "n", n: ${n}, password: … }`),
    )
  })

  test('tells what the mailbox presses on', async () => {
    const self = createProcess<number>({ highWaterMark: { messages: 2 } })
    const source = new Source({ pause() {}, resume() {}, carries: () => false, overflow() {} })
    for (let n = 0; n < 3; n++) self[deliver](source, n, 100)
    await turn()
    assert.deepEqual(processInfo(self).pressesOn, ['a source'])
    assert.equal(processInfo(self).messageQueueBytes, 300)
    await self.receive([P.number])
    await self.receive([P.number])
    assert.deepEqual(processInfo(self).pressesOn, [])
  })

  test('tells names, labels, ties and timers', t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const self = createProcess<string>({ name: 'informed', trapExit: true })
    const [linked, watched, watcher] = [createProcess(), createProcess({ name: 'seen' }), createProcess()]
    self.label = 'a worker'
    self.link(linked)
    self.monitor(watched)
    self.monitor('seen')
    watcher.monitor(self)
    self.sendAfter(2147483647, 'x')
    const info = processInfo(self)
    assert.equal(info.id, self.id)
    assert.equal(info.name, 'informed')
    assert.equal(info.label, 'a worker')
    assert.equal(info.trapExit, true)
    assert.deepEqual(info.links, [linked])
    assert.deepEqual(processInfo(linked).links, [self])
    assert.deepEqual(new Set(info.monitors), new Set([watched, 'seen']))
    assert.deepEqual(info.monitoredBy, [watcher])
    assert.equal(info.timers.length, 1)
    for (const process of [self, linked, watched, watcher]) process.exit()
    const after = processInfo(self)
    assert.deepEqual(
      [after.status, after.exitReason, after.links, after.monitors, after.timers],
      ['exited', 'normal', [], [], []],
    )
  })

  test('of something that is no process throws and names the argument', () => {
    assert.throws(() => processInfo({} as Process<never>), {
      name: 'TypeError',
      message: 'pid must be a process',
    })
    assert.throws(() => {
      createProcess().label = 7 as unknown as string
    }, /^TypeError: label must be a string or undefined$/)
  })
})

describe('where a process was spawned', () => {
  test('is kept only while that was asked for', t => {
    t.after(() => recordSpawns(false))
    const before = createProcess()
    recordSpawns(true)
    const spawned = spawn(() => undefined)
    const linked = createProcess().spawnLink(() => undefined)
    recordSpawns(false)
    const after = createProcess()
    assert.equal(processInfo(before).spawnedAt, undefined)
    assert.equal(processInfo(after).spawnedAt, undefined)
    for (const process of [spawned, linked])
      assert.match(processInfo(process).spawnedAt ?? '', /process-info\.test\.ts/)
    assert.throws(() => recordSpawns(1 as unknown as boolean), { message: 'on must be a boolean' })
  })
})

test('registered gives the names that are taken', () => {
  const self = createProcess({ name: 'one of them' })
  assert.ok(registered().includes('one of them'))
  self.exit()
  assert.ok(!registered().includes('one of them'))
})
