// Selective receive: which message is taken, when it waits, and what ends it.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { describe, test } from 'node:test'
import { createProcess, P, type Process, ProcessExit, ReceiveTimeout } from '../../src/index.ts'
import { collectUnhandled } from '../support/exits.ts'
import { stateOf, turn } from '../support/turns.ts'

interface A {
  readonly type: 'a'
  readonly n: number
}

interface B {
  readonly type: 'b'
  readonly n: number
}

type Message = A | B

function withMessages(...messages: Message[]): Process<Message> {
  const self = createProcess<Message>()
  for (const message of messages) self.send(message)
  return self
}

const a = (n: number): A => ({ type: 'a', n })
const b = (n: number): B => ({ type: 'b', n })

/** A guard for the field `n`. */
function when(test: (n: number) => boolean) {
  return P.when((n: unknown) => test(n as number))
}

/** Takes the oldest message. */
async function next(self: Process<Message>): Promise<Message> {
  return self.receive([{ type: P.union('a', 'b') }], 0)
}

/** Calls `receive` with any arguments, as plain JavaScript can. */
function misuse(...args: readonly unknown[]): () => unknown {
  const self = createProcess()
  return () => Reflect.apply(self.receive, self, args)
}

describe('which message is taken', () => {
  test('the oldest that matches any pattern is taken, whatever the order of the patterns', async () => {
    const self = withMessages(a(1), b(2), a(3))
    assert.deepEqual(await self.receive([{ type: 'b' }, { type: 'a' }]), a(1))
    assert.deepEqual(await self.receive([{ type: 'b' }, { type: 'a' }]), b(2))
    assert.deepEqual(await self.receive([{ type: 'b' }, { type: 'a' }]), a(3))
  })

  test('the messages that do not match keep their place', async () => {
    const self = withMessages(a(1), b(2), a(3), b(4), a(5))
    assert.deepEqual(await self.receive([{ type: 'b' }]), b(2))
    assert.deepEqual(await self.receive([{ n: 5 }]), a(5))
    assert.equal(self.messageQueueLength, 3)
    for (const expected of [a(1), a(3), b(4)]) assert.deepEqual(await self.receive([P._]), expected)
    assert.equal(self.messageQueueLength, 0)
  })

  test('the same object sent twice is two messages, and taking one leaves the other in its place', async () => {
    const self = createProcess<Message>()
    const same = a(1)
    self.send(same)
    self.send(b(2))
    self.send(same)
    assert.equal(await self.receive([{ type: 'a' }]), same)
    assert.deepEqual(await self.receive([P._]), b(2))
    assert.equal(await self.receive([P._]), same)
  })

  test('a message is given as the very object that was sent', async () => {
    const message = a(1)
    assert.equal(await withMessages(message).receive([{ type: 'a' }]), message)
  })

  test('primitives, null and undefined are messages as well', async () => {
    const self = createProcess<number | string | null | undefined>()
    for (const message of [0, 'x', null, undefined]) self.send(message)
    assert.equal(await self.receive([undefined]), undefined)
    assert.equal(await self.receive([null]), null)
    assert.equal(await self.receive([P.string]), 'x')
    assert.equal(await self.receive([P._]), 0)
  })

  test('a message that is there is taken synchronously, before the promise is awaited', async () => {
    const self = withMessages(a(1))
    const received = self.receive([{ type: 'a' }])
    assert.equal(self.messageQueueLength, 0)
    await received
  })
})

