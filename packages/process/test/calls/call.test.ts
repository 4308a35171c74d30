// A call asks one question, and gets one reply or one error.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createActor, setup } from 'xstate'
import {
  type Call,
  CallError,
  call,
  createProcess,
  exit,
  type From,
  P,
  type Pid,
  Process,
  ProcessExit,
  processes,
  processInfo,
  register,
  reply,
  spawn,
  unregister,
} from '../../src/index.ts'
import { collectExits, collectUnhandled } from '../support/exits.ts'

type Add = Call<{ type: 'add'; n: number }, void>
type Sum = Call<{ type: 'sum' }, number>
/** A call that the server keeps, so that the test replies. */
type Keep = Call<{ type: 'keep' }, string>
type Counter = Add | Sum | Keep

/** Starts a server that counts, and gives the return addresses that it keeps. */
function counter() {
  const kept: From<string>[] = []
  const server = spawn<Counter>(async self => {
    let sum = 0
    for (;;) {
      await self.receive([
        self.on({ type: 'call', request: { type: 'add' } }, ({ from, request }) => {
          sum += request.n
          reply(from)
        }),
        self.on({ type: 'call', request: { type: 'sum' } }, ({ from }) => reply(from, sum)),
        self.on({ type: 'call', request: { type: 'keep' } }, ({ from }) => kept.push(from)),
      ])
    }
  })
  return { server, kept }
}

/** Lets all microtasks run. */
const turn = () => new Promise(resolve => setImmediate(resolve))

describe('a call', () => {
  test('resolves to what the callee replies, and leaves other messages where they are', async () => {
    const { server } = counter()
    const self = createProcess<string>()
    self.send('before')
    assert.equal(await self.call(server, { type: 'add', n: 2 }), undefined)
    const sum = self.call(server, { type: 'sum' })
    self.send('after')
    assert.equal(await sum, 2)
    assert.deepEqual([await self.receive([P.string]), await self.receive([P.string])], ['before', 'after'])
  })

  test('by name reaches the process that has the name', async () => {
    const { server } = counter()
    register('counter', server)
    assert.equal(await createProcess().call('counter', { type: 'sum' }), 0)
    unregister('counter')
  })

  test('finds its reply although a receive waits for any message', async () => {
    const { server } = counter()
    const self = createProcess<string>()
    const received = self.receive([P._])
    assert.equal(await self.call(server, { type: 'sum' }), 0)
    self.send('mine')
    assert.equal(await received, 'mine')
  })

  test('may be made while others of the same process wait, each of which gets its own reply', async () => {
    const { server, kept } = counter()
    const self = createProcess()
    const calls = [1, 2, 3].map(() => self.call(server, { type: 'keep' }))
    await turn()
    for (const [n, from] of [...kept.entries()].reverse()) reply(from, `reply ${n}`)
    assert.deepEqual(await Promise.all(calls), ['reply 0', 'reply 1', 'reply 2'])
  })

  test('of a machine is an event to it, which may be answered at once', async () => {
    const machine = setup({
      types: {} as { events: Call<{ type: 'double'; n: number }, number> },
      actions: { answer: ({ event }) => reply(event.from, 2 * event.request.n) },
    }).createMachine({ on: { call: { actions: 'answer' } } })
    const actor = createActor(machine).start()
    assert.equal(await createProcess().call(actor, { type: 'double', n: 21 }), 42)
    actor.stop()
  })

  test('names its caller, which the callee may monitor', async () => {
    const { server, kept } = counter()
    const self = createProcess()
    void self.call(server, { type: 'keep' }).catch(() => undefined)
    await turn()
    assert.equal(kept[0]?.pid, self)
    self.exit()
  })

  test('keeps no timer, no monitor and no waiting receive behind it', async () => {
    const { server } = counter()
    const self = createProcess()
    await self.call(server, { type: 'sum' })
    assert.deepEqual(processInfo(server).monitoredBy, [])
    assert.deepEqual(processInfo(self).waitsFor, [])
    assert.deepEqual(processInfo(self).timers, [])
  })
})

