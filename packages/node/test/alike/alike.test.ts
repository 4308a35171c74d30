// Processes of two threads, or of two programs, do with each other what those of one thread do.

import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import { moduleAt, named, registered, send, spawnAt, spawnLinkAt, whereis } from '@holster/node'
import { pg, supervisor } from '@holster/otp'
import {
  call,
  createProcess,
  type Down,
  type Exit,
  exit,
  type MonitorTarget,
  makeRef,
  P,
  type Pid,
  type Process,
  setExitHook,
} from '@holster/process'
import { type Counter, type Echo, Money, type Order } from '../support/bodies.ts'
import { places } from '../support/places.ts'

const bodies = moduleAt<typeof import('../support/bodies.ts')>(
  new URL('../support/bodies.ts', import.meta.url),
)

type Target<M> = Pid<M> & MonitorTarget

type News =
  | { readonly type: 'echoed'; readonly body: unknown; readonly self: Pid<Echo> }
  | {
      readonly type: 'got'
      readonly message: { readonly type: string; readonly reason?: unknown; readonly from?: unknown }
    }
  | { readonly type: 'pong'; readonly from: Pid<Order> }
  | { readonly type: 'number'; readonly number: number }
  | { readonly type: 'counted' }
  | { readonly type: 'hello' }

/** Makes a process that ends with the test, and silences reports of crashes that the test brings about. */
function main(t: TestContext): Process<News> {
  const hook = setExitHook(() => {})
  const self = createProcess<News>({ trapExit: true })
  t.after(() => {
    self.exit()
    setExitHook(hook)
  })
  return self
}

/** Collects the reports of crashes of this program. */
function collect(t: TestContext): { readonly crashes: readonly unknown[] } {
  const crashes: unknown[] = []
  const hook = setExitHook((_pid, reason) => void crashes.push(reason))
  t.after(() => setExitHook(hook))
  return { crashes }
}

/** Resolves to what the servant has got. */
async function got(self: Process<News>, type: string): Promise<{ reason?: unknown; from?: unknown }> {
  const { message } = await self.receive([
    { type: 'got', message: P.when(({ type: given }) => given === type) },
  ])
  return message
}

/** Resolves once all that was sent to `pid` so far has been looked at. */
async function settled(self: Process<News>, pid: Pid<Order>): Promise<void> {
  pid.send({ type: 'ping', from: self })
  await self.receive([{ type: 'pong', from: pid }])
}

