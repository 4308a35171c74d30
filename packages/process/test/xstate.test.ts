// A process as xstate actor logic: createActor, invoke, spawnChild.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  assign,
  createActor,
  createMachine,
  fromPromise,
  sendTo,
  setup,
  spawnChild,
  toPromise,
  waitFor,
} from 'xstate'
import { createProcess, exit, type MonitorTarget, P, type Process, ProcessExit, spawn } from '../src/index.ts'
import { fromProcess } from '../src/xstate.ts'
import { collectExits, collectUncaught } from './support/exits.ts'
import { reported, turn } from './support/turns.ts'

interface Add {
  readonly type: 'add'
  readonly n: number
}

interface Sum {
  readonly type: 'sum'
}

type Order = Add | Sum

/** Adds up numbers, beginning with its input, until it is asked for the sum. */
const adder = fromProcess(async (self: Process<Order>, { input }: { input: number }) => {
  for (let sum = input; ; ) {
    const order = await self.receive([{ type: 'add' }, { type: 'sum' }])
    if (order.type === 'sum') return sum
    sum += order.n
  }
})

describe('an actor made of a process', () => {
  test('gets its input, takes events as messages, and is done with its result', async () => {
    const actor = createActor(adder, { input: 1 })
    actor.start()
    for (const n of [2, 3]) actor.send({ type: 'add', n })
    actor.send({ type: 'sum' })
    assert.equal(await toPromise(actor), 6)
    const { status, output } = actor.getSnapshot()
    assert.deepEqual({ status, output }, { status: 'done', output: 6 })
  })

  test('keeps the events that are sent before it is started', async () => {
    const actor = createActor(adder, { input: 0 })
    actor.send({ type: 'add', n: 2 })
    actor.send({ type: 'sum' })
    actor.start()
    assert.equal(await toPromise(actor), 2)
  })

  test('receives selectively: an event that nobody asks for stays', async () => {
    const logic = fromProcess(async (self: Process<Order>) => {
      await self.receive([{ type: 'sum' }])
      return [await self.receive([{ type: 'add' }]), self.messageQueueLength]
    })
    const actor = createActor(logic).start()
    actor.send({ type: 'add', n: 1 })
    actor.send({ type: 'sum' })
    assert.deepEqual(await toPromise(actor), [{ type: 'add', n: 1 }, 0])
  })

  for (const [name, body] of [
    [
      'before its first await',
      () => {
        throw new Error('boom')
      },
    ],
    [
      'after its first await',
      async () => {
        await turn()
        throw new Error('boom')
      },
    ],
    ['by exiting with an error', (self: Process<Order>) => self.exit(new Error('boom'))],
  ] as const) {
    test(`that fails ${name} fails with the error, which xstate reports and we do not`, async t => {
      const exits = collectExits(t)
      const actor = createActor(fromProcess<Order>(body))
      const errors: unknown[] = []
      actor.subscribe({ error: error => errors.push(error) })
      actor.start()
      await turn()
      await turn()
      assert.equal(actor.getSnapshot().status, 'error')
      assert.match(String(errors), /boom/)
      assert.equal(errors.length, 1)
      assert.deepEqual(exits, [])
    })
  }

  test('that fails with nobody watching is reported by xstate', async t => {
    const exits = collectExits(t)
    const uncaught = collectUncaught(t)
    createActor(fromProcess<Order>(() => Promise.reject(new Error('boom')))).start()
    await turn()
    await reported()
    assert.match(String(uncaught), /boom/)
    assert.deepEqual(exits, [])
  })

  test('that is stopped ends its process with shutdown', async () => {
    let inner: Process<Order> | undefined
    let seen: unknown
    const logic = fromProcess(async (self: Process<Order>) => {
      inner = self
      await self.receive([{ type: 'sum' }]).catch((error: unknown) => {
        seen = error
      })
    })
    const actor = createActor(logic).start()
    actor.stop()
    assert.equal(await inner?.exited, 'shutdown')
    await turn()
    assert.ok(seen instanceof ProcessExit)
    assert.equal(actor.getSnapshot().status, 'stopped')
  })

  test('whose process exits in order is done', async () => {
    const actor = createActor(fromProcess((self: Process<Order>) => self.exit('shutdown'))).start()
    await toPromise(actor)
    assert.equal(actor.getSnapshot().status, 'done')
  })

  test('gives its error to those that are linked to its process', async t => {
    collectExits(t)
    const other = createProcess()
    const logic = fromProcess((self: Process<Order>) => {
      self.link(other)
      throw new Error('boom')
    })
    const actor = createActor(logic)
    actor.subscribe({ error: () => undefined })
    actor.start()
    assert.match(String(await other.exited), /boom/)
  })

  test('can be monitored and ended by a process', async () => {
    const self = createProcess()
    const actor = createActor(adder, { input: 0 }).start()
    const ref = self.monitor(actor)
    exit(actor, 'shutdown')
    assert.deepEqual(await self.receive([{ type: 'DOWN', ref }], 0), {
      type: 'DOWN',
      ref,
      pid: actor,
      reason: 'shutdown',
    })
  })

  test('that traps exits gets its EXIT, from a link and from exit, as a process does', async () => {
    const logic = fromProcess(
      async (self: Process<Order>) => {
        const exits = [await self.receive([{ type: 'EXIT' }]), await self.receive([{ type: 'EXIT' }])]
        return exits.map(({ from, reason }) => [from, reason])
      },
      { trapExit: true },
    )
    const actor = createActor(logic).start()
    const [linked, other] = [createProcess(), createProcess()]
    linked.link(actor)
    linked.exit('normal')
    other.exit(actor, 'crash')
    assert.deepEqual(await toPromise(actor), [
      [linked, 'normal'],
      [other, 'crash'],
    ])
  })

  for (const [what, reason] of [
    ['an error', new Error('boom')],
    ['a crash', 'crash'],
    ['a shutdown with a cause', ['shutdown', 'x']],
    ['a shutdown', 'shutdown'],
  ] as const) {
    test(`passes the reason, ${what}, on in the middle of links, which is reported where it arose`, async t => {
      const exits = collectExits(t)
      const uncaught = collectUncaught(t)
      const actor = createActor(adder, { input: 0 }).start()
      const [before, after] = [createProcess(), createProcess()]
      before.link(actor)
      after.link(actor)
      before.exit(reason)
      assert.equal(await after.exited, reason)
      await reported()
      assert.deepEqual(
        exits.map(({ pid }) => pid),
        reason instanceof Error || reason === 'crash' ? [before] : [],
      )
      assert.deepEqual(uncaught, [])
    })
  }

  test('gives its watchers the reason, also an orderly one', async () => {
    const watcher = createProcess()
    const actor = createActor(fromProcess((self: Process<Order>) => self.exit(['shutdown', 'enough'])))
    watcher.monitor(actor)
    actor.start()
    const { reason } = await watcher.receive([{ type: 'DOWN', reason: P._ }])
    assert.deepEqual(reason, ['shutdown', 'enough'])
  })

  test('that throws a value that is no Error fails with an Error whose cause it is', async t => {
    collectExits(t)
    const watcher = createProcess()
    const actor = createActor(fromProcess<Order>(() => Promise.reject('normal')))
    watcher.monitor(actor)
    actor.start()
    const { reason } = await watcher.receive([{ type: 'DOWN', reason: P._ }])
    assert.ok(reason instanceof Error && reason.cause === 'normal')
    assert.equal(actor.getSnapshot().error, reason)
  })

  test('sends nothing back once its process has exited', async () => {
    const ticker = fromProcess<Order>(async (self, { sendBack }) => {
      sendBack({ type: 'TICK' })
      self.exit()
      sendBack({ type: 'TICK' })
    })
    const machine = setup({ actors: { ticker }, types: { context: {} as { ticks: number } } }).createMachine({
      context: { ticks: 0 },
      entry: spawnChild('ticker'),
      on: { TICK: { actions: assign({ ticks: ({ context }) => context.ticks + 1 }) } },
    })
    const actor = createActor(machine).start()
    await turn()
    assert.equal(actor.getSnapshot().context.ticks, 1)
  })

  test('takes the options of a process, and refuses wrong ones at once', async t => {
    collectExits(t)
    const trapping = fromProcess(
      async (self: Process<Order>) => {
        exit(self, 'crash')
        return (await self.receive([{ type: 'EXIT', reason: P._ }])).reason
      },
      { trapExit: true },
    )
    assert.equal(await toPromise(createActor(trapping).start()), 'crash')
    assert.throws(() => Reflect.apply(fromProcess, undefined, [() => 0, { trapExti: true }]), {
      message: /^options\.trapExti is not/,
    })
    assert.throws(() => Reflect.apply(fromProcess, undefined, [5]), { message: /^body must be/ })
  })

  test('starts anew from a persisted snapshot while it was active, and stays done once it was', async () => {
    const actor = createActor(adder, { input: 7 }).start()
    const active = actor.getPersistedSnapshot()
    actor.send({ type: 'sum' })
    await toPromise(actor)
    const again = createActor(adder, { snapshot: active, input: 7 }).start()
    again.send({ type: 'sum' })
    assert.equal(await toPromise(again), 7)
    const ended = createActor(adder, { snapshot: actor.getPersistedSnapshot(), input: 0 }).start()
    assert.equal(ended.getSnapshot().output, 7)
  })
})

