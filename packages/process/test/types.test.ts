// The types of a receive. The type checker is the test; a run only shows that the calls are legal.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { expectTypeOf } from 'expect-type'
import { createActor } from 'xstate'
import {
  type Alias,
  type Call,
  call,
  createProcess,
  type Down,
  type Exit,
  type ExitReason,
  MonitorRef,
  makeRef,
  P,
  type PatternOrOn,
  type Pid,
  type Process,
  type Ref,
  reply,
  spawn,
  type Timeout,
  type TimerRef,
} from '../src/index.ts'
import { fromProcess } from '../src/xstate.ts'

interface Up {
  readonly type: 'up'
  readonly conn: Ref
}

interface Ws {
  readonly type: 'ws'
  readonly conn: Ref
  readonly stream: Ref
  readonly frame: readonly ['text', string] | readonly ['binary', Uint8Array] | 'close'
}

interface Failure {
  readonly type: 'failure'
  readonly conn: Ref
  readonly stream?: Ref | undefined
  readonly code: 'closed' | 'timeout'
}

type Message = Up | Ws | Failure

const conn = makeRef()
const stream = makeRef()

/** A process with the messages that every receive below finds. */
function ready(): Process<Message> {
  const self = createProcess<Message>()
  self.send({ type: 'up', conn })
  self.send({ type: 'ws', conn, stream, frame: ['text', 'x'] })
  self.send({ type: 'failure', conn, code: 'closed' })
  return self
}

describe('a receive is narrowed to its patterns', () => {
  test('to the one message that a tag names', async () => {
    const message = await ready().receive([{ type: 'up', conn }])
    expectTypeOf(message).toEqualTypeOf<Up>()
    expectTypeOf(message.conn).toEqualTypeOf<Ref>()
    // @ts-expect-error an up message has no frame
    assert.equal(message.frame, undefined)
  })

  test('to the union of several, so that a switch is exhaustive', async () => {
    const message = await ready().receive(
      [
        { type: 'up', conn },
        { type: 'ws', conn, stream },
      ],
      1000,
    )
    const tag = (): string => {
      switch (message.type) {
        case 'up':
          return 'up'
        case 'ws':
          return String(message.frame)
        default:
          expectTypeOf(message).toBeNever()
          return message
      }
    }
    assert.equal(tag(), 'up')
    // @ts-expect-error no pattern asked for a failure
    assert.equal(message.type === 'failure', false)
  })

  test('to the fields that a pattern narrows', async () => {
    const message = await ready().receive([{ type: 'ws', frame: ['text', P.string] }])
    expectTypeOf(message.type).toEqualTypeOf<'ws'>()
    expectTypeOf(message.frame[0]).toEqualTypeOf<'text'>()
    expectTypeOf(message.frame[1]).toEqualTypeOf<string>()
    const failure = await ready().receive([{ code: 'closed' }])
    expectTypeOf(failure.code).toEqualTypeOf<'closed'>()
  })

  test('by P.union and guards', async () => {
    const message = await ready().receive([{ type: P.union('up', 'failure') }])
    expectTypeOf(message.type).toEqualTypeOf<'up' | 'failure'>()
    const isText = (frame: unknown): frame is readonly ['text', string] =>
      Array.isArray(frame) && frame[0] === 'text'
    const text = await ready().receive([{ type: 'ws', frame: P.when(isText) }])
    expectTypeOf(text.frame[1]).toEqualTypeOf<string>()
    const guarded = await ready().receive([{ type: 'ws', stream: P.when(value => value === stream) }])
    expectTypeOf(guarded.type).toEqualTypeOf<'ws'>()
  })

  test('to anything that may come, by P._', async () => {
    const message = await ready().receive([P._])
    expectTypeOf(message).toEqualTypeOf<Message | Down | Exit>()
  })

  test('to a message without a field, by undefined', async () => {
    const message = await ready().receive([{ type: 'failure', conn, stream: undefined }])
    expectTypeOf(message.type).toEqualTypeOf<'failure'>()
    expectTypeOf(message.code).toEqualTypeOf<'closed' | 'timeout'>()
  })

  test('also when the patterns are kept in a constant', async () => {
    const patterns = [{ type: 'up' }, { type: 'ws' }] as const
    const message = await ready().receive(patterns)
    expectTypeOf(message.type).toEqualTypeOf<'up' | 'ws'>()
  })
})

