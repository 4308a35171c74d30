// A trace tells everything that happens to one process, and nothing of others.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  type Call,
  createProcess,
  P,
  reply,
  spawn,
  type TraceEvent,
  trace,
  whereis,
} from '../../src/index.ts'
import { collectExits } from '../support/exits.ts'

/** Traces a process, and gives what was told so far, without the times. */
function traced(pid: Parameters<typeof trace>[0]) {
  const events: object[] = []
  const stop = trace(pid, ({ at, type, pid: of, ...event }) => {
    assert.equal(of, pid)
    assert.equal(type, 'trace')
    assert.ok(Math.abs(at - Date.now()) < 60_000)
    events.push(event)
  })
  return { events, stop }
}

describe('a trace', () => {
  test('tells each message that is sent, and each that a receive takes', async () => {
    const self = createProcess<number>()
    const other = createProcess<number>()
    const { events, stop } = traced(self)
    const waiting = self.receive([2])
    other.send(1)
    for (const n of [1, 2, 3]) self.send(n)
    await waiting
    await self.receive([1])
    self.flush()
    assert.deepEqual(events, [
      { event: 'send', message: 1 },
      { event: 'send', message: 2 },
      { event: 'receive', message: 2 },
      { event: 'send', message: 3 },
      { event: 'receive', message: 1 },
      { event: 'flush', messages: 1 },
    ])
    stop()
    self.send(4)
    assert.equal(events.length, 6)
  })

  test('tells links and monitors of either side, and the end', () => {
    const self = createProcess({ trapExit: true })
    const other = createProcess()
    const { events } = traced(self)
    const ref = self.monitor(other)
    self.demonitor(ref)
    self.link(other)
    other.unlink(self)
    other.link(self)
    other.exit('over')
    self.exit('shutdown')
    assert.deepEqual(events, [
      { event: 'monitor', ref, target: other },
      { event: 'demonitor', ref, target: other },
      { event: 'link', target: other },
      { event: 'unlink', target: other },
      { event: 'link', target: other },
      { event: 'send', message: { type: 'EXIT', from: other, reason: 'over' } },
      { event: 'exit', reason: 'shutdown' },
    ])
  })

  test('tells of the end when the name is free, and whoever watches is told before what the sink brings about', async () => {
    const self = createProcess({ name: 'traced' })
    const watcher = createProcess()
    const other = createProcess()
    const [first, second] = [watcher.monitor(self), watcher.monitor(other)]
    let found: unknown = 'not asked'
    trace(self, ({ event }) => {
      if (event !== 'exit') return
      found = whereis('traced')
      other.exit()
    })
    self.exit()
    assert.equal(found, undefined)
    const down = () => watcher.receive([{ type: 'DOWN' }])
    assert.deepEqual([(await down()).ref, (await down()).ref], [first, second])
  })

  test('tells calls and their replies', async () => {
    const server = spawn<Call<string, string>>(async process => {
      const { from } = await process.receive([{ type: 'call' }])
      reply(from, 'pong')
    })
    const self = createProcess()
    const { events } = traced(self)
    assert.equal(await self.call(server, 'ping'), 'pong')
    const [asked, answered] = events as [{ ref: object }, { ref: object }]
    assert.deepEqual(events, [
      { event: 'call', ref: asked.ref, target: server, request: 'ping' },
      { event: 'reply', ref: asked.ref, value: 'pong' },
    ])
    assert.equal(answered.ref, asked.ref)
  })

  test('may go to a process, as messages', async () => {
    const self = createProcess<string>()
    const tracer = createProcess<TraceEvent>()
    const stop = trace(self, tracer)
    self.send('x')
    const { message } = await tracer.receive([{ type: 'trace', event: 'send' }])
    assert.equal(message, 'x')
    stop()
  })

  test('may not go in a circle, which would never end', () => {
    const [one, two, three] = [createProcess(), createProcess(), createProcess()]
    const stop = trace(one, two)
    trace(two, three)
    assert.throws(() => trace(one, one), /a process cannot trace itself/)
    assert.throws(() => trace(two, one), /sink is traced to pid/)
    assert.throws(() => trace(three, one), /sink is traced to pid/)
    stop()
    trace(three, one)
    assert.throws(() => trace(one, two), /sink is traced to pid/)
    one.send('x')
    assert.deepEqual(
      [one, two, three].map(({ messageQueueLength }) => messageQueueLength),
      [1, 0, 0],
    )
    for (const process of [one, two, three]) process.exit()
  })

  test('may end the process, or itself, within an event', async () => {
    const self = createProcess<string>()
    const events: string[] = []
    const stop = trace(self, ({ event }) => {
      events.push(event)
      if (event === 'receive') self.exit()
    })
    const received = self.receive(['x'])
    const never = self.receive(['y'])
    self.send('x')
    assert.equal(await received, 'x')
    await assert.rejects(never, { name: 'ProcessExit' })
    assert.equal(self.messageQueueLength, 0)
    assert.deepEqual(events, ['send', 'receive', 'exit'])
    stop()
    const other = createProcess<string>()
    const end = trace(other, () => {
      events.push('once')
      end()
    })
    other.send('x')
    other.send('y')
    assert.equal(events.filter(event => event === 'once').length, 1)
    other.exit()
  })

  test('may be one of several of a process, each with an end of its own', () => {
    const self = createProcess<number>()
    const [one, two] = [traced(self), traced(self)]
    self.send(1)
    one.stop()
    one.stop()
    self.send(2)
    two.stop()
    self.send(3)
    assert.deepEqual([one.events.length, two.events.length], [1, 2])
  })

  test('whose sink throws reports the error, and harms nothing', t => {
    const exits = collectExits(t)
    const self = createProcess<number>()
    const error = new Error('sink')
    trace(self, () => {
      throw error
    })
    self.send(1)
    assert.equal(self.messageQueueLength, 1)
    assert.deepEqual(
      exits.map(({ reason }) => reason),
      [error],
    )
  })

  test('of something that is no process, into no sink, or of the sink itself throws', () => {
    const self = createProcess<TraceEvent>()
    assert.throws(() => trace({} as typeof self, () => 0), {
      name: 'TypeError',
      message: 'pid must be a process',
    })
    assert.throws(() => trace(self, {} as typeof self), { message: 'sink must be a function or a pid' })
    assert.throws(() => trace(self, self), { message: 'sink is pid: a process cannot trace itself' })
  })
})

test('a receive whose guard sends to its own process is told in order', async () => {
  const self = createProcess<number>()
  const { events } = traced(self)
  self.send(1)
  await self.receive([
    P.when(n => {
      if (n === 1) self.send(2)
      return true
    }),
  ])
  assert.deepEqual(events, [
    { event: 'send', message: 1 },
    { event: 'receive', message: 1 },
    { event: 'send', message: 2 },
  ])
})
