// The exit of a process, its signals, and the exit hook.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { runInNewContext } from 'node:vm'
import {
  createProcess,
  type Down,
  type ExitHook,
  P,
  ProcessExit,
  type ProcessOptions,
  setExitHook,
  spawn,
} from '../../src/index.ts'
import { reportExit } from '../../src/internal.ts'
import { collectExits, collectUnhandled } from '../support/exits.ts'
import { turn } from '../support/turns.ts'

describe('a body', () => {
  test('that returns exits normal, and nothing is reported', async t => {
    const exits = collectExits(t)
    assert.equal(await spawn(() => 'ignored').exited, 'normal')
    assert.deepEqual(exits, [])
  })

  test('begins after spawn has returned, in a microtask', async () => {
    const steps: string[] = []
    const self = spawn(() => steps.push('body'))
    steps.push('spawned')
    await self.exited
    assert.deepEqual(steps, ['spawned', 'body'])
  })

  test('gets its own process', async () => {
    let given: unknown
    const self = spawn(process => {
      given = process
    })
    await self.exited
    assert.equal(given, self)
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
  ] as const) {
    test(`that throws ${name} exits with the error, which is reported once`, async t => {
      const exits = collectExits(t)
      const unhandled = collectUnhandled(t)
      const self = spawn(body)
      const reason = await self.exited
      assert.ok(reason instanceof Error && reason.message === 'boom')
      await turn()
      assert.deepEqual(exits, [{ pid: self, reason }])
      assert.deepEqual(unhandled, [])
    })
  }

  test('that throws undefined exits with an error all the same', async t => {
    const exits = collectExits(t)
    const reason = await spawn(() => Promise.reject()).exited
    assert.ok(reason instanceof Error)
    assert.equal(exits.length, 1)
  })

  for (const value of ['normal', ['shutdown', 'x'], 5, null, undefined, { toString: null }]) {
    test(`that throws ${inspect(value)}, which is no Error, crashes with an Error whose cause it is`, async t => {
      const exits = collectExits(t)
      const [watcher, linked] = [createProcess<Down>(), createProcess()]
      const self = spawn(() => Promise.reject(value))
      linked.link(self)
      watcher.monitor(self)
      const { reason } = await watcher.receive([{ type: 'DOWN', reason: P.instanceOf(Error) }])
      assert.equal(reason.cause, value)
      assert.equal(await linked.exited, reason)
      assert.deepEqual(exits, [{ pid: self, reason }])
    })
  }

  test('that throws an Error of another realm exits with that very error', async t => {
    collectExits(t)
    const error: unknown = runInNewContext('new Error("foreign")')
    assert.equal(await spawn(() => Promise.reject(error)).exited, error)
  })

  test('does not begin when its process has ended before', async () => {
    let began = false
    const self = spawn(() => {
      began = true
    })
    self.exit()
    await turn()
    assert.equal(began, false)
  })

  test('is not waited for when the process ends, and its later rejection is swallowed', async t => {
    const exits = collectExits(t)
    const unhandled = collectUnhandled(t)
    let fail: (error: Error) => void = () => undefined
    const self = spawn(async () => {
      await new Promise((_, reject) => {
        fail = reject
      })
    })
    const watcher = createProcess()
    await turn()
    watcher.monitor(self)
    self.exit('shutdown')
    assert.equal(watcher.messageQueueLength, 1)
    assert.equal(await self.exited, 'shutdown')
    fail(new Error('too late'))
    await turn()
    assert.deepEqual(exits, [])
    assert.deepEqual(unhandled, [])
  })

  test('that waits in a receive ends with it', async () => {
    let seen: unknown
    const self = spawn(async process => {
      await process.receive([{ type: 'never' }]).catch((error: unknown) => {
        seen = error
      })
    })
    await turn()
    self.exit('shutdown')
    await turn()
    assert.ok(seen instanceof ProcessExit && seen.reason === 'shutdown')
  })
})

describe('a process that has exited', () => {
  test('takes no message, and keeps none', () => {
    const self = createProcess<string>()
    self.send('before')
    self.exit()
    self.send('after')
    assert.equal(self.messageQueueLength, 0)
    assert.equal(self.isAlive, false)
  })

  test('keeps the first reason', async t => {
    collectExits(t)
    const self = createProcess()
    self.exit('shutdown')
    self.exit('other')
    assert.equal(await self.exited, 'shutdown')
  })

  test('has resolved exited, whether that was first read before or after', async () => {
    const self = createProcess()
    const before = self.exited
    self.exit('shutdown')
    assert.equal(await before, 'shutdown')
    assert.equal(await self.exited, 'shutdown')
  })
})

