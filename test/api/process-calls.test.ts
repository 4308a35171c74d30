/** Examples of calls, which wait for a reply, and of aliases, to which anybody may send a reply. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Alias,
  type Call,
  CallError,
  call,
  createProcess,
  type From,
  type Pid,
  reply,
  spawn,
} from '@holster/process'

// #region process/call
type Add = Call<{ type: 'add'; n: number }, void>
type Sum = Call<{ type: 'sum' }, number>

const startCounter = () =>
  spawn<Add | Sum>(async self => {
    let sum = 0
    for (;;) {
      await self.receive([
        self.on({ type: 'call', request: { type: 'add' } }, ({ from, request }) => {
          sum += request.n
          reply(from)
        }),
        self.on({ type: 'call', request: { type: 'sum' } }, ({ from }) => reply(from, sum)),
      ])
    }
  })
// #endregion

test('the types of calls among the messages of a process say what it is asked and what it replies', async () => {
  await using self = createProcess()
  // #region process/messages/call
  type Add = Call<{ type: 'add'; n: number }, void>
  type Sum = Call<{ type: 'sum' }, number>

  const counter = spawn<Add | Sum>(async me => {
    let sum = 0
    for (;;) {
      await me.receive([
        me.on({ type: 'call', request: { type: 'add' } }, ({ from, request }) => {
          sum += request.n
          reply(from)
        }),
        me.on({ type: 'call', request: { type: 'sum' } }, ({ from }) => reply(from, sum)),
      ])
    }
  })
  await self.call(counter, { type: 'add', n: 2 })
  const sum = await self.call(counter, { type: 'sum' }) // 2, a number for the compiler too
  // #endregion
  counter.exit()
  assert.equal(sum, 2)
})

test('a process calls another, and other messages keep their place meanwhile', async () => {
  const counter = startCounter()
  await using self = createProcess<{ type: 'tick' }>()
  // #region process/Process#call
  self.send({ type: 'tick' })
  await self.call(counter, { type: 'add', n: 2 })
  const sum = await self.call(counter, { type: 'sum' }, 1000) // 2, or a CallError after a second
  const ticks = self.messageQueueLength // 1: no call takes it
  // #endregion
  counter.exit()
  assert.deepEqual([sum, ticks], [2, 1])
})

test('code that is no process calls by the function', async () => {
  // #region process/call
  const counter = startCounter()
  await call(counter, { type: 'add', n: 40 })
  await call(counter, { type: 'add', n: 2 })
  const sum = await call(counter, { type: 'sum' }) // 42
  // #endregion
  counter.exit()
  assert.equal(sum, 42)
})

test('a call is answered at once', async () => {
  // #region process/reply
  const clock = spawn<Call<'now', number>>(async self => {
    for (;;) {
      const { from } = await self.receive([{ type: 'call', request: 'now' }])
      reply(from, Date.now())
    }
  })
  const now = await call(clock, 'now')
  // #endregion
  clock.exit()
  assert.equal(typeof now, 'number')
})

test('a call may be answered later, and by another process', async () => {
  // #region process/reply
  const librarian = spawn<Call<{ type: 'find'; title: string }, string>>(async self => {
    for (;;) {
      const { from, request } = await self.receive([{ type: 'call' }])
      spawn(() => reply(from, `shelf of ${request.title}`)) // the librarian is free for the next call
    }
  })
  const place = await call(librarian, { type: 'find', title: 'Emma' })
  // #endregion
  librarian.exit()
  assert.equal(place, 'shelf of Emma')
})

test('a call rejects with a CallError that says why there is no reply', async () => {
  const tried: unknown[] = []
  // #region process/errors/CallError
  const lazy = createProcess<Call<'work', string>>() // replies to nobody
  for (const pid of [lazy, 'nobody']) {
    try {
      await call(pid, 'work', 20)
    } catch (error) {
      if (!(error instanceof CallError)) throw error
      tried.push(error.reason) // 'timeout' for the lazy one, 'noproc' for the name that nothing has
    }
  }
  // #endregion
  lazy.exit()
  assert.deepEqual(tried, ['timeout', 'noproc'])
})

test('an alias is a return address that can be taken back', async () => {
  type Answer = { type: 'answer'; ok: boolean }
  await using self = createProcess<Answer>()
  const worker = createProcess<{ type: 'ask'; replyTo: Pid<Answer> }>()
  // #region process/Process#alias, process/Process#unalias
  const alias = self.alias<Answer>()
  worker.send({ type: 'ask', replyTo: alias })
  const answer = await self.receive([{ type: 'answer' }], { timeout: 20, onTimeout: () => undefined })
  self.unalias(alias) // an answer that comes later is dropped
  // #endregion
  alias.send({ type: 'answer', ok: true })
  worker.exit()
  assert.equal(answer, undefined)
  assert.equal(self.messageQueueLength, 0)
})

test('an alias for one reply ends with it', async () => {
  // #region process/Process#alias
  type Bid = { type: 'bid'; amount: number }
  await using auctioneer = createProcess<Bid>()

  const first: Alias<Bid> = auctioneer.alias('reply')
  for (const amount of [10, 20]) spawn(() => first.send({ type: 'bid', amount }))
  const { amount } = await auctioneer.receive([{ type: 'bid' }]) // 10; the second bid is dropped
  // #endregion
  await new Promise(setImmediate)
  assert.equal(amount, 10)
  assert.equal(auctioneer.messageQueueLength, 0)
})

test('a From is kept until its call can be answered', async () => {
  // #region process/reply
  type Message = Call<'pop', string> | { type: 'push'; item: string }
  const queue = spawn<Message>(async self => {
    const waiting: From<string>[] = []
    for (;;) {
      await self.receive([
        self.on({ type: 'call', request: 'pop' }, ({ from }) => void waiting.push(from)),
        self.on({ type: 'push' }, ({ item }) => {
          const from = waiting.shift()
          if (from !== undefined) reply(from, item)
        }),
      ])
    }
  })
  const popped = call(queue, 'pop')
  queue.send({ type: 'push', item: 'a letter' })
  const item = await popped // 'a letter'
  // #endregion
  queue.exit()
  assert.equal(item, 'a letter')
})
