/** A server takes its messages in the order of their arrival, one at a time, whatever they are. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  CallError,
  createProcess,
  type Down,
  exit,
  isAlive,
  type Process,
  processInfo,
  spawn,
} from '@holster/process'
import { genServer } from '../../src/index.ts'
import { collectReports } from '../support/reports.ts'

const turn = () => new Promise(resolve => setImmediate(resolve))

type Note = { type: 'note'; n: number }

/** A server that takes its time for some of its messages, and logs all of them. */
const slow = genServer.define({
  init: (log: unknown[]) => ['ok', log],
  handleCall: {
    call: async ({ n, turns }: { n: number; turns: number }, _from, log) => {
      log.push(`call ${n} begins`)
      for (let i = 0; i < turns; i++) await turn()
      log.push(`call ${n} ends`)
      return ['reply', n, log]
    },
  },
  handleCast: {
    cast: async ({ n }: { n: number }, log) => {
      log.push(`cast ${n} begins`)
      await turn()
      log.push(`cast ${n} ends`)
      return ['noreply', log]
    },
    quick: ({ n }: { n: number }, log) => {
      log.push(`quick ${n}`)
      return ['noreply', log]
    },
  },
  handleInfo: async ({ n }: Note, log) => {
    log.push(`info ${n} begins`)
    await null
    log.push(`info ${n} ends`)
    return ['noreply', log]
  },
})

test('calls, casts and other messages are handled in the order of their arrival, one at a time', async () => {
  const log: unknown[] = []
  const pid = await genServer.start(slow, log)
  const first = genServer.call(pid, { type: 'call', n: 1, turns: 3 })
  genServer.cast(pid, { type: 'cast', n: 2 })
  pid.send({ type: 'note', n: 3 })
  genServer.cast(pid, { type: 'quick', n: 4 })
  const last = genServer.call(pid, { type: 'call', n: 5, turns: 0 })
  assert.deepEqual(await Promise.all([first, last]), [1, 5])
  assert.deepEqual(log, [
    'call 1 begins',
    'call 1 ends',
    'cast 2 begins',
    'cast 2 ends',
    'info 3 begins',
    'info 3 ends',
    'quick 4',
    'call 5 begins',
    'call 5 ends',
  ])
  await genServer.stop(pid)
})

test('messages wait in the mailbox while a callback runs', async () => {
  const pid = await genServer.start(slow, [])
  const called = genServer.call(pid, { type: 'call', n: 1, turns: 2 })
  for (let n = 0; n < 3; n++) pid.send({ type: 'note', n })
  await turn()
  assert.equal(pid.messageQueueLength, 3)
  assert.equal(processInfo(pid).status, 'running')
  await called
  await genServer.getState(pid)
  assert.equal(pid.messageQueueLength, 0)
  await genServer.stop(pid)
})

describe('a request for which there is no clause', () => {
  const server = genServer.define({
    init: () => ['ok', 0],
    handleCall: {
      subscribe: (_request, _from, state) => ['reply', 'ok', state],
      unsubscribe: (_request, _from, state) => ['reply', 'ok', state],
    },
    handleCast: { publish: (_message, state) => ['noreply', state] },
    terminate: () => undefined,
  })

  test('crashes the server, and the error says which there are, and which was probably meant', async t => {
    const { reports } = collectReports(t)
    const pid: Process = (await genServer.start(server)) as unknown as Process
    const error = await genServer
      .call(pid, { type: 'subscrive', topic: 'x' })
      .catch((rejection: unknown) => rejection)
    assert.ok(error instanceof CallError)
    const { reason } = error
    assert.ok(reason instanceof genServer.FunctionClauseError)
    assert.equal(
      reason.message,
      `handleCall has no clause for { type: "subscrive", topic: "x" }: did you mean 'subscribe'? It has 'subscribe', 'unsubscribe'`,
    )
    assert.deepEqual(reason.request, { type: 'subscrive', topic: 'x' })
    assert.equal(await pid.exited, reason)
    assert.equal(reports.length, 1)
  })

  test('is any request without a type, or one with the name of a method of all objects', async t => {
    collectReports(t)
    for (const request of [
      undefined,
      null,
      'subscribe',
      {},
      { type: 1 },
      { type: 'toString' },
      { type: '__proto__' },
    ]) {
      const pid = (await genServer.start(server)) as unknown as Process
      await assert.rejects(genServer.call(pid, request), CallError)
      assert.ok((await pid.exited) instanceof genServer.FunctionClauseError)
    }
  })

  test('crashes the server also where it was cast', async t => {
    collectReports(t)
    const pid = await genServer.start(server)
    genServer.cast(pid as unknown as Process, { type: 'republish' })
    assert.match(
      String(await pid.exited),
      /handleCast has no clause for \{ type: "republish" \}: did you mean 'publish'\? It has 'publish'$/,
    )
  })
})

