/** Examples of the mailbox: messages are sent, and taken by the patterns that they fit. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createProcess, P, ReceiveTimeout, spawn } from '@holster/process'

test('send puts a message at the end of the mailbox, also of a process that does not wait', async () => {
  // #region process/Process#send, process/Process#messageQueueLength
  await using self = createProcess<string>()
  self.send('first')
  self.send('second')
  const waiting = self.messageQueueLength // 2
  const oldest = await self.receive([P.string]) // 'first'
  // #endregion
  assert.deepEqual([waiting, oldest], [2, 'first'])
})

test('receive takes the oldest message that fits, and the others keep their place', async () => {
  // #region process/Process#receive
  type Message = { type: 'job'; id: number } | { type: 'urgent'; id: number }
  await using self = createProcess<Message>()

  self.send({ type: 'job', id: 1 })
  self.send({ type: 'job', id: 2 })
  self.send({ type: 'urgent', id: 3 })
  const first = await self.receive([{ type: 'urgent' }]) // { type: 'urgent', id: 3 }
  const second = await self.receive([{ type: 'job' }, { type: 'urgent' }]) // { type: 'job', id: 1 }
  const third = await self.receive([{ type: 'job', id: 2 }])
  // #endregion
  assert.deepEqual([first.id, second.id, third.id], [3, 1, 2])
})

test('the message of a receive is narrowed to its patterns', async () => {
  type Message = { type: 'data'; text: string } | { type: 'error'; reason: string } | { type: 'log' }
  await using self = createProcess<Message>()
  self.send({ type: 'log' })
  self.send({ type: 'data', text: 'hi' })
  const read = async (): Promise<string> => {
    // #region process/Process#receive
    const message = await self.receive([{ type: 'data' }, { type: 'error' }])
    switch (message.type) {
      case 'data':
        return message.text
      case 'error': // no other case: the compiler knows the patterns
        throw new Error(message.reason)
    }
    // #endregion
  }
  assert.equal(await read(), 'hi')
})

test('on gives a pattern a handler, whose result is that of the receive', async () => {
  type Message = { type: 'deposit'; amount: number } | { type: 'withdraw'; amount: number }
  await using account = createProcess<Message>()
  // #region process/Process#on
  let balance = 10
  account.send({ type: 'withdraw', amount: 50 }) // has to wait: the guard says no
  account.send({ type: 'deposit', amount: 45 })
  for (let turn = 0; turn < 2; turn++) {
    balance = await account.receive([
      account.on({ type: 'deposit' }, ({ amount }) => balance + amount),
      account.on(
        { type: 'withdraw', amount: P.when((amount: number) => amount <= balance) },
        ({ amount }) => balance - amount,
      ),
    ])
  }
  // balance: 5
  // #endregion
  assert.equal(balance, 5)
})

test('flush drops the messages that match', async () => {
  type Message = { type: 'tick' } | { type: 'job'; id: number }
  await using self = createProcess<Message>()
  // #region process/Process#flush
  self.send({ type: 'tick' })
  self.send({ type: 'job', id: 1 })
  self.send({ type: 'tick' })
  const ticks = self.flush({ type: 'tick' }) // 2
  const others = self.flush() // 1
  // #endregion
  assert.deepEqual([ticks, others], [2, 1])
})

test('onTimeout gives the value of a receive that has waited for too long', async () => {
  await using self = createProcess<{ type: 'answer'; text: string }>()
  // #region process/types/ReceiveOptions
  // receive {answer, Text} -> Text after 50 -> none end
  const answer = await self.receive([self.on({ type: 'answer' }, ({ text }) => text)], {
    timeout: 50,
    onTimeout: () => 'none',
  })
  // #endregion
  assert.equal(answer, 'none')
})

test('a signal ends a receive, which takes no message then', async () => {
  await using self = createProcess<string>()
  // #region process/types/ReceiveOptions
  const controller = new AbortController()
  const waiting = self.receive([P.string], { signal: controller.signal })
  controller.abort(new Error('the user has gone'))
  const error = await waiting.catch(reason => reason) // Error: the user has gone
  // #endregion
  assert.match(String(error), /the user has gone/)
})

test('a receive without a match in time rejects with ReceiveTimeout, which shows what waits instead', async () => {
  await using self = createProcess<{ type: 'pong' } | { type: 'ping'; n: number }>()
  let logged = ''
  const log = (line: string) => {
    logged = line
  }
  // #region process/errors/ReceiveTimeout
  self.send({ type: 'ping', n: 1 })
  try {
    await self.receive([{ type: 'pong' }], 100)
  } catch (error) {
    if (!(error instanceof ReceiveTimeout)) throw error
    log(error.message)
    // no message matched within 100 ms
    //   wanted: { type: "pong" }
    //   mailbox: 1 message
    //     { type: "ping", n: 1 }
  }
  // #endregion
  assert.match(logged, /^no message matched within 100 ms\n +wanted: .*pong.*\n +mailbox: 1 message\n.*ping/)
  assert.equal(self.messageQueueLength, 1)
})

test('a receive with the timeout 0 looks once', async () => {
  await using self = createProcess<{ type: 'cancel' }>()
  // #region process/Process#receive
  const isCancelled = await self.receive([self.on({ type: 'cancel' }, () => true)], {
    timeout: 0, // only looks at what is there
    onTimeout: () => false,
  })
  // #endregion
  assert.equal(isCancelled, false)
})

test('a process that has exited drops what it is sent', async () => {
  // #region process/Process#send
  const gone = spawn<string>(() => {})
  await gone.exited
  gone.send('nobody reads this') // no error, as in Erlang
  // #endregion
  assert.equal(gone.messageQueueLength, 0)
})
