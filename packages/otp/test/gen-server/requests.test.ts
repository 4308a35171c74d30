/** A request has one response, which comes to the mailbox and is never left there. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  CallError,
  createProcess,
  type From,
  type Process,
  processes,
  processInfo,
  reply,
} from '@holster/process'
import { genServer } from '../../src/index.ts'
import { collectReports } from '../support/reports.ts'

/** A server that replies at once, or when it is told to, or not at all. */
const server = genServer.define({
  init: () => ['ok', [] as From<number>[]],
  handleCall: {
    echo: ({ n }: { n: number }, _from, kept) => ['reply', n, kept],
    keep: (_request, from: From<number>, kept) => ['noreply', [...kept, from]],
    end: ({ reason }: { reason: unknown }, _from, kept) => ['stop', reason, kept],
  },
  handleCast: {
    release: ({ n }: { n: number }, kept) => {
      for (const from of kept) reply(from, n)
      return ['noreply', []]
    },
  },
})

const isFor = (reason: unknown) => (error: unknown) => {
  assert.ok(error instanceof CallError, String(error))
  assert.deepEqual(error.reason, reason)
  return true
}

describe('receiveResponse', () => {
  test('gives each reply, in whatever order they are asked for, and leaves other messages', async () => {
    const self = createProcess()
    const pid = await genServer.start(server)
    const ids = [1, 2, 3].map(n => genServer.sendRequest(self, pid, { type: 'echo', n }))
    self.send('other')
    for (const n of [2, 3, 1]) {
      const id = ids[n - 1]
      assert.ok(id)
      assert.equal(await genServer.receiveResponse(self, id), n)
    }
    assert.equal(self.flush(), 1)
    await genServer.stop(pid)
  })

  test('rejects when the time is over, and a reply that comes later is dropped', async () => {
    const self = createProcess()
    const pid = await genServer.start(server)
    const id = genServer.sendRequest(self, pid, { type: 'keep' })
    await assert.rejects(genServer.receiveResponse(self, id, 1), isFor('timeout'))
    genServer.cast(pid, { type: 'release', n: 1 })
    await genServer.getState(pid)
    assert.equal(self.messageQueueLength, 0)
    await genServer.stop(pid)
    assert.equal(self.messageQueueLength, 0)
    assert.throws(() => genServer.receiveResponse(self, id), /has had its response, or was given up/)
  })

  test('rejects with the reason for which the server ends, or has ended', async t => {
    collectReports(t)
    const self = createProcess()
    const pid = await genServer.start(server)
    const ids = [1, 2].map(() => genServer.sendRequest(self, pid, { type: 'end', reason: 'boom' }))
    for (const id of ids) await assert.rejects(genServer.receiveResponse(self, id), isFor('boom'))
    await assert.rejects(
      genServer.receiveResponse(self, genServer.sendRequest(self, pid, { type: 'echo', n: 1 })),
      isFor('noproc'),
    )
    await assert.rejects(
      genServer.receiveResponse(self, genServer.sendRequest(self, 'nobody_has_this', 'x')),
      isFor('noproc'),
    )
    assert.equal(self.messageQueueLength, 0)
  })

  test('gets one reply, whatever the server sends', async () => {
    const self = createProcess()
    const pid = await genServer.start(server)
    const id = genServer.sendRequest(self, pid, { type: 'keep' })
    const [from] = await genServer.getState(pid)
    assert.ok(from)
    for (const n of [1, 2, 3]) reply(from, n)
    assert.equal(await genServer.receiveResponse(self, id), 1)
    assert.equal(self.messageQueueLength, 0)
    await genServer.stop(pid)
    assert.equal(self.messageQueueLength, 0)
  })
})