describe('the signal of a process', () => {
  test('aborts with a ProcessExit when the process exits', () => {
    const self = createProcess()
    const { signal } = self
    assert.equal(signal.aborted, false)
    assert.equal(self.signal, signal)
    self.exit('shutdown')
    assert.equal(signal.aborted, true)
    assert.ok(signal.reason instanceof ProcessExit && signal.reason.reason === 'shutdown')
  })

  test('is aborted when it is first asked for afterwards', () => {
    const self = createProcess()
    self.exit()
    assert.equal(self.signal.aborted, true)
  })
})

describe('the signal option', () => {
  test('ends the process with shutdown and its reason when it aborts', async () => {
    const controller = new AbortController()
    const self = spawn(process => process.receive([{ type: 'never' }]), { signal: controller.signal })
    controller.abort('enough')
    assert.deepEqual(await self.exited, ['shutdown', 'enough'])
  })

  test('that is aborted already makes a process that has ended', async () => {
    let began = false
    const body = () => {
      began = true
    }
    const self = spawn(body, { signal: AbortSignal.abort('enough'), name: 'aborted' })
    assert.deepEqual(await self.exited, ['shutdown', 'enough'])
    assert.equal(began, false)
    createProcess({ name: 'aborted' }).exit()
  })

  test('is not listened to any more once the process has exited', t => {
    const { signal } = new AbortController()
    const removed = t.mock.method(signal, 'removeEventListener')
    createProcess({ signal }).exit()
    assert.equal(removed.mock.callCount(), 1)
  })
})

describe('disposal', () => {
  test('of a process exits it, and waits for the end', async () => {
    const self = createProcess()
    await self[Symbol.asyncDispose]()
    assert.equal(await self.exited, 'normal')
    await self[Symbol.asyncDispose]()
  })

  test('works with await using', async () => {
    const outer: { self?: ReturnType<typeof createProcess> } = {}
    {
      await using self = createProcess()
      outer.self = self
      assert.equal(self.isAlive, true)
    }
    assert.equal(outer.self?.isAlive, false)
  })
})

