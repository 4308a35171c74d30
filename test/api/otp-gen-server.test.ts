/** Examples of servers on a stack: how they are defined and started, how they are called, how they end. */

import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { genServer, supervisor } from '@holster/otp'
import { createProcess, type From, setExitHook, whereis } from '@holster/process'

// #region otp/genServer/start, otp/genServer/startLink, otp/genServer/startMonitor, otp/genServer/childSpec, otp/genServer/call, otp/genServer/cast, otp/genServer/stop, otp/genServer/multiCall, otp/genServer/abcast, otp/genServer/types/StartOptions, otp/genServer/types/ChildOptions, otp/messages/cast
const stack = genServer.define({
  init: (items: string[]) => ['ok', items],
  handleCall: {
    pop: (_request, _from, [top, ...rest]) => ['reply', top, rest],
  },
  handleCast: {
    push: ({ item }: { item: string }, items) => ['noreply', [item, ...items]],
  },
})
// #endregion

// The crashes of these examples are what they show.
beforeEach(() => void setExitHook(() => {}))
afterEach(() => void setExitHook(undefined))

test('a server is defined by its callbacks, from which the types of its calls follow', async () => {
  // #region otp/genServer/define
  const stack = genServer.define({
    init: (items: string[]) => ['ok', items],
    handleCall: {
      pop: (_request, _from, [top, ...rest]) => ['reply', top, rest],
    },
    handleCast: {
      push: ({ item }: { item: string }, items) => ['noreply', [item, ...items]],
    },
  })
  const pid = await genServer.start(stack, ['hello'])
  genServer.cast(pid, { type: 'push', item: 'world' })
  const top = await genServer.call(pid, { type: 'pop' }) // 'world': string | undefined to the compiler
  await genServer.stop(pid)
  // #endregion
  assert.equal(top, 'world')
})

test('a server continues, gets other messages and cleans up in callbacks of their own', async () => {
  const log: unknown[] = []
  // #region otp/genServer/define
  const poller = genServer.define({
    init: (times: number) => ['ok', { left: times }, ['continue', 'begin']], // before any message is taken
    handleContinue: (_term: 'begin', state, self) => {
      self.sendAfter(5, { type: 'poll' })
      return ['noreply', state]
    },
    handleInfo: (_message: { type: 'poll' }, { left }, self) => {
      if (left === 1) return ['stop', 'normal', { left: 0 }]
      self.sendAfter(5, { type: 'poll' })
      return ['noreply', { left: left - 1 }]
    },
    terminate: (reason, { left }) => log.push([reason, left]), // ['normal', 0]
  })
  const pid = await genServer.start(poller, 3)
  await pid.exited // after terminate
  // #endregion
  assert.deepEqual(log, [['normal', 0]])
})

test('start resolves when init is done, with arguments and options', async () => {
  // #region otp/genServer/start
  const pid = await genServer.start(stack, ['a'], { name: 'stack', timeout: 1000 })
  const top = await genServer.call(pid, { type: 'pop' }) // 'a'
  await genServer.stop('stack')
  // #endregion
  assert.equal(top, 'a')
})

test('the options of a start name the process, and limit the time of init', async () => {
  const controller = new AbortController()
  // #region otp/genServer/types/StartOptions
  const pid = await genServer.start(stack, [], {
    name: 'stack',
    timeout: 5000, // init may take so long
    trapExit: true, // terminate runs when its parent ends
    signal: controller.signal,
  })
  // #endregion
  assert.equal(whereis('stack'), pid)
  await genServer.stop(pid)
})

test('startLink ties the server to the process that starts it', async () => {
  // #region otp/genServer/startLink
  const self = createProcess()
  const pid = await genServer.startLink(self, stack, ['a'])
  self.exit('shutdown')
  const reason = await pid.exited // 'shutdown': the link has ended the server too
  // #endregion
  assert.equal(reason, 'shutdown')
})

test('startMonitor gives the process and the reference of its DOWN', async () => {
  await using self = createProcess()
  // #region otp/genServer/startMonitor
  const { pid, ref } = await genServer.startMonitor(self, stack, ['a'])
  await genServer.stop(pid)
  const { reason } = await self.receive([{ type: 'DOWN', ref }]) // 'normal'
  // #endregion
  assert.equal(reason, 'normal')
})

test('childSpec makes a server the child of a supervisor', async () => {
  // #region otp/genServer/childSpec
  const sup = await supervisor.start({
    children: [genServer.childSpec(stack, ['a'], { name: 'stack' })],
  })
  const top = await genServer.call('stack', { type: 'pop' }) // 'a'
  await supervisor.stop(sup)
  // #endregion
  assert.equal(top, 'a')
})