describe('waiting', () => {
  test('it waits until a message matches, and lets the others through to the mailbox', async () => {
    const self = createProcess<Message>()
    const received = self.receive([{ type: 'b' }])
    self.send(a(1))
    assert.equal(await stateOf(received), 'pending')
    self.send(b(2))
    assert.deepEqual(await received, b(2))
    assert.equal(self.messageQueueLength, 1)
  })

  test('while it waits only new arrivals are tried', async () => {
    const self = withMessages(a(1), a(2))
    const tried: number[] = []
    const received = self.receive([
      P.when((message: unknown) => {
        const { n } = message as Message
        tried.push(n)
        return n === 4
      }),
    ])
    assert.deepEqual(tried, [1, 2])
    self.send(a(3))
    self.send(a(4))
    await received
    assert.deepEqual(tried, [1, 2, 3, 4])
  })

  test('of several waiting receives the earliest that matches gets the message', async () => {
    const self = createProcess<Message>()
    const waiting = Promise.all([
      self.receive([{ type: 'b' }]),
      self.receive([{ type: 'a' }]),
      self.receive([P._]),
      self.receive([{ type: 'a' }]),
    ])
    for (const message of [a(1), a(2), a(3), b(4)]) self.send(message)
    assert.deepEqual(await waiting, [b(4), a(1), a(2), a(3)])
    assert.equal(self.messageQueueLength, 0)
  })

  test('a receive that takes a waiting message does not disturb those that wait', async () => {
    const self = withMessages(a(1))
    const waiting = self.receive([{ type: 'b' }])
    assert.deepEqual(await self.receive([{ type: 'a' }]), a(1))
    self.send(b(2))
    assert.deepEqual(await waiting, b(2))
  })

  test('without a pattern nothing matches, so that it waits until its timeout', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const self = withMessages(a(1))
    const received = self.receive([], { timeout: 10, onTimeout: () => 'slept' })
    self.send(a(2))
    t.mock.timers.tick(10)
    assert.equal(await received, 'slept')
    assert.equal(self.messageQueueLength, 2)
  })
})

describe('the timeout', () => {
  test('0 looks once, and rejects with ReceiveTimeout when nothing matches', async () => {
    const self = withMessages(a(1))
    const missed = self.receive([{ type: 'b' }], 0)
    self.send(b(2))
    await assert.rejects(missed, (error: unknown) => error instanceof ReceiveTimeout && error.timeout === 0)
    assert.deepEqual(await self.receive([{ type: 'b' }], 0), b(2))
  })

  test('a finite one rejects when it is over, not a millisecond before', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const self = createProcess<Message>()
    const received = self.receive([{ type: 'a' }], 1000)
    t.mock.timers.tick(999)
    assert.equal(await stateOf(received), 'pending')
    t.mock.timers.tick(1)
    await assert.rejects(received, { name: 'ReceiveTimeout', timeout: 1000 })
  })

  test('a message that comes after the timeout stays in the mailbox', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const self = createProcess<Message>()
    const received = self.receive([{ type: 'a' }], 5)
    t.mock.timers.tick(5)
    self.send(a(1))
    await assert.rejects(received, ReceiveTimeout)
    assert.equal(self.messageQueueLength, 1)
  })

  test('a message in time clears the timer', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const self = createProcess<Message>()
    const received = self.receive([{ type: 'a' }], 5)
    self.send(a(1))
    t.mock.timers.tick(10)
    assert.deepEqual(await received, a(1))
  })

  test('without one it waits for good, and so it does with Infinity', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const self = createProcess<Message>()
    const waiting = [self.receive([{ type: 'a' }]), self.receive([{ type: 'b' }], Number.POSITIVE_INFINITY)]
    t.mock.timers.tick(2 ** 31)
    for (const received of waiting) assert.equal(await stateOf(received), 'pending')
  })

  test('a message that is there is taken without setting a timer', async t => {
    const setTimer = t.mock.method(globalThis, 'setTimeout')
    await withMessages(a(1)).receive([{ type: 'a' }], 1000)
    assert.equal(setTimer.mock.callCount(), 0)
  })

  test('2147483647 ms is accepted and one more is refused', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const self = createProcess<Message>()
    const received = self.receive([{ type: 'a' }], 2147483647)
    self.send(a(1))
    await received
    assert.throws(() => self.receive([{ type: 'a' }], 2147483648), {
      name: 'RangeError',
      message: /^timeout /,
    })
  })

  test('onTimeout gives the receive its value, and may be async', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const self = createProcess<Message>()
    assert.equal(await self.receive([{ type: 'a' }], { timeout: 0, onTimeout: () => 'none' }), 'none')
    const later = self.receive([{ type: 'a' }], { timeout: 7, onTimeout: async () => 'late' })
    t.mock.timers.tick(7)
    assert.equal(await later, 'late')
  })

  test('with onTimeout a message that comes in time is given as it is', async () => {
    const self = createProcess<Message>()
    const received = self.receive([{ type: 'a' }], { timeout: 10_000, onTimeout: () => 'none' })
    self.send(a(1))
    assert.deepEqual(await received, a(1))
  })

  test('an onTimeout that throws rejects the receive', async () => {
    const fail = () => {
      throw new Error('no patience')
    }
    const received = createProcess<Message>().receive([{ type: 'a' }], { timeout: 0, onTimeout: fail })
    await assert.rejects(received, { message: 'no patience' })
  })

  test('onTimeout is not called for another end of the receive', async () => {
    const self = createProcess<Message>()
    const received = self.receive([{ type: 'a' }], { timeout: 10_000, onTimeout: () => 'none' })
    self.exit()
    await assert.rejects(received, ProcessExit)
  })
})