describe('a call without a reply', () => {
  test('rejects when its time is over, and the late reply is dropped', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { server, kept } = counter()
    const self = createProcess()
    const late = self.call(server, { type: 'keep' })
    const rejected = assert.rejects(late, (error: CallError) => {
      assert.equal(error.reason, 'timeout')
      assert.equal(error.pid, server)
      assert.deepEqual(error.request, { type: 'keep' })
      assert.match(
        error.message,
        /^the call of #Process<\d+> with \{ type: "keep" \} failed: timeout: no reply within 5000 ms$/,
      )
      return error instanceof CallError
    })
    await turn()
    t.mock.timers.tick(4999)
    assert.equal(processInfo(self).status, 'waiting')
    t.mock.timers.tick(1)
    await rejected
    assert.deepEqual(processInfo(server).monitoredBy, [])
    const [from] = kept
    assert.ok(from)
    reply(from, 'too late')
    assert.equal(self.messageQueueLength, 0)
  })

  test('waits for ever with Infinity', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const { server, kept } = counter()
    const self = createProcess()
    const patient = self.call(server, { type: 'keep' }, Number.POSITIVE_INFINITY)
    await turn()
    t.mock.timers.tick(2147483647)
    for (const from of kept) reply(from, 'at last')
    assert.equal(await patient, 'at last')
  })

  test('takes the first of two replies', async () => {
    const { server, kept } = counter()
    const self = createProcess()
    const twice = self.call(server, { type: 'keep' })
    await turn()
    for (const from of kept) {
      reply(from, 'first')
      reply(from, 'second')
    }
    assert.equal(await twice, 'first')
    assert.equal(self.messageQueueLength, 0)
  })

  for (const [name, reason] of [
    ['an error', new Error('broken')],
    ["'normal'", 'normal'],
    ["'shutdown'", 'shutdown'],
  ] as const) {
    test(`rejects at once with the reason for which the callee ends, ${name}`, async t => {
      collectExits(t)
      const { server } = counter()
      const self = createProcess()
      const asked = self.call(server, { type: 'keep' })
      await turn()
      server.exit(reason)
      await assert.rejects(asked, (error: CallError) => {
        assert.equal(error.reason, reason)
        assert.equal(error.cause, reason instanceof Error ? reason : undefined)
        return true
      })
      assert.equal(self.messageQueueLength, 0)
    })
  }

  test("rejects with 'noproc' if the callee had ended, or nothing has the name", async () => {
    const { server } = counter()
    server.exit()
    await assert.rejects(createProcess().call(server, { type: 'sum' }), {
      name: 'CallError',
      reason: 'noproc',
    })
    await assert.rejects(createProcess().call('nobody', { type: 'sum' }), {
      reason: 'noproc',
      pid: 'nobody',
      message: 'the call of "nobody" with { type: "sum" } failed: noproc',
    })
  })

  for (const [name, callee] of [
    ['that nothing has', () => 'nobody'],
    [
      'of a process that has ended',
      () => {
        const { server } = counter()
        server.exit()
        return server
      },
    ],
  ] as const) {
    test(`lets the event loop turn, however often it is tried again, by a name ${name}`, async () => {
      const self = createProcess()
      const pid: Pid<Counter> | string = callee()
      let hasTurned = false
      setImmediate(() => {
        hasTurned = true
      })
      while (!hasTurned)
        await assert.rejects(self.call(pid as Pid<Counter>, { type: 'sum' }), { reason: 'noproc' })
    })
  }

  test('shows no secret in its message', async () => {
    await assert.rejects(createProcess().call('nobody', { password: 'hunter2' }), ({ message }: Error) => {
      assert.doesNotMatch(message, /hunter2/)
      return true
    })
  })

  test('rejects when the caller exits, and sends no more than the request', async t => {
    const unhandled = collectUnhandled(t)
    const { server, kept } = counter()
    const self = createProcess()
    const asked = self.call(server, { type: 'keep' })
    // Nobody awaits this one.
    void self.call(server, { type: 'keep' })
    await turn()
    self.exit('shutdown')
    await assert.rejects(asked, ProcessExit)
    assert.deepEqual(processInfo(server).monitoredBy, [])
    for (const from of kept) reply(from, 'late')
    await turn()
    assert.deepEqual(unhandled, [])
  })

  test('of a process that has exited is not sent', async () => {
    const { server, kept } = counter()
    const self = createProcess()
    self.exit()
    await assert.rejects(self.call(server, { type: 'keep' }), ProcessExit)
    await turn()
    assert.deepEqual(kept, [])
  })
})