test('the options of a child say how it is restarted and ended', async () => {
  // #region otp/genServer/types/ChildOptions
  const spec = genServer.childSpec(stack, ['a'], {
    id: 'letters', // default: the name, or the label of the server
    name: 'stack',
    restart: 'transient',
    shutdown: 1000,
    backoff: { initial: 100, max: 10_000 },
  })
  // #endregion
  assert.equal(spec.id, 'letters')
  assert.deepEqual(spec.backoff, { initial: 100, max: 10_000 })
})

test('call gives the reply, also to code that is no process', async () => {
  // #region otp/genServer/call
  const pid = await genServer.start(stack, ['a', 'b'], { name: 'stack' })
  const first = await genServer.call(pid, { type: 'pop' }) // 'a'
  const second = await genServer.call('stack', { type: 'pop' }, 1000) // 'b': by name, unknown to the compiler
  // #endregion
  assert.deepEqual([first, second], ['a', 'b'])
  await genServer.stop(pid)
})

test('a cast is done in its turn, before later calls of the same sender', async () => {
  // #region otp/genServer/cast
  const pid = await genServer.start(stack, [])
  genServer.cast(pid, { type: 'push', item: 'a' })
  genServer.cast(pid, { type: 'push', item: 'b' })
  const top = await genServer.call(pid, { type: 'pop' }) // 'b': both casts have come before
  genServer.cast('nobody', { type: 'push', item: 'c' }) // no error
  // #endregion
  assert.equal(top, 'b')
  await genServer.stop(pid)
})

test('a cast to a process that is no server is a message', async () => {
  // #region otp/messages/cast
  await using self = createProcess<genServer.Cast<{ type: 'push'; item: string }>>()
  genServer.cast(self, { type: 'push', item: 'a' })
  const { request } = await self.receive([{ type: 'cast' }]) // { type: 'push', item: 'a' }
  // #endregion
  assert.deepEqual(request, { type: 'push', item: 'a' })
})

test('a server replies later to a call whose from it keeps', async () => {
  // #region otp/genServer/reply
  const gate = genServer.define({
    init: () => ['ok', [] as From<string>[]],
    handleCall: {
      enter: (_request, from: From<string>, waiting) => ['noreply', [...waiting, from]],
    },
    handleCast: {
      open: (_message, waiting) => {
        for (const from of waiting) genServer.reply(from, 'welcome')
        return ['noreply', []]
      },
    },
  })
  const pid = await genServer.start(gate)
  const entered = genServer.call(pid, { type: 'enter' })
  genServer.cast(pid, { type: 'open' })
  const word = await entered // 'welcome'
  // #endregion
  assert.equal(word, 'welcome')
  await genServer.stop(pid)
})

test('stop ends a server in its turn, and resolves when it has ended', async () => {
  // #region otp/genServer/stop
  const pid = await genServer.start(stack, [])
  genServer.cast(pid, { type: 'push', item: 'a' }) // is still done
  await genServer.stop(pid, 'shutdown', 5000)
  const reason = await pid.exited // 'shutdown'
  // #endregion
  assert.equal(reason, 'shutdown')
})

test('multiCall calls several servers at once, and tells which have not replied', async () => {
  // #region otp/genServer/multiCall
  const one = await genServer.start(stack, ['1'])
  const two = await genServer.start(stack, ['2'])
  await genServer.stop(two)
  const { replies, bad } = await genServer.multiCall([one, two], { type: 'pop' }, 1000)
  // replies: [[one, '1']], bad: [two]
  // #endregion
  assert.deepEqual(replies, [[one, '1']])
  assert.deepEqual(bad, [two])
  await genServer.stop(one)
})

test('abcast casts to several servers', async () => {
  // #region otp/genServer/abcast
  const pids = [await genServer.start(stack, []), await genServer.start(stack, [])]
  genServer.abcast(pids, { type: 'push', item: 'news' })
  const { replies } = await genServer.multiCall(pids, { type: 'pop' })
  const items = replies.map(([, item]) => item) // ['news', 'news']
  // #endregion
  assert.deepEqual(items, ['news', 'news'])
  for (const pid of pids) await genServer.stop(pid)
})

test('a server that has had nothing to do for a while gets a timeout', async () => {
  // #region otp/messages/timeout
  const session = genServer.define({
    init: () => ['ok', 0, 20], // milliseconds
    handleCall: {
      visit: (_request, _from, visits) => ['reply', visits + 1, visits + 1, 20], // from now again
    },
    handleInfo: (_idle: genServer.IdleTimeout, visits) => ['stop', ['shutdown', 'idle'], visits],
  })
  const pid = await genServer.start(session)
  await genServer.call(pid, { type: 'visit' })
  const reason = await pid.exited // ['shutdown', 'idle']
  // #endregion
  assert.deepEqual(reason, ['shutdown', 'idle'])
})
