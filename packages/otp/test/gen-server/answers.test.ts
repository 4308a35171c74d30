/** The answer of a callback decides the reply, the state, and what the server does next. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CallError, createProcess, exit, type From, type Process, reply } from '@holster/process'
import { mockTimeouts } from '../../../../test/support/clock.ts'
import { genServer } from '../../src/index.ts'
import { collectReports } from '../support/reports.ts'

const turn = () => new Promise(resolve => setImmediate(resolve))

/** Makes a server that logs the reasons with which `terminate` ran, and whose clauses do what they are told. */
function logged() {
  const log: unknown[] = []
  const server = genServer.define({
    init: (state: number) => ['ok', state],
    handleCall: {
      does: (
        { answer }: { answer: (state: number, from: From<unknown>, self: Process) => unknown },
        from: From<unknown>,
        state,
        self,
      ) => answer(state, from, self) as ['reply', unknown, number],
    },
    handleCast: {
      does: ({ answer }: { answer: (state: number, self: Process) => unknown }, state, self) =>
        answer(state, self) as ['noreply', number],
    },
    handleInfo: (
      message: 'x' | 'y' | { type: 'does'; answer: (state: number) => unknown } | genServer.IdleTimeout,
      state,
    ) => {
      if (typeof message === 'object' && message.type === 'does')
        return message.answer(state) as ['noreply', number]
      log.push(message)
      return ['noreply', state]
    },
    handleContinue: (term: unknown, state) => {
      log.push(['continue', term, state])
      return typeof term === 'function' ? term(state) : ['noreply', state]
    },
    terminate: (reason, state) => {
      log.push(['terminate', reason, state])
    },
  })
  return { log, server }
}

const never = () => assert.fail('the call had a reply')

/** Gives the reason for which a call got no reply. */
async function reasonOf(call: Promise<unknown>): Promise<unknown> {
  const error = await call.then(never, (rejection: unknown) => rejection)
  assert.ok(error instanceof CallError, String(error))
  return error.reason
}

describe('an answer of handleCall', () => {
  test('reply sends the reply and sets the state', async () => {
    const { server } = logged()
    const pid = await genServer.start(server, 1)
    assert.equal(await genServer.call(pid, { type: 'does', answer: n => ['reply', 'x', n + 1] }), 'x')
    assert.equal(await genServer.call(pid, { type: 'does', answer: async n => ['reply', 'y', n + 1] }), 'y')
    assert.equal(await genServer.getState(pid), 3)
    await genServer.stop(pid)
  })

  test('noreply leaves the reply to somebody else, later', async () => {
    const { server } = logged()
    const pid = await genServer.start(server, 1)
    let kept: From<unknown> | undefined
    const called = genServer.call(pid, {
      type: 'does',
      answer: (n, from) => {
        kept = from
        return ['noreply', n + 1]
      },
    })
    assert.equal(await genServer.getState(pid), 2)
    assert.ok(kept)
    reply(kept, 'late')
    assert.equal(await called, 'late')
    await genServer.stop(pid)
  })

  test('stop ends the server for the reason, which the caller gets', async t => {
    const { reports, exits } = collectReports(t)
    const { log, server } = logged()
    const pid = await genServer.start(server, 1)
    const answer = (n: number) => ['stop', 'tired', n + 1]
    assert.equal(await reasonOf(genServer.call(pid, { type: 'does', answer })), 'tired')
    assert.equal(await pid.exited, 'tired')
    assert.deepEqual(log, [['terminate', 'tired', 2]])
    assert.deepEqual(exits, ['tired'])
    const [report] = reports
    assert.ok(report?.type === 'crash')
    assert.equal(report.pid, pid)
    assert.equal(report.reason, 'tired')
    assert.equal(report.state, 2)
    assert.deepEqual((report.lastMessage as { request: unknown }).request, { type: 'does', answer })
  })

  test('stop with a reply sends it when terminate has run, and before the server has ended', async t => {
    const { exits } = collectReports(t)
    const { log, server } = logged()
    const pid = await genServer.start(server, 1)
    const self = createProcess()
    const ref = self.monitor(pid)
    const id = genServer.sendRequest(self, pid, {
      type: 'does',
      answer: n => ['stop', 'shutdown', 'bye', n + 1],
    })
    const first = await self.receive([{ type: 'reply' }, { type: 'DOWN' }])
    assert.deepEqual(genServer.checkResponse(first, id), ['reply', 'bye'])
    assert.deepEqual(log, [['terminate', 'shutdown', 2]])
    assert.equal((await self.receive([{ type: 'DOWN', ref }], 0)).reason, 'shutdown')
    assert.deepEqual(exits, [])
  })
})