describe('a machine', () => {
  test('invokes a process, sends it events, and gets its result', async () => {
    const machine = setup({
      types: { context: {} as { sum: number | undefined } },
      actors: { adder },
    }).createMachine({
      context: { sum: undefined },
      initial: 'adding',
      states: {
        adding: {
          entry: [sendTo('adder', { type: 'add', n: 4 }), sendTo('adder', { type: 'sum' })],
          invoke: {
            id: 'adder',
            src: 'adder',
            input: 10,
            onDone: { target: 'done', actions: assign({ sum: ({ event }) => event.output }) },
          },
        },
        done: { type: 'final' },
      },
    })
    const actor = createActor(machine).start()
    await waitFor(actor, snapshot => snapshot.status === 'done')
    assert.equal(actor.getSnapshot().context.sum, 14)
  })

  test('gets the error of a process that it invokes', async () => {
    const failing = fromProcess<Order>(() => Promise.reject(new Error('boom')))
    const machine = setup({ actors: { failing } }).createMachine({
      initial: 'working',
      states: { working: { invoke: { src: 'failing', onError: 'failed' } }, failed: {} },
    })
    const actor = createActor(machine).start()
    await waitFor(actor, snapshot => snapshot.matches('failed'))
  })

  test('ends the process that it invokes when it leaves the state', async () => {
    const ended: unknown[] = []
    const waiting = fromProcess((self: Process<Order>) => {
      void self.exited.then(reason => ended.push(reason))
      return self.receive([{ type: 'sum' }])
    })
    const machine = setup({ actors: { waiting } }).createMachine({
      initial: 'on',
      states: { on: { invoke: { src: 'waiting' }, on: { LEAVE: 'off' } }, off: {} },
    })
    const actor = createActor(machine).start()
    actor.send({ type: 'LEAVE' })
    await turn()
    assert.deepEqual(ended, ['shutdown'])
  })

  test('hands the reason for which a link stops it to the process that it invokes', async t => {
    collectExits(t)
    const ended: unknown[] = []
    const waiting = fromProcess((self: Process<Order>) => {
      void self.exited.then(reason => ended.push(reason))
      return self.receive([{ type: 'sum' }])
    })
    const machine = setup({ actors: { waiting } }).createMachine({ invoke: { src: 'waiting' } })
    const actor = createActor(machine).start()
    const [before, after] = [createProcess(), createProcess()]
    before.link(actor)
    after.link(actor)
    before.exit('crash')
    assert.equal(await after.exited, 'crash')
    await turn()
    assert.deepEqual(ended, ['crash'])
  })

  test('gets the crash of a process that it invokes and that a link ends', async t => {
    collectExits(t)
    const machine = setup({ actors: { adder } }).createMachine({
      initial: 'working',
      states: {
        working: { invoke: { id: 'adder', src: 'adder', input: 0, onError: 'failed' } },
        failed: {},
      },
    })
    const actor = createActor(machine).start()
    const other = createProcess()
    other.link(actor.getSnapshot().children.adder as MonitorTarget)
    other.exit('crash')
    await waitFor(actor, snapshot => snapshot.matches('failed'))
  })

  test('spawns a process, which sends events back', async () => {
    const ticker = fromProcess<Order>(async (_self, { sendBack }) => {
      sendBack({ type: 'TICK' })
    })
    const machine = setup({ actors: { ticker } }).createMachine({
      entry: spawnChild('ticker'),
      initial: 'waiting',
      states: { waiting: { on: { TICK: 'ticked' } }, ticked: {} },
    })
    const actor = createActor(machine).start()
    await waitFor(actor, snapshot => snapshot.matches('ticked'))
  })
})