describe('a pinned pid or from keeps its type', () => {
  const other = createProcess<Up>()
  const pids = createProcess<Message | { type: 'call'; from: Pid<Up> }>()
  const type = <T>(received: Promise<T>) => {
    received.catch(() => {})
    return expectTypeOf<T>()
  }

  test('in DOWN and EXIT, also in a process that expects anything', () => {
    const down = pids.receive([{ type: 'DOWN', pid: other }])
    type(down.then(({ pid }) => pid)).toEqualTypeOf<Process<Up>>()
    type(down.then(({ ref }) => ref)).toEqualTypeOf<MonitorRef>()
    type(pids.receive([{ type: 'EXIT', from: other }]).then(({ from }) => from)).toEqualTypeOf<Process<Up>>()
    const unknown = createProcess()
    type(unknown.receive([{ type: 'DOWN', pid: other }]).then(({ pid }) => pid)).toEqualTypeOf<Process<Up>>()
    unknown.exit()
  })

  test('in a message of the user’s, and by the field alone', () => {
    type(pids.receive([{ type: 'call', from: other }]).then(({ from }) => from)).toEqualTypeOf<Process<Up>>()
    const either = pids.receive([{ from: other }])
    type(either.then(({ type }) => type)).toEqualTypeOf<'EXIT' | 'call'>()
    type(either.then(({ from }) => from)).toEqualTypeOf<Process<Up>>()
  })

  test('in a handler, and beside other patterns', () => {
    const on = pids.on({ type: 'DOWN', pid: other }, ({ pid }) => pid)
    type(pids.receive([on])).toEqualTypeOf<Process<Up>>()
    const received = pids.receive([{ type: 'DOWN', pid: other }, { type: 'up' }])
    type(received.then(message => (message.type === 'DOWN' ? message.pid : message.conn))).toEqualTypeOf<
      Process<Up> | Ref
    >()
  })

  test('of an xstate actor as well', () => {
    const actor = createActor(fromProcess((_: Process<Up>) => 1))
    type(pids.receive([{ type: 'DOWN', pid: actor }]).then(({ pid }) => pid)).toEqualTypeOf<typeof actor>()
    type(pids.receive([{ type: 'EXIT', from: actor }]).then(({ from }) => from)).toEqualTypeOf<typeof actor>()
    const target: Down['pid'] = [other, actor][0] ?? other
    type(pids.receive([{ type: 'DOWN', pid: target }]).then(({ ref }) => ref)).toEqualTypeOf<MonitorRef>()
    pids.exit()
    other.exit()
  })
})

describe('DOWN and EXIT need not be declared', () => {
  test('and have their fields in a process that expects anything', async () => {
    const self = createProcess()
    const ref = self.monitor(createProcess())
    self.flush()
    const received = async () => self.receive([{ type: 'DOWN', ref }])
    expectTypeOf<Awaited<ReturnType<typeof received>>['reason']>().toEqualTypeOf<unknown>()
    expectTypeOf<Awaited<ReturnType<typeof received>>['ref']>().toExtend<object>()
    const anything = async () => self.receive([P._])
    expectTypeOf<Awaited<ReturnType<typeof anything>>>().toBeUnknown()
  })

  test('they can be received beside the process’s own messages', async () => {
    const self = createProcess<Message>({ trapExit: true })
    const other = createProcess()
    const ref = self.monitor(other)
    self.link(other)
    other.exit()
    const down = await self.receive([{ type: 'DOWN', ref }])
    expectTypeOf(down).toEqualTypeOf<Down>()
    expectTypeOf(down.ref).toEqualTypeOf<MonitorRef>()
    const exit = await self.receive([{ type: 'EXIT', from: other }, { type: 'up' }])
    expectTypeOf(exit.type).toEqualTypeOf<'EXIT' | 'up'>()
  })
})