describe('the exit hook', () => {
  test('gets a reason that nobody handled, once', t => {
    const exits = collectExits(t)
    const self = createProcess()
    self.exit('crash')
    self.exit('again')
    assert.deepEqual(exits, [{ pid: self, reason: 'crash' }])
  })

  test('never gets an orderly reason', t => {
    const exits = collectExits(t)
    for (const reason of ['normal', 'shutdown', ['shutdown', new Error('cause')], undefined]) {
      createProcess().exit(reason)
    }
    assert.deepEqual(exits, [])
  })

  test('gets a reason that only resembles an orderly one', t => {
    const exits = collectExits(t)
    for (const reason of ['NORMAL', ['normal'], null, {}]) createProcess().exit(reason)
    assert.equal(exits.length, 4)
  })

  test('is given back by setExitHook, and undefined restores the default', () => {
    const mine: ExitHook = () => undefined
    const standard = setExitHook(mine)
    assert.equal(setExitHook(undefined), mine)
    assert.equal(setExitHook(standard), standard)
    assert.throws(() => setExitHook(5 as unknown as ExitHook), { message: /^hook must be/ })
  })

  test('is by default a warning of the host, which names the process and the reason', async t => {
    setExitHook(undefined)
    const emitted = t.mock.method(process, 'emitWarning', () => undefined)
    const self = createProcess({ name: 'doomed' })
    self.exit(new Error('boom'))
    createProcess().exit({ odd: true })
    const [first, second] = emitted.mock.calls.map(call => call.arguments as unknown[])
    assert.equal(first?.[0], `${self.id.replace('>', ' doomed>')} exited: Error: boom`)
    assert.match(String(second?.[0]), /exited: \{ odd: true \}$/)
    const { type, code } = (first ?? [])[1] as { type: string; code: string }
    assert.deepEqual({ type, code }, { type: 'UncaughtExit', code: 'HOLSTER_UNCAUGHT_EXIT' })
  })

  test('that throws gives way to the default for that reason, and the exit goes on', t => {
    const emitted = t.mock.method(process, 'emitWarning', () => undefined)
    const previous = setExitHook(() => {
      throw new Error('hook')
    })
    t.after(() => {
      setExitHook(previous)
    })
    const self = createProcess()
    self.exit('crash')
    assert.equal(self.isAlive, false)
    assert.deepEqual(
      emitted.mock.calls.map(call => String(call.arguments[0])),
      [`${self.id} exited: crash`, `${self.id} exited: Error: hook`],
    )
  })

  test('that rejects gives way to the default for that reason, too', async t => {
    const unhandled = collectUnhandled(t)
    const emitted = t.mock.method(process, 'emitWarning', () => undefined)
    const previous = setExitHook(async () => {
      throw new Error('hook')
    })
    t.after(() => {
      setExitHook(previous)
    })
    const self = createProcess()
    self.exit('crash')
    await turn()
    assert.deepEqual(
      emitted.mock.calls.map(call => String(call.arguments[0])),
      [`${self.id} exited: crash`, `${self.id} exited: Error: hook`],
    )
    assert.deepEqual(unhandled, [])
  })

  test('by default also names a reason that cannot be shown', t => {
    setExitHook(undefined)
    const emitted = t.mock.method(process, 'emitWarning', () => undefined)
    const fail = () => {
      throw new Error('not even that')
    }
    const self = createProcess()
    self.exit({ [inspect.custom]: fail, toString: fail })
    createProcess().exit(Object.defineProperty(new Error('boom'), 'message', { get: fail }))
    const [first, second] = emitted.mock.calls.map(call => String(call.arguments[0]))
    assert.equal(first, `${self.id} exited: a value that cannot be shown`)
    assert.match(String(second), /exited: a value that cannot be shown$/)
  })

  test('can be given a reason by another package', t => {
    const exits = collectExits(t)
    reportExit('someone', 'crash')
    reportExit('someone', 'shutdown')
    assert.deepEqual(exits, [{ pid: 'someone', reason: 'crash' }])
  })

  test('sends a real warning through the host', async t => {
    setExitHook(undefined)
    const others = process.listeners('warning')
    process.removeAllListeners('warning')
    t.after(() => {
      for (const other of others) process.on('warning', other)
    })
    const warned = once(process, 'warning')
    createProcess().exit('crash')
    const [warning] = await warned
    assert.equal((warning as Error).name, 'UncaughtExit')
  })
})

describe('a process', () => {
  test('prints its id, and no other has it', () => {
    const [one, two] = [createProcess(), createProcess()]
    assert.match(one.id, /^#Process<\d+>$/)
    assert.notEqual(one.id, two.id)
    assert.equal(`${one}`, one.id)
    assert.equal(inspect({ one }), `{ one: ${one.id} }`)
  })

  test('refuses wrong options at once, and names them', () => {
    const wrong: [unknown, RegExp][] = [
      [null, /^options must be an object/],
      [5, /^options must be an object/],
      [{ nmae: 'x' }, /^options\.nmae is not an option/],
      [{ name: 5 }, /^name must be/],
      [{ trapExit: 'yes' }, /^options\.trapExit must be/],
      [{ signal: {} }, /^options\.signal must be/],
      [{ highWaterMark: 5 }, /^highWaterMark must be/],
      [{ highWaterMark: { message: 5 } }, /^highWaterMark\.message is not/],
      [{ highWaterMark: { messages: 0 } }, /^highWaterMark\.messages must be/],
      [{ highWaterMark: { bytes: Number.NaN } }, /^highWaterMark\.bytes must be/],
    ]
    for (const [options, message] of wrong) {
      assert.throws(() => createProcess(options as ProcessOptions), { message }, inspect(options))
      assert.throws(() => spawn(() => 0, options as ProcessOptions), { message })
    }
    assert.throws(() => spawn(5 as unknown as () => void), { message: /^body must be/ })
  })

  test('ends with a reason of any kind, which its ProcessExit names', async t => {
    collectExits(t)
    for (const reason of [Symbol('s'), null, Object.create(null), { a: 1 }, 5n]) {
      const self = createProcess()
      const waiting = self.receive([])
      self.exit(reason)
      await assert.rejects(
        waiting,
        (error: unknown) => error instanceof ProcessExit && error.reason === reason,
      )
    }
  })
})