describe('waitResponse', () => {
  test('may be asked again after its time is over', async () => {
    const self = createProcess()
    const pid = await genServer.start(server)
    const id = genServer.sendRequest(self, pid, { type: 'keep' })
    assert.equal(await genServer.waitResponse(self, id, 0), 'timeout')
    genServer.cast(pid, { type: 'release', n: 7 })
    assert.deepEqual(await genServer.waitResponse(self, id), ['reply', 7])
    await genServer.stop(pid)
  })

  test('rejects with the reason for which the server ends', async () => {
    const self = createProcess()
    const pid = await genServer.start(server)
    const id = genServer.sendRequest(self, pid, { type: 'keep' })
    await genServer.stop(pid, 'shutdown')
    await assert.rejects(genServer.waitResponse(self, id, 0), isFor('shutdown'))
  })
})

describe('checkResponse', () => {
  test('tells the response to a request from all other messages', async t => {
    collectReports(t)
    const self = createProcess()
    const pid = await genServer.start(server)
    const id = genServer.sendRequest(self, pid, { type: 'echo', n: 1 })
    const other = genServer.sendRequest(self, pid, { type: 'end', reason: 'boom' })
    self.monitor(pid)
    const messages: unknown[] = [undefined, 'x', { type: 'reply' }]
    for (let i = 0; i < 3; i++) messages.push(await self.receive([{ type: 'reply' }, { type: 'DOWN' }]))
    const seen: unknown[] = []
    for (const message of messages) {
      seen.push(genServer.checkResponse(message, id))
      try {
        seen.push(genServer.checkResponse(message, other))
      } catch (error) {
        seen.push((error as CallError).reason)
      }
    }
    const nothing = 'no_reply'
    assert.deepEqual(seen.slice(0, 8), [...Array(6).fill(nothing), ['reply', 1], nothing])
    assert.deepEqual(seen.slice(8).toSorted(), ['boom', nothing, nothing, nothing])
  })
})

test('a request throws at once for arguments that are wrong', async () => {
  const self = createProcess()
  const pid = await genServer.start(server)
  assert.throws(
    () => genServer.sendRequest('x' as never, pid, { type: 'keep' }),
    /self must be a process, not 'x'/,
  )
  assert.throws(
    () => genServer.sendRequest(self, {} as never, 'x' as never),
    /pid must be a process, the name of one/,
  )
  const id = genServer.sendRequest(self, pid, { type: 'keep' })
  assert.throws(
    () => genServer.receiveResponse(createProcess(), id),
    /^Error: id is a request of #Process<\d+>, not of #Process/,
  )
  assert.throws(() => genServer.receiveResponse(self, {} as never), /id must be what sendRequest gave/)
  assert.throws(() => genServer.waitResponse(self, id, -1), RangeError)
  assert.throws(() => genServer.checkResponse('x', 'y' as never), TypeError)
  await genServer.stop(pid)
})

test('a server may request something of another, and tells the response in handleInfo', async () => {
  const asker = genServer.define({
    init: (pid: genServer.ServerPid<typeof server>, self) => {
      const id = genServer.sendRequest(self as Process, pid, { type: 'echo', n: 5 })
      return ['ok', { id, seen: [] as unknown[] }]
    },
    handleInfo: (message: unknown, state) => {
      const response = genServer.checkResponse(message, state.id)
      return ['noreply', response === 'no_reply' ? state : { ...state, seen: [...state.seen, response[1]] }]
    },
  })
  const pid = await genServer.start(server)
  const other = await genServer.start(asker, pid)
  await genServer.getState(pid)
  assert.deepEqual((await genServer.getState(other)).seen, [5])
  for (const each of [pid, other]) await genServer.stop(each)
})

describe('multiCall', () => {
  test('gives the replies in the order of the processes, and those that have none', async t => {
    collectReports(t)
    const self = createProcess()
    const [one, two, three] = await Promise.all([1, 2, 3].map(() => genServer.start(server)))
    assert.ok(one && two && three)
    await genServer.stop(two)
    await genServer.suspend(three)
    const { replies, bad } = await genServer.multiCall(
      [three, two, one, 'nobody_has_this'],
      { type: 'echo', n: 4 },
      10,
    )
    assert.deepEqual(replies, [[one, 4]])
    assert.deepEqual(bad, [three, two, 'nobody_has_this'])
    assert.deepEqual(await genServer.multiCall([], { type: 'echo' }), { replies: [], bad: [] })
    assert.throws(() => genServer.multiCall('x' as never, 1), /pids must be an array/)
    assert.throws(() => genServer.multiCall([one], { type: 'keep' }, Number.NaN), /timeout must be a number/)
    self.exit()
    for (const pid of [one, three]) await genServer.stop(pid)
  })
})

