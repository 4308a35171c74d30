/** The compiler infers the types of a server from its callbacks. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Call,
  createProcess,
  type Down,
  type Exit,
  type From,
  type Pid,
  type Process,
} from '@holster/process'
import { expectTypeOf } from 'expect-type'
import { type ChildSpec, genServer } from '../../src/index.ts'

interface News {
  readonly type: 'news'
  readonly text: string
}

const counter = genServer.define({
  init: (start: number) => ['ok', { n: start }],
  handleCall: {
    add: ({ n }: { n: number }, _from, state) => ['reply', 'ok', { n: state.n + n }],
    get: (_request, _from, state) => ['reply', state.n, state],
    later: (_request, from: From<string>, state) => {
      queueMicrotask(() => genServer.reply(from, 'at last'))
      return ['noreply', state]
    },
    take: async ({ most = 1 }: { most?: number }, _from, state) =>
      state.n >= most
        ? ['reply', ['ok', state.n], { n: state.n - most }, 100]
        : ['reply', ['error', { why: 'too few' }], state],
    end: (_request, _from, state) => ['stop', 'normal', true, state],
    either: (_request, _from: From<Date>, state) =>
      state.n < 0 ? ['noreply', state] : ['reply', null, state],
  },
  handleCast: {
    reset: (_message, state) => {
      expectTypeOf(state).toEqualTypeOf<{ n: number }>()
      return ['noreply', { n: 0 }]
    },
    set: ({ n }: { n: number }) => ['noreply', { n }, ['continue', 'check']],
  },
  handleInfo: (message: News | Down | Exit | genServer.IdleTimeout, state, self) => {
    expectTypeOf(self).toEqualTypeOf<Process>()
    return message.type === 'news' ? ['noreply', { n: message.text.length }] : ['noreply', state]
  },
  handleContinue: (_term: 'check', state) => {
    expectTypeOf(state).toEqualTypeOf<{ n: number }>()
    return ['noreply', state, 'hibernate']
  },
  terminate: (_reason, state) => {
    expectTypeOf(state).toEqualTypeOf<{ n: number }>()
  },
})

const start = () => genServer.start(counter, 7)

test('a call has the type of its reply, and a request of no clause does not compile', async () => {
  const pid = await start()
  expectTypeOf(await genServer.call(pid, { type: 'add', n: 1 })).toEqualTypeOf<'ok'>()
  expectTypeOf(await genServer.call(pid, { type: 'get' })).toEqualTypeOf<number>()
  expectTypeOf(await genServer.call(pid, { type: 'later' })).toEqualTypeOf<string>()
  expectTypeOf(await genServer.call(pid, { type: 'take' })).toEqualTypeOf<
    ['ok', number] | ['error', { why: 'too few' }]
  >()
  expectTypeOf(await genServer.call(pid, { type: 'either' })).toEqualTypeOf<Date | null>()
  const wrong = () => {
    // @ts-expect-error There is no such clause.
    void genServer.call(pid, { type: 'subtract', n: 1 })
    // @ts-expect-error The request lacks a field.
    void genServer.call(pid, { type: 'add' })
    // @ts-expect-error The field is a number.
    void genServer.call(pid, { type: 'add', n: '1' })
    // @ts-expect-error A cast is no call.
    void genServer.call(pid, { type: 'reset' })
  }
  assert.equal(typeof wrong, 'function')
  expectTypeOf(await genServer.call(pid, { type: 'end' })).toEqualTypeOf<true>()
})

test('a cast has the type of its clause', async () => {
  const pid = await start()
  genServer.cast(pid, { type: 'set', n: 3 })
  genServer.cast(pid, { type: 'reset' })
  genServer.abcast([pid], { type: 'reset' })
  const wrong = () => {
    // @ts-expect-error There is no such clause.
    genServer.cast(pid, { type: 'add', n: 1 })
    // @ts-expect-error The field is a number.
    genServer.cast(pid, { type: 'set', n: '1' })
    // @ts-expect-error The request lacks a field.
    genServer.abcast([pid], { type: 'set' })
  }
  assert.equal(typeof wrong, 'function')
  await genServer.stop(pid)
})

test('a server is sent what its handleInfo takes, and nothing else', async () => {
  const pid = await start()
  expectTypeOf(pid).toEqualTypeOf<genServer.ServerPid<typeof counter>>()
  pid.send({ type: 'news', text: 'x' })
  const takesNews: Pid<News> = pid
  takesNews.send({ type: 'news', text: 'y' })
  // @ts-expect-error No message of the server has this tag.
  pid.send({ type: 'old' })
  await genServer.stop(pid)
})

test('the state has the type that init gives it', async () => {
  const pid = await start()
  expectTypeOf(await genServer.getState(pid)).toEqualTypeOf<{ n: number }>()
  expectTypeOf(await genServer.replaceState(pid, state => ({ n: state.n + 1 }))).toEqualTypeOf<{
    n: number
  }>()
  // @ts-expect-error The state is not a string.
  const wrong = () => genServer.replaceState(pid, () => 'x')
  assert.equal(typeof wrong, 'function')
  const late = genServer.define({
    init: async (_args: undefined, self) => {
      expectTypeOf(self).toEqualTypeOf<Process>()
      return self.isAlive ? ['ok', new Map<string, Date>(), 0] : ['stop', 'no']
    },
    handleCall: {
      size: (request, from, state, process) => {
        expectTypeOf(request).toBeNever()
        expectTypeOf(from).toEqualTypeOf<From<never>>()
        expectTypeOf(state).toEqualTypeOf<Map<string, Date>>()
        expectTypeOf(process).toEqualTypeOf<Process>()
        return ['reply', state.size, state]
      },
    },
    handleCast: {
      clear: (message, state) => {
        expectTypeOf(message).toBeNever()
        return ['noreply', state]
      },
    },
    handleInfo: (message, state) => {
      expectTypeOf(message).toBeNever()
      expectTypeOf(state).toEqualTypeOf<Map<string, Date>>()
      return ['noreply', state]
    },
  })
  const other = await genServer.start(late)
  expectTypeOf(await genServer.getState(other)).toEqualTypeOf<Map<string, Date>>()
  expectTypeOf(await genServer.call(other, { type: 'size' })).toEqualTypeOf<number>()
  for (const server of [pid, other]) await genServer.stop(server)
})

test('an answer with another state, another tag or nothing at all does not compile', () => {
  const init = () => ['ok', 1] as const satisfies genServer.InitAnswer<number>
  assert.throws(() => genServer.define({ init, handleCall: {}, handleInfo: 'x' as never }), TypeError)
  genServer.define({
    init: () => ['ok', 1],
    // @ts-expect-error The state is a number.
    handleCall: { get: (_request, _from, _state) => ['reply', 1, 'one'] },
  })
  genServer.define({
    init: () => ['ok', 1],
    // @ts-expect-error There is no such answer.
    handleCall: { get: (_request, _from, state) => ['replay', 1, state] },
  })
  genServer.define({
    init: () => ['ok', 1],
    // @ts-expect-error A cast has nobody to reply to.
    handleCast: { set: (_message, state) => ['reply', 1, state] },
  })
  // @ts-expect-error The state is a number.
  genServer.define({ init: () => ['ok', 1], handleInfo: (_message, _state) => ['noreply', 'one'] })
  // @ts-expect-error There is no answer.
  genServer.define({ init: () => ['ok', 1], handleInfo: () => undefined })
  // @ts-expect-error There is no such answer of init.
  genServer.define({ init: () => ['fine', 1] })
})

test('start takes the argument of init, and gives ignore only where init may', async () => {
  const pid = await genServer.start(counter, 1, { timeout: 1000 })
  expectTypeOf(pid).toEqualTypeOf<genServer.ServerPid<typeof counter>>()
  const picky = genServer.define({ init: (wanted: boolean) => (wanted ? ['ok', 1] : 'ignore') })
  const started = await genServer.start(picky, false)
  expectTypeOf(started).toEqualTypeOf<'ignore' | genServer.ServerPid<typeof picky>>()
  const plain = genServer.define({ init: () => ['ok', 1] })
  const other = await genServer.start(plain)
  const wrong = () => {
    // @ts-expect-error The argument is a number.
    void genServer.start(counter, '1')
    // @ts-expect-error The argument is missing.
    void genServer.start(counter)
    // @ts-expect-error There is no such argument.
    void genServer.start(plain, 1)
    // @ts-expect-error There is no such option.
    void genServer.start(plain, undefined, { nome: 'x' })
  }
  assert.equal(typeof wrong, 'function')
  await genServer.stop(pid)
  await genServer.stop(other)
})

test('any process that takes its calls can be called as a server', () => {
  type Adder = Call<{ type: 'add'; n: number }, number>
  const call = (pid: Pid<Adder>) => genServer.call(pid, { type: 'add', n: 1 })
  expectTypeOf(call).returns.resolves.toBeNumber()
  const unknown = (pid: Process) => genServer.call(pid, { type: 'whatever' })
  expectTypeOf(unknown).returns.resolves.toBeUnknown()
  const byName = () => genServer.call('counter', { type: 'add', n: 1 })
  expectTypeOf(byName).returns.resolves.toBeUnknown()
})

test('a request has the type of its reply', async () => {
  const self = createProcess()
  const pid = await start()
  const id = genServer.sendRequest(self, pid, { type: 'get' })
  expectTypeOf(id).toEqualTypeOf<genServer.RequestId<number>>()
  expectTypeOf(await genServer.receiveResponse(self, id)).toBeNumber()
  const other = genServer.sendRequest(self, pid, { type: 'later' })
  expectTypeOf(await genServer.waitResponse(self, other)).toEqualTypeOf<
    'timeout' | readonly ['reply', string]
  >()
  expectTypeOf(genServer.checkResponse('x', other)).toEqualTypeOf<'no_reply' | readonly ['reply', string]>()
  const { replies } = await genServer.multiCall([pid], { type: 'get' })
  expectTypeOf(replies[0]?.[1]).toEqualTypeOf<number | undefined>()
  // @ts-expect-error There is no such clause.
  const wrong = () => genServer.sendRequest(self, pid, { type: 'subtract' })
  assert.equal(typeof wrong, 'function')
  expectTypeOf(genServer.childSpec(counter, 1, { id: 'x' })).toEqualTypeOf<ChildSpec>()
  await genServer.stop(pid)
})

test('a callback that expects another state, or other terms, than there are does not compile', () => {
  interface More {
    readonly n: number
    readonly more: string
  }
  const init = (n: number) => ['ok', { n }, ['continue', 'load']] as const
  genServer.define({
    init,
    // @ts-expect-error The state has less.
    handleCall: { get: (_request, _from, state: More) => ['reply', 1, state] },
  })
  // @ts-expect-error The state has less.
  genServer.define({ init, handleCast: { set: (_message, state: More) => ['noreply', state] } })
  // @ts-expect-error The state has less.
  genServer.define({ init, handleInfo: (_message, state: More) => ['noreply', state] })
  // @ts-expect-error The state has less.
  genServer.define({ init, terminate: (_reason, _state: More) => undefined })
  genServer.define({
    init: (n: number) => ['ok', n, ['continue', 'load']],
    handleCast: { store: (_message, n) => ['noreply', n, ['continue', { type: 'store' }]] },
    handleContinue: (_term: 'load' | { type: 'store' }, n) => ['noreply', n],
  })
  genServer.define({
    init: (n: number) => ['ok', n, ['continue', 'load']],
    handleCast: { store: (_message, n) => ['noreply', n, ['continue', { type: 'store' }]] },
    // @ts-expect-error One of the terms is another.
    handleContinue: (_term: 'load', n) => ['noreply', n],
  })
})

test('clauses may be made elsewhere, and init may name its answer', async () => {
  interface State {
    readonly n: number
  }
  const casts = { set: ({ n }: { n: number }, _state: State) => ['noreply', { n }] as const }
  const server = genServer.define({
    init: (n: number, self): genServer.InitAnswer<State> => (self.isAlive ? ['ok', { n }] : ['stop', 'dead']),
    handleCall: { get: (_request, _from, state) => ['reply', state.n, state] },
    handleCast: casts,
    terminate: (_reason: unknown, _state: State) => undefined,
  })
  const pid = await genServer.start(server, 1)
  assert.notEqual(pid, 'ignore')
  if (pid === 'ignore') return
  genServer.cast(pid, { type: 'set', n: 2 })
  expectTypeOf(await genServer.call(pid, { type: 'get' })).toEqualTypeOf<number>()
  await genServer.stop(pid)
})