describe('other messages', () => {
  test('come to handleInfo, whatever they are', async () => {
    const log: unknown[] = []
    const server = genServer.define({
      init: () => ['ok', 0],
      handleInfo: (message: unknown, state) => {
        log.push(message)
        return ['noreply', state]
      },
    })
    const pid = await genServer.start(server)
    const own = { type: 'call', from: 'nobody', request: 1 }
    const messages = [
      undefined,
      null,
      0,
      '',
      'x',
      [],
      own,
      { type: 'reply' },
      { type: 'EXIT', from: undefined },
    ]
    for (const message of messages) (pid as unknown as Process).send(message)
    await genServer.stop(pid)
    assert.deepEqual(log, messages)
  })

  test('are reported and dropped where there is no handleInfo', async t => {
    const { reports } = collectReports(t)
    const pid = await genServer.start(genServer.define({ init: () => ['ok', 0] }))
    ;(pid as unknown as Process).send('x')
    assert.equal(await genServer.getState(pid), 0)
    assert.deepEqual(reports, [{ type: 'unexpected', pid, message: 'x' }])
    await genServer.stop(pid)
  })

  test('are those of the monitors and the timers that a callback has set by self', async () => {
    const watcher = genServer.define({
      init: () => ['ok', [] as unknown[]],
      handleCast: {
        watch: ({ pid }: { pid: Process }, seen, self) => {
          self.monitor(pid)
          self.sendAfter(0, { type: 'note', n: 1 })
          return ['noreply', seen]
        },
      },
      handleInfo: (message: Down | Note, seen) => ['noreply', [...seen, message.type]],
    })
    const watched = spawn(process => process.receive([{ type: 'never' }]))
    const pid = await genServer.start(watcher)
    genServer.cast(pid, { type: 'watch', pid: watched })
    await genServer.getState(pid)
    exit(watched, 'shutdown')
    let seen = await genServer.getState(pid)
    while (seen.length < 2) {
      await turn()
      seen = await genServer.getState(pid)
    }
    assert.deepEqual(seen, ['DOWN', 'note'])
    await genServer.stop(pid)
  })
})

test('a cast to a name that nothing has, or to a server that has ended, does nothing', async () => {
  genServer.cast('nobody_has_this', { type: 'x' })
  const pid = await genServer.start(slow, [])
  await genServer.stop(pid)
  genServer.cast(pid, { type: 'cast', n: 1 })
  assert.equal(isAlive(pid), false)
  assert.throws(
    () => genServer.cast({} as never, { type: 'x' }),
    /pid must be a process, the name of one, or another pid, not \{\}/,
  )
})

test('abcast casts to each', async () => {
  const logs: unknown[][] = [[], []]
  const pids = await Promise.all(
    logs.map((log, i) => genServer.start(slow, log, i === 0 ? { name: 'first_of_two' } : {})),
  )
  genServer.abcast(['first_of_two', 'nobody_has_this', ...pids.slice(1)], { type: 'quick', n: 1 })
  for (const pid of pids) await genServer.stop(pid)
  assert.deepEqual(logs, [['quick 1'], ['quick 1']])
  assert.throws(() => genServer.abcast('x' as never, 1), /pids must be an array, not 'x'/)
  assert.throws(() => genServer.abcast([pids[0] as never, 3 as never], 1), /pids\[1\] must be a process/)
})

test('a server that calls itself crashes, as no reply could come', async t => {
  collectReports(t)
  const server = genServer.define({
    init: () => ['ok', 0],
    handleCall: {
      loop: async (_request, _from, state, self) => ['reply', await self.call(self, { type: 'loop' }), state],
    },
  })
  const pid = await genServer.start(server)
  await assert.rejects(genServer.call(pid, { type: 'loop' }), /cannot call itself/)
})

test('a server takes its messages while other processes press on it', async () => {
  const pid = await genServer.start(slow, [], { highWaterMark: { messages: 1, bytes: 1 } })
  const self = createProcess()
  const ids = Array.from({ length: 10 }, (_, n) =>
    genServer.sendRequest(self, pid, { type: 'call', n, turns: 0 }),
  )
  for (const [n, id] of ids.entries()) assert.equal(await genServer.receiveResponse(self, id), n)
  await genServer.stop(pid)
})