describe('code that is no process', () => {
  test('calls through a process that ends with the call', async () => {
    const { server, kept } = counter()
    const before = new Set(processes())
    const asked = call(server, { type: 'keep' })
    await turn()
    const [from] = kept
    assert.ok(from?.pid instanceof Process && from.pid.isAlive)
    reply(from, 'yes')
    assert.equal(await asked, 'yes')
    assert.equal(from.pid.isAlive, false)
    assert.deepEqual(
      processes().filter(process => !before.has(process)),
      [],
    )
  })

  test('is told of an error as a process is, and nothing is left behind', async () => {
    const before = processes().length
    await assert.rejects(call('nobody', 1), { reason: 'noproc' })
    assert.throws(() => call({} as Process<Counter>, { type: 'sum' }), {
      name: 'TypeError',
      message: /^pid must be/,
    })
    assert.equal(processes().length, before)
  })
})

describe('a wrong argument of a call throws at once', () => {
  const { server } = counter()
  const self = createProcess<Counter>()
  const wrong = (pid: unknown, timeout?: unknown) => () =>
    void self.call(pid as typeof server, { type: 'sum' }, timeout as number)

  test('pid must be something that takes messages, and ends', () => {
    for (const pid of [undefined, null, 7, {}, { send() {} }]) {
      assert.throws(wrong(pid), { name: 'TypeError', message: /^pid must be a process/ })
    }
  })

  test('timeout must be a duration', () => {
    assert.throws(wrong(server, '5'), { name: 'TypeError', message: /^timeout must be a number/ })
    assert.throws(wrong(server, -1), { name: 'RangeError', message: /^timeout must be between/ })
  })

  test('a process cannot call itself, as no reply could come', () => {
    assert.throws(wrong(self), { message: /^pid is the process itself: #Process<\d+> cannot call itself$/ })
  })

  test('from must be that of a call', () => {
    for (const from of [undefined, {}, server]) {
      assert.throws(() => reply(from as unknown as From<string>, 'x'), {
        message: 'from must be that of a call',
      })
    }
  })
})

test('a return address that is kept keeps nothing of a call that has ended', async () => {
  const kept: From<string>[] = []
  const server = spawn<Call<object, string>>(async self => {
    for (;;) kept.push((await self.receive([{ type: 'call' }])).from)
  })
  const self = createProcess()
  const ask = async () => {
    const request = { type: 'keep' }
    // The error of the call has the request too.
    await assert.rejects(self.call(server, request, 0), { reason: 'timeout' })
    return new WeakRef(request)
  }
  const request = await ask()
  for (let tries = 0; request.deref() !== undefined; tries++) {
    assert.ok(tries < 20, 'the request is kept')
    await turn()
    globalThis.gc?.()
  }
  assert.equal(kept.length, 1)
  server.exit()
  self.exit()
})

test('a callee that is killed while it answers tells its caller the reason', async t => {
  const exits = collectExits(t)
  const { server } = counter()
  const self = createProcess()
  const asked = self.call(server, { type: 'keep' })
  await turn()
  exit(server, 'kill')
  await assert.rejects(asked, { reason: 'killed' })
  assert.deepEqual(exits, [{ pid: server, reason: 'killed' }])
})