describe('an answer that is none ends the server, and is shown', () => {
  const wrong: [string, unknown][] = [
    ['undefined', undefined],
    ['a bare value', 7],
    ['an unknown tag', ['replay', 1, 2]],
    ['a reply without a state', ['reply', 1]],
    ['an element too many', ['reply', 1, 2, 3, 4]],
    ['a wrong timeout', ['reply', 1, 2, 'soon']],
    ['a negative timeout', ['noreply', 1, -1]],
    ['a timeout that is not a number', ['noreply', 1, Number.NaN]],
    ['continue without a term', ['noreply', 1, ['continue']]],
    ['stop without a state', ['stop', 'normal']],
  ]
  for (const [name, answer] of wrong) {
    test(name, async t => {
      collectReports(t)
      const { log, server } = logged()
      const pid = await genServer.start(server, 1)
      const reason = await reasonOf(genServer.call(pid, { type: 'does', answer: () => answer }))
      assert.ok(reason instanceof genServer.BadReturnValueError)
      assert.deepEqual(reason.value, answer)
      assert.match(reason.message, /^handleCall.does answered .*, which is none of \['reply', value, state\]/)
      assert.deepEqual(log, [['terminate', reason, 1]])
    })
  }

  test('a reply in answer to a cast, or to another message', async t => {
    collectReports(t)
    const { server } = logged()
    const pid = await genServer.start(server, 1)
    genServer.cast(pid, { type: 'does', answer: () => ['reply', 1, 2] })
    assert.match(
      String(await pid.exited),
      /handleCast.does answered \[ 'reply', 1, 2 \], which is none of \['noreply', state\]/,
    )
    const other = await genServer.start(server, 1)
    other.send({ type: 'does', answer: () => ['stop', 'normal', 'reply', 2] })
    assert.match(String(await other.exited), /handleInfo answered/)
    const third = await genServer.start(server, 1)
    genServer.cast(third, { type: 'does', answer: () => ['noreply', 1, ['continue', () => 'well']] })
    assert.match(String(await third.exited), /handleContinue answered 'well'/)
  })
})

describe('what comes after an answer', () => {
  test('handleInfo gets a timeout if no message comes in that time', async t => {
    const pass = mockTimeouts(t)
    const { log, server } = logged()
    const pid = await genServer.start(server, 1)
    assert.equal(await genServer.call(pid, { type: 'does', answer: n => ['reply', 'x', n, 100] }), 'x')
    await pass(99)
    assert.deepEqual(log, [])
    await pass(1)
    assert.deepEqual(log, [{ type: 'timeout' }])
    await pass(1000)
    assert.deepEqual(log, [{ type: 'timeout' }])
    await genServer.stop(pid)
  })

  test('any message ends the timeout, and a look at the state begins it anew', async t => {
    const pass = mockTimeouts(t)
    const { log, server } = logged()
    const pid = await genServer.start(server, 1)
    genServer.cast(pid, { type: 'does', answer: n => ['noreply', n, 100] })
    await pass(99)
    pid.send('x')
    await pass(1000)
    assert.deepEqual(log, ['x'])
    genServer.cast(pid, { type: 'does', answer: n => ['noreply', n, 100] })
    await pass(99)
    await genServer.getState(pid)
    await pass(99)
    assert.deepEqual(log, ['x'])
    await pass(1)
    assert.deepEqual(log, ['x', { type: 'timeout' }])
    await genServer.stop(pid)
  })

  test('a timeout of 0 comes at once, unless a message waits already', async () => {
    const { log, server } = logged()
    const pid = await genServer.start(server, 1)
    genServer.cast(pid, { type: 'does', answer: n => ['noreply', n, 0] })
    await turn()
    assert.deepEqual(log, [{ type: 'timeout' }])
    genServer.cast(pid, {
      type: 'does',
      answer: (n, self) => {
        self.send('x')
        return ['noreply', n, 0]
      },
    })
    await turn()
    assert.deepEqual(log, [{ type: 'timeout' }, 'x'])
    await genServer.stop(pid)
  })

  test('hibernate, and an infinite timeout, are no more than no timeout', async () => {
    const { log, server } = logged()
    const pid = await genServer.start(server, 1)
    assert.equal(
      await genServer.call(pid, { type: 'does', answer: n => ['reply', 'x', n, 'hibernate'] }),
      'x',
    )
    genServer.cast(pid, { type: 'does', answer: n => ['noreply', n, Number.POSITIVE_INFINITY] })
    pid.send('y')
    await genServer.stop(pid)
    assert.deepEqual(log, ['y', ['terminate', 'normal', 1]])
  })

  test('handleContinue runs before any message, as often as it is asked for', async () => {
    const { log, server } = logged()
    const pid = await genServer.start(server, 1)
    const again = (n: number) => ['noreply', n + 1, ['continue', 'second']]
    const called = genServer.call(pid, {
      type: 'does',
      answer: n => ['reply', 'x', n + 1, ['continue', again]],
    })
    pid.send('x')
    assert.equal(await called, 'x')
    await genServer.stop(pid)
    assert.deepEqual(log, [
      ['continue', again, 2],
      ['continue', 'second', 3],
      'x',
      ['terminate', 'normal', 3],
    ])
  })

  test('a term to continue with crashes a server that has no handleContinue', async t => {
    collectReports(t)
    const server = genServer.define({ init: () => ['ok', 1, ['continue', { type: 'load' }]] })
    const pid = await genServer.start(server)
    const reason = await pid.exited
    assert.ok(reason instanceof genServer.FunctionClauseError)
    assert.equal(reason.message, 'handleContinue has no clause for { type: "load" }, nor any other')
  })
})

describe('a process that ends while a callback runs', () => {
  test('replies no more, and terminate does not run', async t => {
    collectReports(t)
    const { log, server } = logged()
    const pid = await genServer.start(server, 1)
    const reason = reasonOf(
      genServer.call(pid, {
        type: 'does',
        answer: async (n, _from, self) => {
          exit(self, 'kill')
          return ['reply', 'too late', n]
        },
      }),
    )
    assert.equal(await reason, 'killed')
    await turn()
    assert.deepEqual(log, [])
  })
})
