/** Examples of requests that are not waited for at once, and of looking into a server. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { genServer } from '@holster/otp'
import { createProcess, P, type Reply, type TraceEvent, trace } from '@holster/process'

// #region otp/genServer/sendRequest, otp/genServer/receiveResponse, otp/genServer/waitResponse, otp/genServer/checkResponse, otp/genServer/getState, otp/genServer/replaceState, otp/genServer/suspend, otp/genServer/resume, otp/messages/system
const counter = genServer.define({
  init: (start: number) => ['ok', start],
  handleCall: {
    next: (_request, _from, n) => ['reply', n, n + 1],
  },
})
// #endregion

test('sendRequest lets several servers work at once', async () => {
  // #region otp/genServer/sendRequest, otp/genServer/receiveResponse
  const [one, two] = [await genServer.start(counter, 1), await genServer.start(counter, 10)]
  await using self = createProcess()
  const first = genServer.sendRequest(self, one, { type: 'next' })
  const second = genServer.sendRequest(self, two, { type: 'next' })
  const b = await genServer.receiveResponse(self, second, 1000) // 10; in any order
  const a = await genServer.receiveResponse(self, first, 1000) // 1
  // #endregion
  assert.deepEqual([a, b], [1, 10])
  await genServer.stop(one)
  await genServer.stop(two)
})

test('waitResponse may be asked again', async () => {
  // #region otp/genServer/waitResponse
  const pid = await genServer.start(counter, 1)
  await using self = createProcess()
  await genServer.suspend(pid)
  const id = genServer.sendRequest(self, pid, { type: 'next' })
  const early = await genServer.waitResponse(self, id, 10) // 'timeout', and the request goes on
  await genServer.resume(pid)
  const later = await genServer.waitResponse(self, id) // ['reply', 1]
  // #endregion
  assert.equal(early, 'timeout')
  assert.deepEqual(later, ['reply', 1])
  await genServer.stop(pid)
})

test('checkResponse knows a response among all messages of a process', async () => {
  // #region otp/genServer/checkResponse, process/messages/reply
  const pid = await genServer.start(counter, 1)
  await using self = createProcess<Reply<number> | 'tick'>()
  const id = genServer.sendRequest(self, pid, { type: 'next' })
  self.send('tick')
  const answers: unknown[] = []
  for (let n = 0; n < 2; n++) {
    const message = await self.receive([P._])
    answers.push(genServer.checkResponse(message, id)) // 'no_reply' for the tick, then ['reply', 1]
  }
  // #endregion
  assert.deepEqual(answers, ['no_reply', ['reply', 1]])
  await genServer.stop(pid)
})

test('getState gives the state in its turn', async () => {
  // #region otp/genServer/getState
  const pid = await genServer.start(counter, 5)
  void genServer.call(pid, { type: 'next' }) // is done before
  const state = await genServer.getState(pid) // 6
  // #endregion
  assert.equal(state, 6)
  await genServer.stop(pid)
})

test('replaceState makes a new state of the old one', async () => {
  // #region otp/genServer/replaceState
  const pid = await genServer.start(counter, 5)
  const state = await genServer.replaceState(pid, n => n * 100) // 500
  const next = await genServer.call(pid, { type: 'next' }) // 500
  // #endregion
  assert.deepEqual([state, next], [500, 500])
  await genServer.stop(pid)
})

test('a suspended server keeps its messages until it is resumed', async () => {
  // #region otp/genServer/suspend, otp/genServer/resume
  const pid = await genServer.start(counter, 1)
  await genServer.suspend(pid)
  const asked = genServer.call(pid, { type: 'next' }) // waits in the mailbox
  const state = await genServer.replaceState(pid, () => 7) // is done all the same
  await genServer.resume(pid)
  const next = await asked // 7
  // #endregion
  assert.deepEqual([state, next], [7, 7])
  await genServer.stop(pid)
})

test('a system request is a call that no clause of the server sees', async () => {
  const seen: TraceEvent[] = []
  // #region otp/messages/system
  const pid = await genServer.start(counter, 1)
  const stop = trace(pid, event => seen.push(event))
  await genServer.getState(pid)
  stop()
  // seen: { event: 'send', message: { type: 'call', from: …, request: SystemRequest }, … }, …
  // #endregion
  const [event] = seen
  assert.ok(event?.event === 'send')
  assert.match(String((event.message as { request: object }).request.constructor.name), /SystemRequest/)
  await genServer.stop(pid)
})