describe('the signal', () => {
  test('one that is aborted already rejects with its reason, and no message is taken', async () => {
    const self = withMessages(a(1))
    const received = self.receive([{ type: 'a' }], { signal: AbortSignal.abort('enough') })
    await assert.rejects(received, (reason: unknown) => reason === 'enough')
    assert.equal(self.messageQueueLength, 1)
  })

  test('one that aborts while the receive waits rejects it, and later messages stay', async () => {
    const self = createProcess<Message>()
    const controller = new AbortController()
    const received = self.receive([{ type: 'a' }], { signal: controller.signal, timeout: 10_000 })
    controller.abort('enough')
    self.send(a(1))
    await assert.rejects(received, (reason: unknown) => reason === 'enough')
    assert.equal(self.messageQueueLength, 1)
  })

  test('one that aborts afterwards does nothing, and is not listened to any more', async t => {
    const self = createProcess<Message>()
    const { signal } = new AbortController()
    const added = t.mock.method(signal, 'addEventListener')
    const removed = t.mock.method(signal, 'removeEventListener')
    const received = self.receive([{ type: 'a' }], { signal })
    self.send(a(1))
    assert.deepEqual(await received, a(1))
    assert.equal(added.mock.callCount(), 1)
    assert.deepEqual(removed.mock.calls[0]?.arguments.slice(0, 2), added.mock.calls[0]?.arguments.slice(0, 2))
  })
})

describe('handlers', () => {
  test('the receive resolves to the result of the handler', async () => {
    const self = withMessages(b(2), a(1))
    const clauses = [
      self.on({ type: 'a' }, ({ n }) => `a${n}`),
      self.on({ type: 'b' }, async ({ n }) => n * 10),
    ] as const
    assert.equal(await self.receive(clauses), 20)
    assert.equal(await self.receive(clauses), 'a1')
  })

  test('a bare pattern beside a handler gives the message, also when the receive waits', async () => {
    const self = createProcess<Message>()
    const received = [self.receive([{ type: 'a' }, self.on({ type: 'b' }, () => 'handled')])]
    received.push(self.receive([{ type: 'a' }, self.on({ type: 'b' }, () => 'handled')]))
    self.send(a(1))
    self.send(b(2))
    assert.deepEqual(await Promise.all(received), [a(1), 'handled'])
  })

  test('a handler runs in the continuation of the receiver, not inside send or receive', async () => {
    const self = createProcess<Message>()
    const steps: string[] = []
    const on = self.on({ type: 'a' }, ({ n }) => steps.push(`handler ${n}`))
    const waited = self.receive([on])
    self.send(a(1))
    steps.push('sent')
    await waited
    self.send(a(2))
    const polled = self.receive([on])
    steps.push('asked')
    await polled
    assert.deepEqual(steps, ['sent', 'handler 1', 'asked', 'handler 2'])
  })

  test('a handler that throws rejects that receive only, and its message is gone', async () => {
    const self = withMessages(a(1))
    const on = self.on({ type: 'a' }, () => {
      throw new Error('handler')
    })
    await assert.rejects(self.receive([on]), { message: 'handler' })
    assert.equal(self.messageQueueLength, 0)
    const waiting = [self.receive([on]), self.receive([{ type: 'a' }])]
    self.send(a(2))
    self.send(a(3))
    await assert.rejects(waiting[0] as Promise<unknown>, { message: 'handler' })
    assert.deepEqual(await waiting[1], a(3))
  })
})