describe('a pattern that no message can match is refused', () => {
  test('an unknown tag', async () => {
    const self = ready()
    // @ts-expect-error no message has this tag
    await self.receive([{ type: 'pu' }], { timeout: 0, onTimeout: () => 0 })
    // @ts-expect-error nor beside one that exists
    await self.receive([{ type: 'up' }, { type: 'pu' }], 0)
  })

  test('an unknown field', async () => {
    const self = ready()
    // @ts-expect-error no message has this field
    await self.receive([{ type: 'up', con: conn }], { timeout: 0, onTimeout: () => 0 })
    // @ts-expect-error an up message has no code
    await self.receive([{ type: 'up', code: 'closed' }], { timeout: 0, onTimeout: () => 0 })
  })

  test('a value of the wrong type', async () => {
    const self = ready()
    // @ts-expect-error conn is a ref
    await self.receive([{ type: 'up', conn: 5 }], { timeout: 0, onTimeout: () => 0 })
    // @ts-expect-error there is no such code
    await self.receive([{ type: 'failure', code: 'open' }], { timeout: 0, onTimeout: () => 0 })
  })

  test('patterns without brackets, in a variable without as const, and a function', () => {
    const self = ready()
    // @ts-expect-error patterns need brackets
    assert.throws(() => self.receive({ type: 'up' }), { message: /^patterns must be an array/ })
    const patterns = [{ type: 'up' }, { type: 'ws' }]
    // @ts-expect-error the tags are any string
    self.receive(patterns, { timeout: 0, onTimeout: () => 0 })
    createProcess().receive(patterns, { timeout: 0, onTimeout: () => 0 })
    const typed: PatternOrOn<Message | Down | Exit>[] = [{ type: 'up' }]
    self.receive(typed, { timeout: 0, onTimeout: () => 0 })
    // @ts-expect-error a guard is P.when
    assert.throws(() => self.receive([(message: Message) => message.type === 'up']), /P\.when\(guard\)/)
    // @ts-expect-error a guard is P.when
    assert.throws(() => self.receive([{ type: 'failure', code: (code: string) => code === '' }]), /P\.when/)
  })

  test('in on and flush as well', () => {
    const self = ready()
    // @ts-expect-error no message has this tag
    self.on({ type: 'pu' }, () => 0)
    // @ts-expect-error no message has this tag
    self.flush({ type: 'pu' })
    self.flush({ type: 'up' })
    self.flush()
  })

  test('and so is a message that the process does not expect', () => {
    const self = ready()
    // @ts-expect-error there is no such message
    self.send({ type: 'pu' })
    // @ts-expect-error nor later
    self.sendAfter(1000, { type: 'pu' })
    self.exit()
  })
})

describe('handlers', () => {
  test('get the narrowed message, and give the receive its type', async () => {
    const self = ready()
    const result = await self.receive([
      self.on({ type: 'up' }, message => {
        expectTypeOf(message).toEqualTypeOf<Up>()
        return 1
      }),
      self.on({ type: 'failure' }, ({ code }) => code),
    ])
    expectTypeOf(result).toEqualTypeOf<number | 'closed' | 'timeout'>()
  })

  test('that are async give the value to which they resolve', async () => {
    const self = ready()
    const result = await self.receive([self.on({ type: 'up' }, async () => 'x')])
    expectTypeOf(result).toEqualTypeOf<string>()
  })

  test('may stand beside bare patterns, and onTimeout adds its own type', async () => {
    const self = ready()
    const result = await self.receive([{ type: 'up' }, self.on({ type: 'ws' }, () => true)], {
      timeout: 0,
      onTimeout: async () => null,
    })
    expectTypeOf(result).toEqualTypeOf<Up | boolean | null>()
  })
})

describe('a process', () => {
  test('expects unknown messages by default, and takes any pattern', async () => {
    const self = createProcess()
    expectTypeOf(self).toEqualTypeOf<Process<unknown>>()
    self.send({ type: 'anything', n: 1 })
    const message = await self.receive([{ type: 'anything' }])
    expectTypeOf(message).toExtend<{ type: 'anything' }>()
  })

  test('of spawn is given to its body, with one type parameter', async () => {
    const spawned = spawn<Message>(async self => {
      expectTypeOf(self).toEqualTypeOf<Process<Message>>()
    })
    expectTypeOf(spawned).toEqualTypeOf<Process<Message>>()
    expectTypeOf(spawned.exited).toEqualTypeOf<Promise<ExitReason>>()
    await spawned.exited
  })

  test('is a Pid, and so is an xstate actor', () => {
    expectTypeOf<Process<Message>>().toExtend<Pid<Message>>()
    const actor = createActor(fromProcess((_: Process<Up>) => 1))
    expectTypeOf(actor).toExtend<Pid<Up>>()
    expectTypeOf(actor.getSnapshot().output).toEqualTypeOf<number | undefined>()
  })

  test('gives refs that cannot be mistaken for each other', () => {
    const self = createProcess<Message>()
    const monitor = self.monitor(createProcess())
    // @ts-expect-error a monitor is not a timer
    assert.throws(() => self.cancelTimer(monitor))
    expectTypeOf<TimerRef>().not.toExtend<MonitorRef>()
    assert.ok(monitor instanceof MonitorRef)
  })
})