test('an xstate actor is a Pid as it is, and a process can answer it', async () => {
  const actor = createActor(adder, { input: 0 }).start()
  await spawn(() => {
    actor.send({ type: 'add', n: 5 })
    actor.send({ type: 'sum' })
  }).exited
  assert.equal(await toPromise(actor), 5)
})

test('a promise actor that rejects with a value that is no Error crashes with an Error whose cause it is', async t => {
  collectExits(t)
  const self = createProcess()
  const actor = createActor(fromPromise(() => Promise.reject('normal')))
  self.link(actor)
  actor.start()
  const reason = await self.exited
  assert.ok(reason instanceof Error && reason.cause === 'normal')
})

test('a machine that a link stops passes the reason on, once, and killed for kill', async t => {
  const exits = collectExits(t)
  for (const [end, expected] of [
    ['crash', 'crash'],
    ['kill', 'kill'],
  ]) {
    const actor = createActor(createMachine({})).start()
    const [before, after] = [createProcess(), createProcess()]
    before.link(actor)
    after.link(actor)
    before.exit(end)
    assert.equal(await after.exited, expected)
    assert.deepEqual(exits.splice(0), [{ pid: before, reason: end }])
  }
  const actor = createActor(createMachine({})).start()
  const after = createProcess()
  after.link(actor)
  exit(actor, 'kill')
  assert.equal(await after.exited, 'killed')
})

test('a promise actor can be monitored like any other', async () => {
  const self = createProcess()
  const actor = createActor(fromPromise(async () => 'x'))
  self.monitor(actor)
  actor.start()
  const { reason } = await self.receive([{ type: 'DOWN', reason: P._ }])
  assert.equal(reason, 'normal')
})

test('an actor whose signal was aborted before it began is done at once, and its body never runs', async () => {
  let ran = false
  const body = () => {
    ran = true
  }
  const actor = createActor(fromProcess(body, { signal: AbortSignal.abort('enough') }))
  const self = createProcess()
  self.monitor(actor)
  actor.start()
  await turn()
  assert.equal(actor.getSnapshot().status, 'done')
  assert.deepEqual((await self.receive([{ type: 'DOWN' }], 0)).reason, ['shutdown', 'enough'])
  assert.equal(ran, false)
})