describe('guards', () => {
  const bad = P.when((_: unknown): boolean => {
    throw new Error('guard')
  })

  test('guards of a waiting receive run inside send', () => {
    const self = createProcess<Message>()
    let ran = 0
    const count = P.when((_: unknown) => {
      ran++
      return true
    })
    void self.receive([{ type: 'a', n: count }])
    self.send(a(1))
    assert.equal(ran, 1)
  })

  test('a guard that throws rejects its receive, and the message stays in its place', async () => {
    const self = withMessages(a(1), b(2))
    await assert.rejects(self.receive([{ type: 'a', n: bad }]), { message: 'guard' })
    assert.deepEqual(await self.receive([P._]), a(1))
    assert.deepEqual(await self.receive([P._]), b(2))
  })

  test('a guard that throws inside send rejects only its own receive; others get the message', async () => {
    const self = createProcess<Message>()
    const thrower = self.receive([{ type: 'a', n: bad }])
    const other = self.receive([{ type: 'a' }])
    self.send(a(1))
    await assert.rejects(thrower, { message: 'guard' })
    assert.deepEqual(await other, a(1))
  })

  test('a message whose guard threw inside send is there for the next receive', async () => {
    const self = createProcess<Message>()
    const thrower = self.receive([{ type: 'a', n: bad }])
    self.send(a(1))
    await assert.rejects(thrower, { message: 'guard' })
    assert.deepEqual(await self.receive([P._], 0), a(1))
  })

  test('a guard runs only when the fields before it match', async () => {
    const self = withMessages(b(1), a(2))
    assert.deepEqual(await self.receive([{ type: 'a', n: when(n => n === 2) }]), a(2))
    const seen: unknown[] = []
    const spy = P.when((value: unknown) => seen.push(value) > 0)
    await self.receive([{ type: 'b', n: spy }])
    assert.deepEqual(seen, [1])
  })

  test('what a guard sends to its own process comes after the message it looks at, in order', async () => {
    const self = createProcess<Message>()
    let first = true
    const sender = P.when((_: unknown) => {
      if (first) for (const n of [10, 11]) self.send(b(n))
      first = false
      return false
    })
    const waiting = self.receive([{ type: 'a', n: sender }], { timeout: 10_000, onTimeout: () => undefined })
    self.send(a(1))
    assert.equal(self.messageQueueLength, 3)
    for (const expected of [a(1), b(10), b(11)]) assert.deepEqual(await self.receive([P._], 0), expected)
    self.exit()
    await assert.rejects(waiting, ProcessExit)
  })

  test('what guards send while such messages arrive comes after all of those', async () => {
    const self = createProcess<Message>()
    const echo = when(n => {
      if (n === 1) for (const m of [10, 20]) self.send(a(m))
      if (n === 10) self.send(a(11))
      return false
    })
    void self.receive([{ type: 'a', n: echo }])
    self.send(a(1))
    const order: number[] = []
    while (self.messageQueueLength > 0) order.push((await next(self)).n)
    assert.deepEqual(order, [1, 10, 20, 11])
    self.exit()
  })

  test('a guard may send to its own process while it looks at the backlog', async () => {
    const self = withMessages(a(1))
    const sender = when(n => {
      if (n === 1) self.send(b(2))
      return false
    })
    const received = self.receive([{ n: sender }, { type: 'b' }])
    assert.deepEqual(await received, b(2))
  })

  test('a guard may take the very message it looks at; the outer receive goes on with the next', async () => {
    const self = withMessages(a(1), a(2), a(3))
    const inner: Promise<Message>[] = []
    const thief = when(n => {
      if (n === 1) inner.push(next(self), next(self))
      return true
    })
    assert.deepEqual(await self.receive([{ n: thief }]), a(3))
    assert.deepEqual(await Promise.all(inner), [a(1), a(2)])
    assert.equal(self.messageQueueLength, 0)
  })

  test('a guard may flush its own process while it looks', async () => {
    const self = withMessages(a(1), b(2), a(3))
    const flusher = P.when((_: unknown) => {
      self.flush({ type: 'a' })
      return true
    })
    assert.deepEqual(await self.receive([{ n: flusher }]), b(2))
    assert.equal(self.messageQueueLength, 0)
  })

  test('a guard that flushes everything leaves its receive waiting', async () => {
    const self = withMessages(a(1), b(2))
    let flushed = 0
    const flusher = when(n => {
      flushed += self.flush()
      return n === 9
    })
    const received = self.receive([{ n: flusher }])
    assert.equal(flushed, 2)
    self.send(a(9))
    assert.deepEqual(await received, a(9))
  })

  test('a guard that ends its own process rejects the receive with ProcessExit', async () => {
    const self = withMessages(a(1))
    const killer = P.when((_: unknown) => {
      self.exit()
      return true
    })
    await assert.rejects(self.receive([{ n: killer }]), ProcessExit)
  })

  test('a guard that ends its own process inside send rejects all that wait', async () => {
    const self = createProcess<Message>()
    const killer = P.when((_: unknown) => {
      self.exit()
      return true
    })
    const waiting = [self.receive([{ n: killer }]), self.receive([{ type: 'a' }])]
    self.send(a(1))
    for (const received of waiting) await assert.rejects(received, ProcessExit)
    assert.equal(self.messageQueueLength, 0)
  })

  test('a guard that aborts its own receive lets the message through to the next', async () => {
    const self = createProcess<Message>()
    const controller = new AbortController()
    const aborter = P.when((_: unknown) => {
      controller.abort('mine')
      return true
    })
    const aborted = self.receive([{ n: aborter }], { signal: controller.signal })
    const other = self.receive([{ type: 'a' }])
    self.send(a(1))
    await assert.rejects(aborted, (reason: unknown) => reason === 'mine')
    assert.deepEqual(await other, a(1))
  })

  test('a guard may end receives around its own and start others: those that wait are tried, each once', async () => {
    const self = createProcess<Message>()
    const names = ['first', 'second', 'third', 'fourth', 'fifth'] as const
    const controllers = new Map(names.map(name => [name, new AbortController()]))
    const tried: string[] = []
    const ended: Promise<unknown>[] = []
    const wait = (name: string, act = () => {}) => {
      const guard = P.when((_: unknown) => {
        tried.push(name)
        act()
        return false
      })
      const signal = controllers.get(name as 'first')?.signal
      ended.push(self.receive([{ n: guard }], signal === undefined ? {} : { signal }).catch(String))
    }
    const end = (...which: (typeof names)[number][]) => {
      for (const name of which) controllers.get(name)?.abort(name)
    }
    wait('first')
    wait('second')
    wait('third', () => {
      end('third', 'second', 'fourth')
      wait('sixth')
      end('first')
    })
    wait('fourth')
    wait('fifth', () => {
      end('fifth')
      wait('seventh')
    })
    self.send(a(1))
    assert.deepEqual(tried, ['first', 'second', 'third', 'fifth', 'sixth', 'seventh'])
    self.send(a(2))
    assert.deepEqual(tried.slice(6), ['sixth', 'seventh'])
    self.exit()
    assert.deepEqual((await Promise.all(ended)).slice(0, 5), names)
  })

  test('a guard that ends the last receive and starts another lets that one be tried', async () => {
    const self = createProcess<Message>()
    const controller = new AbortController()
    let next: Promise<Message> | undefined
    const guard = P.when((_: unknown) => {
      controller.abort('over')
      next = self.receive([{ type: 'a' }])
      return false
    })
    const over = self.receive([{ n: guard }], { signal: controller.signal })
    self.send(a(1))
    await assert.rejects(over, (reason: unknown) => reason === 'over')
    assert.deepEqual(await next, a(1))
  })

  test('a receive that a guard starts may take the message that is arriving', async () => {
    const self = createProcess<Message>()
    let inner: Promise<Message> | undefined
    const starter = P.when((_: unknown) => {
      inner ??= self.receive([{ type: P.union('a', 'b') }])
      return false
    })
    const outer = self.receive([{ n: starter }])
    self.send(a(1))
    assert.deepEqual(await inner, a(1))
    self.exit()
    await assert.rejects(outer, ProcessExit)
  })
})