describe('the types of a call', () => {
  type Add = Call<{ type: 'add'; n: number }, void>
  type Get = Call<{ type: 'get' } | { type: 'peek'; at: number }, string>
  const server = spawn<Add | Get | Timeout<'tick'>>(async self => {
    await self.receive([
      self.on({ type: 'call', request: { type: 'add' } }, ({ from, request }) => {
        expectTypeOf(request.n).toEqualTypeOf<number>()
        reply(from)
      }),
      self.on({ type: 'call', request: { type: 'get' } }, ({ from }) => {
        // @ts-expect-error a string is wanted
        assert.throws(() => reply({} as typeof from))
        reply(from, 'x')
      }),
    ])
  })

  test('give each request the type of its reply', () => {
    const self = createProcess()
    const types = () => {
      expectTypeOf(self.call(server, { type: 'add', n: 1 })).toEqualTypeOf<Promise<void>>()
      expectTypeOf(self.call(server, { type: 'peek', at: 1 })).toEqualTypeOf<Promise<string>>()
      expectTypeOf(call(server, { type: 'get' }, 10)).toEqualTypeOf<Promise<string>>()
      expectTypeOf(self.call(server as Pid<Add>, { type: 'add', n: 1 })).toEqualTypeOf<Promise<void>>()
      expectTypeOf(self.call('by name', { any: 1 })).toEqualTypeOf<Promise<unknown>>()
      expectTypeOf(self.call(createProcess(), 7)).toEqualTypeOf<Promise<unknown>>()
    }
    assert.ok(types)
  })

  test('refuse a request that the callee does not know, and any to a process that takes no calls', () => {
    const self = createProcess()
    const types = () => {
      // @ts-expect-error no such request
      void self.call(server, { type: 'other' })
      // @ts-expect-error n is a number
      void self.call(server, { type: 'add', n: '1' })
      // @ts-expect-error takes no calls
      void self.call(createProcess<Up>(), { type: 'get' })
    }
    assert.ok(types)
  })

  test('let a timer bring only what the process expects of one', () => {
    const types = () => {
      expectTypeOf(createProcess().startTimer(1, server, 'tick')).toEqualTypeOf<TimerRef>()
      // @ts-expect-error no such timeout
      createProcess().startTimer(1, server, 'tock')
      // @ts-expect-error no such message
      createProcess().sendAfter(1, server, 'tick')
      createProcess<'tick'>().sendAfter(1, 'tick')
    }
    assert.ok(types)
  })

  test('let an alias take what its process takes, or what is named', () => {
    const self = createProcess<Message>()
    expectTypeOf(self.alias()).toEqualTypeOf<Alias<Message>>()
    expectTypeOf(self.alias<'x'>('reply')).toExtend<Pid<'x'>>()
    expectTypeOf(self.monitor(createProcess(), { alias: 'demonitor' })).toExtend<MonitorRef>()
    expectTypeOf(self.monitor(createProcess(), { alias: 'demonitor' })).toExtend<Pid<Message>>()
    expectTypeOf(self.monitor(createProcess())).toEqualTypeOf<MonitorRef>()
  })
})

test('an actor of fromProcess tells apart what others may send and what its mailbox holds', () => {
  type Event = { type: 'tick' }
  const logic = fromProcess<Event | Up, number, unknown, Event>(async self => {
    const message = await self.receive([{ type: 'tick' }, { type: 'up' }])
    expectTypeOf(message).toEqualTypeOf<Event | Up>()
    return 1
  })
  const actor = createActor(logic)
  expectTypeOf(actor.send).parameter(0).toEqualTypeOf<Event>()
})