test('a request to an actor that throws leaves no monitor, and multiCall one to what cannot be called leaves nothing', async t => {
  const unhandled: unknown[] = []
  const note = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', note)
  t.after(() => process.off('unhandledRejection', note))
  const self = createProcess()
  const { length } = processes()
  const ended = createProcess<never>()
  ended.exit()
  assert.throws(() => genServer.multiCall([ended, self.alias() as never], 1 as never), {
    name: 'TypeError',
    message: /^pids\[1\] must be a process/,
  })
  assert.equal(processes().length, length)
  const actor = {
    id: 'thrower',
    send: () => {
      throw new Error('no')
    },
    getSnapshot: () => ({ status: 'active' }),
    subscribe: () => ({ unsubscribe: () => undefined }),
  }
  assert.throws(() => genServer.sendRequest(self, actor as never, 1 as never), /no/)
  assert.deepEqual(processInfo(self).monitors, [])
  await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual(unhandled, [])
  self.exit()
})

describe('childSpec', () => {
  const labelled = genServer.define({ init: (n: number) => ['ok', n], label: 'labelled' })

  test('says how a supervisor starts the server, linked to it', async () => {
    const parent = createProcess<never>({ trapExit: true })
    const spec = genServer.childSpec(labelled, 3, {
      restart: 'transient',
      shutdown: 100,
      significant: true,
      backoff: { initial: 10, max: 100 },
      name: 'named',
    })
    const { start, ...others } = spec
    assert.deepEqual(others, {
      id: 'named',
      type: 'worker',
      restart: 'transient',
      shutdown: 100,
      significant: true,
      backoff: { initial: 10, max: 100 },
    })
    const pid = (await start(parent)) as Process
    assert.equal(await genServer.getState('named'), 3)
    await genServer.stop(pid)
    assert.equal((await parent.receive([{ type: 'EXIT', from: pid }], 0)).reason, 'normal')
  })

  test('takes the id from the options, the name or the label, in this order', () => {
    assert.equal(genServer.childSpec(labelled, 1).id, 'labelled')
    assert.equal(genServer.childSpec(labelled, 1, { name: 'n' }).id, 'n')
    assert.equal(genServer.childSpec(labelled, 1, { name: 'n', id: 'i' }).id, 'i')
    assert.throws(() => genServer.childSpec(server), /options.id must be given/)
    assert.throws(
      () => genServer.childSpec(server, undefined, { id: 'x', nome: 'y' } as never),
      /options.nome is not an option/,
    )
    assert.throws(() => genServer.childSpec({} as never), /server must be what define gave/)
  })
})

test('define throws at once for callbacks that are wrong', () => {
  const init = () => ['ok', 1] as const
  const define = (callbacks: unknown) => () => genServer.define(callbacks as { init: () => ['ok', 1] })
  assert.throws(define(undefined), /callbacks must be an object, not undefined/)
  assert.throws(define({}), /init must be a function, not undefined/)
  assert.throws(
    define({ init, handelCall: {} }),
    /handelCall is not a callback of a server: did you mean 'handleCall'\?/,
  )
  assert.throws(define({ init, name: 'x' }), /name is not a callback of a server: did you mean 'label'\?/)
  assert.throws(
    define({ init, handleCall: () => 1, label: 3 }),
    /handleCall must be an object with a function for each type/,
  )
  assert.throws(define({ init, handleCast: { x: 1 } }), /handleCast.x must be a function, not 1/)
  assert.throws(define({ init, label: '' }), /label must be a non-empty string/)
})