describe('fairness', () => {
  test('a poll loop lets immediates, timers and sockets run', async () => {
    const self = createProcess<Message>()
    const server = net.createServer(socket => socket.end('x')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as net.AddressInfo
    const ran = new Set<string>()
    setImmediate(() => ran.add('immediate'))
    setTimeout(() => ran.add('timer'), 1)
    net.connect(port, '127.0.0.1').on('data', () => ran.add('socket'))
    while (ran.size < 3) await self.receive([{ type: 'a' }], { timeout: 0, onTimeout: () => undefined })
    server.close()
  })

  test('a loop of receives that find their message lets an immediate run', async () => {
    const self = createProcess<Message>()
    let ran = false
    setImmediate(() => {
      ran = true
    })
    while (!ran) {
      self.send(a(1))
      await self.receive([{ type: 'a' }])
    }
  })

  const fail = () => {
    throw new Error('failed')
  }
  const failing: [
    name: string,
    receive: (self: Process<Message>, signal: AbortSignal) => Promise<unknown>,
  ][] = [
    ['whose guard throws', self => self.receive([{ n: when(fail) }])],
    ['whose handler throws', self => self.receive([self.on({ type: 'a' }, fail)])],
    ['whose signal has aborted', (self, signal) => self.receive([{ type: 'a' }], { signal })],
    ['whose time is over', self => self.receive([{ type: 'b' }], 0)],
  ]
  for (const [name, receive] of failing) {
    test(`a loop of receives ${name}, and that catches it, lets an immediate run`, async () => {
      const self = createProcess<Message>()
      let ran = false
      setImmediate(() => {
        ran = true
      })
      while (!ran) {
        self.send(a(1))
        await receive(self, AbortSignal.abort()).catch(() => undefined)
        self.flush()
      }
    })
  }

  test('two processes that answer each other let an immediate run', async () => {
    const ping = createProcess<Message>()
    const pong = createProcess<Message>()
    let ran = false
    setImmediate(() => {
      ran = true
    })
    const echo = async (self: Process<Message>, other: Process<Message>) => {
      while (!ran) other.send(await self.receive([{ type: 'a' }]))
      other.send(a(0))
    }
    ping.send(a(1))
    await Promise.race([echo(ping, pong), echo(pong, ping)])
    ping.exit()
    pong.exit()
  })

  test('receives that never wait give others their turn as soon as 5 ms have passed, and not before', async t => {
    const self = createProcess<Message>()
    let now = performance.now()
    t.mock.method(performance, 'now', () => now)
    let turns = 0
    const receive = async (times: number) => {
      for (let n = 0; n < times; n++) {
        self.send(a(1))
        await self.receive([{ type: 'a' }])
      }
    }
    const look = () => {
      setImmediate(() => {
        turns++
      })
    }
    await turn()
    await receive(2048)
    look()
    now += 4.9
    await receive(4096)
    assert.equal(turns, 0)
    // A little more than the rest, which a sum of fractions may miss.
    now += 0.2
    await receive(1024)
    assert.equal(turns, 1)
    look()
    await receive(4096)
    assert.equal(turns, 1)
  })
})

describe('the end of the process', () => {
  test('receives that wait, and later ones, reject with ProcessExit and the reason', async () => {
    const self = createProcess<Message>()
    const waiting = self.receive([{ type: 'a' }])
    self.exit(['shutdown', 'tidy'])
    const expected = { name: 'ProcessExit', reason: ['shutdown', 'tidy'] }
    await assert.rejects(waiting, expected)
    await assert.rejects(self.receive([{ type: 'a' }]), expected)
    await assert.rejects(self.receive([{ type: 'a' }], 0), expected)
  })

  test('such a receive never becomes an unhandled rejection', async t => {
    const unhandled = collectUnhandled(t)
    const self = createProcess<Message>()
    void self.receive([{ type: 'a' }])
    void self.receive([{ type: 'a' }], 1000)
    void self.receive([{ type: 'a' }], { timeout: 1000, onTimeout: () => 1 })
    void self.receive([self.on({ type: 'a' }, () => 1)])
    void self.receive([self.on({ type: 'a' }, () => 1)], { timeout: 1000, onTimeout: () => 1 })
    void self.receive([{ type: 'a' }], { signal: self.signal })
    self.exit()
    void self.receive([{ type: 'a' }])
    void self.receive([self.on({ type: 'a' }, () => 1)], 0)
    await turn()
    await turn()
    assert.deepEqual(unhandled, [])
  })
})

describe('misuse throws at once and names the argument', () => {
  const cases: [string, unknown[], RegExp][] = [
    ['patterns that are no array', [{ type: 'a' }], /^patterns must be an array/],
    ['no patterns', [], /^patterns must be an array/],
    ['a timeout that is no number', [[], '5'], /^timeout must be a number/],
    ['a timeout that is NaN', [[], Number.NaN], /^timeout must be a number/],
    ['a timeout that is null', [[], null], /^timeout must be a number/],
    ['a negative timeout', [[], -1], /^timeout must be between/],
    ['an infinitely negative timeout', [[], Number.NEGATIVE_INFINITY], /^timeout must be between/],
    ['a timeout option that is no number', [[], { timeout: '5' }], /^timeout must be a number/],
    ['an unknown option', [[], { timeuot: 5 }], /^options\.timeuot is not/],
    ['an onTimeout that is no function', [[], { onTimeout: 5 }], /^options\.onTimeout must be a function/],
    ['a signal that is none', [[], { signal: {} }], /^options\.signal must be an AbortSignal/],
    ['two variadic elements', [[[...P.array(1), ...P.array(2)]]], /^patterns: an array may hold/],
  ]
  for (const [name, args, message] of cases) {
    test(name, () => {
      assert.throws(misuse(...args), { message })
    })
  }

  test('on without a handler', () => {
    const self = createProcess()
    assert.throws(() => Reflect.apply(self.on, self, [{ type: 'a' }]), { message: /^handler must be/ })
  })
})

describe('flush', () => {
  test('drops the messages that match, says how many, and leaves the others in their place', async () => {
    const self = withMessages(a(1), b(2), a(3), b(4))
    assert.equal(self.flush({ type: 'a' }), 2)
    assert.equal(self.flush({ type: 'a' }), 0)
    assert.deepEqual(await self.receive([P._]), b(2))
    assert.deepEqual(await self.receive([P._]), b(4))
  })

  test('without a pattern drops everything', () => {
    const self = withMessages(a(1), b(2), a(3))
    assert.equal(self.flush(), 3)
    assert.equal(self.messageQueueLength, 0)
  })

  test('a guard that throws ends the flush, and its message stays', async () => {
    const self = withMessages(a(1), a(2), a(3))
    const guard = when(n => {
      if (n === 2) throw new Error('guard')
      return true
    })
    assert.throws(() => self.flush({ n: guard }), { message: 'guard' })
    assert.equal(self.messageQueueLength, 2)
  })

  test('does nothing to a process that has exited', () => {
    const self = withMessages(a(1))
    self.exit()
    assert.equal(self.flush(), 0)
  })
})