for (const place of places) {
  describe(`a process ${place.name}`, { skip: place.skip }, () => {
    let node = ''
    before(async () => {
      node = await place.open()
    })
    after(() => place.close())

    const spawnEcho = async () => (await spawnAt(node, bodies, 'echo')) as Target<Echo>
    const spawnServant = async (self: Process<News>) => {
      return (await spawnAt(node, bodies, 'servant', self as Pid<unknown>)) as Target<Order>
    }
    const spawnCounter = async (start: number) =>
      (await spawnAt(node, bodies, 'counter', start)) as Target<Counter>

    describe('gets and sends messages', () => {
      test('in order, many of them, both ways', async t => {
        const self = main(t)
        const pid = await spawnServant(self)
        const many = 20_000
        pid.send({ type: 'count', from: self, to: many })
        for (let number = 0; number < many; number++) pid.send({ type: 'number', number } as never)
        await self.receive([{ type: 'counted' }])
        pid.send({ type: 'flow', to: self, messages: many })
        for (let number = 0; number < many; number++) {
          const got = await self.receive([{ type: 'number' }])
          assert.equal(got.number, number)
        }
      })

      test('with all kinds of values, which arrive as equals', async t => {
        const self = main(t)
        const pid = await spawnEcho()
        const cause = new RangeError('why')
        const body = {
          text: 'grüße 🎉',
          broken: '\ud800x',
          numbers: [0, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, -(2 ** 31) - 1],
          big: [1n, -(2n ** 63n), 2n ** 100n],
          nothing: [undefined, null],
          date: new Date(5),
          map: new Map<unknown, unknown>([
            ['a', new Set([1, new Map()])],
            [{ key: 1 }, undefined],
          ]),
          bytes: [Buffer.from('abc'), new Uint8Array([1, 2]), new Float64Array([0.5]), new ArrayBuffer(2)],
          view: new DataView(new Uint8Array([1, 2, 3]).buffer, 1),
          error: new TypeError('what', { cause }),
          url: new URL('https://example.org/a?b'),
          pattern: /a+/giu,
          symbol: Symbol.for('known'),
          money: new Money(7),
          odd: { constructor: 1, toJSON: 2, 'a b': 3 },
          deep: Array.from({ length: 100 }).reduce<unknown>(inner => [inner], 'bottom'),
          long: 'x'.repeat(300_000),
        }
        pid.send({ type: 'echo', from: self, body })
        const { body: back } = await self.receive([{ type: 'echoed' }])
        assert.deepStrictEqual(back, body)
      })

      test('with handles, which come home as the same objects', async t => {
        const self = main(t)
        const pid = await spawnEcho()
        const [ref, alias, monitor] = [makeRef(), self.alias<News>(), self.monitor(pid)]
        pid.send({
          type: 'echo',
          from: self,
          body: { self, ref, alias, monitor, pid, map: new Map([[ref, pid]]) },
        })
        const { body, self: from } = await self.receive([{ type: 'echoed' }])
        const back = body as {
          self: unknown
          ref: unknown
          alias: unknown
          monitor: unknown
          pid: unknown
          map: Map<unknown, unknown>
        }
        assert.equal(from, pid)
        assert.equal(back.self, self)
        assert.equal(back.ref, ref)
        assert.equal(back.alias, alias)
        assert.equal(back.monitor, monitor)
        assert.equal(back.pid, pid)
        assert.equal(back.map.get(ref), pid)
      })

      test('of which a receive takes those that carry a handle', async t => {
        const self = main(t)
        const [one, two] = [await spawnEcho(), await spawnEcho()]
        one.send({ type: 'echo', from: self, body: 1 })
        two.send({ type: 'echo', from: self, body: 2 })
        assert.equal((await self.receive([{ type: 'echoed', self: two }])).body, 2)
        assert.equal((await self.receive([{ type: 'echoed', self: one }])).body, 1)
      })

      test('through an alias until that is taken back', async t => {
        const self = main(t)
        const pid = await spawnEcho()
        const alias = self.alias<News>()
        pid.send({ type: 'echo', from: alias as Pid<unknown>, body: 1 })
        await self.receive([{ type: 'echoed', body: 1 }])
        self.unalias(alias)
        pid.send({ type: 'echo', from: alias as Pid<unknown>, body: 2 })
        pid.send({ type: 'echo', from: self, body: 3 })
        await self.receive([{ type: 'echoed', body: 3 }])
        assert.equal(self.messageQueueLength, 0)
      })
    })

    describe('is monitored', () => {
      for (const [how, order, reason] of [
        ['returns', { type: 'return' }, 'normal'],
        [
          'exits for a reason',
          { type: 'exit', reason: ['shutdown', { why: [1] }] },
          ['shutdown', { why: [1] }],
        ],
      ] as const) {
        test(`and gives the reason when it ${how}`, async t => {
          const self = main(t)
          const pid = await spawnServant(self)
          const ref = self.monitor(pid)
          pid.send(order)
          const down = await self.receive([{ type: 'DOWN', ref }])
          assert.deepEqual(down, { type: 'DOWN', ref, pid, reason } satisfies Down)
        })
      }

      test('and gives the error when it throws', async t => {
        const self = main(t)
        const pid = await spawnServant(self)
        const ref = self.monitor(pid)
        pid.send({ type: 'throw', message: 'boom' })
        const { reason } = await self.receive([{ type: 'DOWN', ref }])
        assert.ok(reason instanceof TypeError)
        assert.equal(reason.message, 'boom')
      })

      test('and gives noproc when it has ended before', async t => {
        const self = main(t)
        const pid = await spawnServant(self)
        const first = self.monitor(pid)
        pid.send({ type: 'return' })
        await self.receive([{ type: 'DOWN', ref: first }])
        const ref = self.monitor(pid)
        assert.equal((await self.receive([{ type: 'DOWN', ref }])).reason, 'noproc')
      })

      test('as often as asked, and no more once that is taken back', async t => {
        const self = main(t)
        const pid = await spawnServant(self)
        const refs = [self.monitor(pid), self.monitor(pid), self.monitor(pid)] as const
        assert.equal(self.demonitor(refs[1]), true)
        pid.send({ type: 'return' })
        await self.receive([{ type: 'DOWN', ref: refs[0] }])
        await self.receive([{ type: 'DOWN', ref: refs[2] }])
        assert.equal(self.flush({ type: 'DOWN', ref: refs[1] }), 0)
      })

      test('and its last messages come before the news of its end', async t => {
        const self = main(t)
        const pid = await spawnServant(self)
        const ref = self.monitor(pid)
        pid.send({ type: 'flow', to: self, messages: 100 })
        pid.send({ type: 'return' })
        const seen: unknown[] = []
        for (let i = 0; i < 101; i++)
          seen.push((await self.receive([{ type: 'number' }, { type: 'DOWN', ref }])).type)
        assert.equal(seen.indexOf('DOWN'), 100)
      })

      test('by its name, which the news carries', async t => {
        const self = main(t)
        const pid = await spawnServant(self)
        pid.send({ type: 'register', name: 'watched' })
        await settled(self, pid)
        const name = named({ name: 'watched', node })
        const ref = self.monitor(name)
        pid.send({ type: 'exit', reason: 'enough' })
        assert.deepEqual(await self.receive([{ type: 'DOWN', ref }]), {
          type: 'DOWN',
          ref,
          pid: name,
          reason: 'enough',
        })
        const again = self.monitor(name)
        assert.equal((await self.receive([{ type: 'DOWN', ref: again }])).reason, 'noproc')
      })

      test('by its name, which another process may get while the first one lives on', async t => {
        const self = main(t)
        const [one, other] = [await spawnServant(self), await spawnServant(self)]
        const name = named<Order>({ name: 'handed on', node })
        one.send({ type: 'register', name: 'handed on' })
        await settled(self, one)
        const first = self.monitor(name)
        one.send({ type: 'unregister', name: 'handed on' })
        await settled(self, one)
        other.send({ type: 'register', name: 'handed on' })
        await settled(self, other)
        const second = self.monitor(name)
        other.send({ type: 'exit', reason: 'second' })
        const { ref, reason } = await self.receive([{ type: 'DOWN' }])
        assert.deepEqual([ref === second, reason], [true, 'second'])
        one.send({ type: 'exit', reason: 'first' })
        assert.equal((await self.receive([{ type: 'DOWN', ref: first }])).reason, 'first')
      })

      test('and monitors itself', async t => {
        const self = main(t)
        const target = createProcess()
        const pid = await spawnServant(self)
        pid.send({ type: 'monitor', pid: target })
        await settled(self, pid)
        target.exit('bye')
        const message = await got(self, 'DOWN')
        assert.equal(message.reason, 'bye')
      })
    })

    describe('is linked', () => {
      test('and its end is an exit signal here', async t => {
        const self = main(t)
        const pid = await spawnServant(self)
        self.link(pid)
        pid.send({ type: 'exit', reason: 'crash' })
        assert.deepEqual(await self.receive([{ type: 'EXIT' }]), {
          type: 'EXIT',
          from: pid,
          reason: 'crash',
        } satisfies Exit)
      })

      test('and an end here is an exit signal there', async t => {
        const self = main(t)
        const other = createProcess<News>()
        const pid = await spawnServant(self)
        pid.send({ type: 'trap' })
        await settled(self, pid)
        other.link(pid)
        other.exit('crash')
        const message = await got(self, 'EXIT')
        assert.deepEqual([message.reason, message.from], ['crash', other])
      })

      test('and ends with the other one unless it traps exits', async t => {
        const self = main(t)
        const other = createProcess<News>()
        const pid = await spawnServant(self)
        const ref = self.monitor(pid)
        other.link(pid)
        other.exit('crash')
        assert.equal((await self.receive([{ type: 'DOWN', ref }])).reason, 'crash')
      })

      test('from its side as from this one', async t => {
        const self = main(t)
        const pid = await spawnServant(self)
        pid.send({ type: 'link', pid: self })
        await settled(self, pid)
        pid.send({ type: 'exit', reason: 'crash' })
        assert.equal((await self.receive([{ type: 'EXIT', from: pid }])).reason, 'crash')
      })

      for (const [side, act] of [
        ['this side', (self: Process<News>, pid: Target<Order>) => self.unlink(pid)],
        ['its side', (self: Process<News>, pid: Target<Order>) => pid.send({ type: 'unlink', pid: self })],
      ] as const) {
        test(`until that is undone from ${side}`, async t => {
          const self = main(t)
          const pid = await spawnServant(self)
          self.link(pid)
          await settled(self, pid)
          act(self, pid)
          await settled(self, pid)
          const ref = self.monitor(pid)
          pid.send({ type: 'exit', reason: 'crash' })
          await self.receive([{ type: 'DOWN', ref }])
          assert.equal(self.flush({ type: 'EXIT' }), 0)
        })
      }

      test('once, however often it is linked and unlinked from both sides at a time', async t => {
        const self = main(t)
        const pid = await spawnServant(self)
        for (let i = 0; i < 20; i++) {
          self.link(pid)
          pid.send({ type: 'link', pid: self })
          self.unlink(pid)
          pid.send({ type: 'unlink', pid: self })
          self.link(pid)
        }
        await settled(self, pid)
        self.link(pid)
        await settled(self, pid)
        const ref = self.monitor(pid)
        pid.send({ type: 'exit', reason: 'crash' })
        await self.receive([{ type: 'DOWN', ref }])
        assert.equal(self.flush({ type: 'EXIT' }), 1)
      })

      test('though it has ended, and that is noproc', async t => {
        const self = main(t)
        const pid = await spawnServant(self)
        const ref = self.monitor(pid)
        pid.send({ type: 'return' })
        await self.receive([{ type: 'DOWN', ref }])
        self.link(pid)
        assert.equal((await self.receive([{ type: 'EXIT', from: pid }])).reason, 'noproc')
      })

      test('and its end is told once, also where it ends because a link of its own leads to nobody', async t => {
        const self = main(t)
        const gone = createProcess()
        gone.exit()
        const pid = await spawnServant(self)
        self.link(pid)
        await settled(self, pid)
        const ref = self.monitor(pid)
        pid.send({ type: 'link', pid: gone })
        await self.receive([{ type: 'DOWN', ref }])
        const other = await spawnServant(self)
        await settled(self, other)
        assert.equal(self.flush({ type: 'EXIT' }), 1)
      })

      test('before its body begins, where it is spawned so', async t => {
        const self = main(t)
        const pid = (await spawnLinkAt(self, node, bodies, 'servant', self as Pid<unknown>)) as Target<Order>
        pid.send({ type: 'throw', message: 'boom' })
        assert.match(String((await self.receive([{ type: 'EXIT', from: pid }])).reason), /boom/)
      })
    })

    describe('takes exit signals', () => {
      test('that end it', async t => {
        const self = main(t)
        const pid = await spawnServant(self)
        const ref = self.monitor(pid)
        exit(pid, 'normal')
        await settled(self, pid)
        exit(pid, 'enough')
        assert.equal((await self.receive([{ type: 'DOWN', ref }])).reason, 'enough')
      })

      test('as messages, with their sender, where it traps them', async t => {
        const self = main(t)
        const pid = await spawnServant(self)
        pid.send({ type: 'trap' })
        await settled(self, pid)
        self.exit(pid, 'please')
        const message = await got(self, 'EXIT')
        assert.deepEqual([message.reason, message.from], ['please', self])
        const ref = self.monitor(pid)
        exit(pid, 'kill')
        assert.equal((await self.receive([{ type: 'DOWN', ref }])).reason, 'killed')
      })

      test('and sends them', async t => {
        const self = main(t)
        const target = createProcess()
        const ref = self.monitor(target)
        const pid = await spawnServant(self)
        pid.send({ type: 'kill', pid: target, reason: 'away' })
        assert.equal((await self.receive([{ type: 'DOWN', ref }])).reason, 'away')
      })
    })

    describe('has a name', () => {
      test('by which it is found, sent to and called', async t => {
        const self = main(t)
        const pid = await spawnServant(self)
        assert.equal(await whereis('worker', node), undefined)
        pid.send({ type: 'register', name: 'worker' })
        await settled(self, pid)
        assert.equal(await whereis('worker', node), pid)
        assert.ok((await registered(node)).includes('worker'))
        send({ name: 'worker', node }, { type: 'ping', from: self })
        await self.receive([{ type: 'pong', from: pid }])
        const ref = self.monitor(pid)
        exit(named({ name: 'worker', node }), 'enough')
        await self.receive([{ type: 'DOWN', ref }])
        assert.equal(await whereis('worker', node), undefined)
        send({ name: 'worker', node }, { type: 'ping', from: self })
      })

      test('that cannot be linked, as in Erlang', t => {
        const self = main(t)
        assert.throws(() => self.link(named({ name: 'anyone', node })), /target must be a pid/)
      })
    })

    describe('answers calls', () => {
      test('and gets the sum right', async t => {
        const self = main(t)
        const pid = await spawnCounter(10)
        assert.equal(await self.call(pid, { type: 'add', n: 1 }), 11)
        assert.equal(await call(pid, { type: 'add', n: 2 }), 13)
      })

      test('by many callers at a time', async t => {
        const self = main(t)
        const pid = await spawnCounter(0)
        const sums = await Promise.all(
          Array.from({ length: 500 }, () => self.call(pid, { type: 'add', n: 1 })),
        )
        assert.deepEqual(
          sums,
          Array.from({ length: 500 }, (_, index) => index + 1),
        )
      })

      test('or gives the error with which it ends', async t => {
        const self = main(t)
        const pid = await spawnCounter(0)
        await assert.rejects(self.call(pid, { type: 'crash' }), { name: 'CallError', message: /crashed/ })
      })

      test('or is given up in time, and a late answer is dropped', async t => {
        const self = main(t)
        const pid = await spawnCounter(0)
        await assert.rejects(self.call(pid, { type: 'late' }, 1), { name: 'CallError', reason: 'timeout' })
        pid.send({ type: 'now' })
        assert.equal(await self.call(pid, { type: 'add', n: 1 }), 1)
        assert.equal(self.messageQueueLength, 0)
      })

      test('with noproc where it has ended', async t => {
        const self = main(t)
        const pid = await spawnCounter(0)
        const ref = self.monitor(pid)
        exit(pid, 'kill')
        await self.receive([{ type: 'DOWN', ref }])
        await assert.rejects(self.call(pid, { type: 'add', n: 1 }), { reason: 'noproc' })
      })
    })

    test('joins groups that are known here, and leaves them', async () => {
      const self = createProcess<pg.Change>()
      const { ref } = pg.monitor(self, 'alike')
      const pid = await spawnAt(node, bodies, 'member')
      const changes = [{ type: P.union('pg_join', 'pg_leave'), ref }] as const
      pid.send({ type: 'join', group: 'alike' })
      assert.deepEqual((await self.receive(changes)).pids, [pid])
      assert.deepEqual(pg.members('alike'), [pid])
      pid.send({ type: 'end' })
      assert.equal((await self.receive(changes)).type, 'pg_leave')
      assert.deepEqual(pg.members('alike'), [])
      self.exit()
    })

    test('is a child of a supervisor here, which starts it anew', async t => {
      const self = main(t)
      const started: Target<Order>[] = []
      const pid = await supervisor.start({
        children: [
          {
            id: 'away',
            start: async parent => {
              const child = (await spawnLinkAt(
                parent,
                node,
                bodies,
                'servant',
                self as Pid<unknown>,
              )) as Target<Order>
              started.push(child)
              self.send({ type: 'hello' })
              return child
            },
          },
        ],
      })
      await self.receive([{ type: 'hello' }])
      started[0]?.send({ type: 'throw', message: 'boom' })
      await self.receive([{ type: 'hello' }])
      assert.notEqual(started[0], started[1])
      // Answered once the start is over.
      assert.equal((await supervisor.countChildren(pid)).active, 1)
      const ref = self.monitor(started[1] as Target<Order>)
      await supervisor.stop(pid)
      assert.equal((await self.receive([{ type: 'DOWN', ref }])).reason, 'shutdown')
    })

    test('is found though others have sent nonsense to the process that answers', async t => {
      const { crashes } = collect(t)
      const kernel = named<unknown>({ name: 'net_kernel', node })
      for (const nonsense of [
        undefined,
        1,
        { type: 'call' },
        { type: 'call', from: 1, request: { type: 'whereis' } },
      ]) {
        kernel.send(nonsense)
      }
      exit(kernel, 'shutdown')
      assert.notEqual(await whereis('net_kernel', node), undefined)
      assert.ok(crashes.length <= 3)
    })

    test('cannot be spawned from what is not there, and the error says what is', async () => {
      await assert.rejects(
        spawnAt(node, new URL('../support/bodies.ts', import.meta.url), 'nobody'),
        /exports no function 'nobody', but .*echo/,
      )
      await assert.rejects(spawnAt(node, new URL('./nowhere.ts', import.meta.url), 'echo'), /nowhere/)
      const wrong = { deep: [() => {}] }
      await assert.rejects(
        spawnAt(node, bodies, 'counter', wrong as never),
        /^TypeError: args\[0\]\.deep\[0\]: a function/,
      )
      const code = new URL('data:text/javascript,export function anything() {}')
      await assert.rejects(spawnAt(node, code, 'anything'), /code must be the URL of a file/)
    })
  })
}
