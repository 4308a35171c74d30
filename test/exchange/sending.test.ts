// The finer points of sending: expectations, trailers, names, keepalive, the last request, refusals.

import assert from 'node:assert/strict'
import { describe, mock, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { eventually } from '../support/client.ts'
import { ends, httpEnds, transports } from '../support/http-ends.ts'
import { lineName, lines, NOTHING } from '../support/http-server.ts'
import { assertNothingLeft } from '../support/leftovers.ts'

// Node 20 warns at the first use, which no test has to answer for.
mock.timers.reset()
await turn()

const NO_CONTENT = 'HTTP/1.1 204 No Content\r\n\r\n'
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'
const EXPECT = { expect: '100-continue' }

for (const line of lines) {
  const { version } = line

  describe(`over ${lineName(line)}`, () => {
    test('a body waits for 100 Continue when the request expects it', async () => {
      await using _left = assertNothingLeft()
      await using it = await httpEnds(line)
      gun.post(it.connPid, '/1', EXPECT, 'body')
      gun.get(it.connPid, '/2')
      const first = await it.peer.request()
      assert.deepEqual(
        first.fields.find(([name]) => name === 'expect'),
        ['expect', '100-continue'],
      )
      let isEarly = true
      const content = first.content().then(it => {
        assert.equal(isEarly, false)
        return it
      })
      // Over HTTP/2 only the body waits.
      const early = version === 'http' ? undefined : await it.peer.request()
      await turn()
      isEarly = false
      await first.inform(100)
      assert.deepEqual(await it.heard(1), ['inform 100'])
      assert.equal((await content).body, 'body')
      const second = early ?? (await it.peer.request())
      assert.equal(second.path, '/2')
      for (const asked of [first, second]) await asked.answer(NOTHING)
      assert.deepEqual(await it.heard(2), ['response 204 fin', 'response 204 fin'])
    })

    test('the parts of a body that are given one after the other wait for 100 Continue, too', async () => {
      await using _left = assertNothingLeft()
      await using it = await httpEnds(line)
      const streamRef = gun.headers(it.connPid, 'PUT', '/', EXPECT)
      gun.data(it.connPid, streamRef, 'nofin', 'a')
      const asked = await it.peer.request()
      gun.data(it.connPid, streamRef, 'nofin', 'b')
      await asked.inform(100)
      assert.deepEqual(await it.heard(1), ['inform 100'])
      gun.data(it.connPid, streamRef, 'fin', 'c')
      assert.equal((await asked.content()).body, 'abc')
    })

    test('an expectation without a body waits for nothing', async () => {
      await using _left = assertNothingLeft()
      await using it = await httpEnds(line)
      gun.post(it.connPid, '/1', EXPECT, '')
      gun.get(it.connPid, '/2')
      for (const asked of [await it.peer.request(), await it.peer.request()]) await asked.answer(NOTHING)
      assert.deepEqual(await it.heard(2), ['response 204 fin', 'response 204 fin'])
    })

    test('trailers end a body whose length was not said', async () => {
      await using _left = assertNothingLeft()
      await using it = await httpEnds(line)
      const streamRef = gun.headers(it.connPid, 'PUT', '/', { trailer: 'x-sum' })
      gun.data(it.connPid, streamRef, 'nofin', 'abc')
      gun.trailers(it.connPid, streamRef, { 'X-Sum': 6 })
      gun.get(it.connPid, '/2')
      const asked = await it.peer.request()
      assert.deepEqual(await asked.content(), { body: 'abc', trailers: [['x-sum', '6']] })
      assert.equal((await it.peer.request()).path, '/2')
      gun.data(it.connPid, streamRef, 'fin', '')
      gun.trailers(it.connPid, streamRef, {})
      assert.deepEqual(await it.heard(2), ['error: badstate', 'error: badstate'])
    })
  })
}

for (const transport of transports) {
  describe(`over HTTP/1.1 only, on ${transport}`, () => {
    test('parts that wait for 100 Continue are sent in chunks', async () => {
      await using _left = assertNothingLeft()
      await using it = await ends(transport)
      const streamRef = gun.headers(it.connPid, 'PUT', '/', EXPECT)
      gun.data(it.connPid, streamRef, 'nofin', 'a')
      await it.peer.receiveRequest()
      gun.data(it.connPid, streamRef, 'nofin', 'b')
      await it.peer.send(CONTINUE)
      assert.deepEqual(await it.heard(1), ['inform 100'])
      gun.data(it.connPid, streamRef, 'fin', 'c')
      assert.equal(String(await it.peer.receive('0\r\n\r\n')), '1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n')
    })

    test('a body that was refused before it was sent never is, and the connection ends with that response', async () => {
      await using _left = assertNothingLeft()
      await using it = await ends(transport)
      const streamRef = gun.post(it.connPid, '/1', EXPECT, 'body')
      await it.peer.receiveRequest()
      await it.peer.send('HTTP/1.1 417 Expectation Failed\r\ncontent-length: 2\r\n\r\n')
      assert.deepEqual(await it.heard(1), ['response 417 nofin'])
      gun.data(it.connPid, streamRef, 'fin', 'more')
      assert.deepEqual(await it.heard(1), ['error: badstate'])
      gun.get(it.connPid, '/2')
      await it.peer.send('no')
      assert.deepEqual(await it.heard(3), ['data no fin', 'down: normal, killed 0', 'up'])
      assert.equal((await it.peer.receiveAll()).length, 0)
      const peer = await it.next()
      assert.equal((await peer.receiveRequest()).path, '/2')
    })

    test('trailers end a body that is sent in chunks', async () => {
      await using _left = assertNothingLeft()
      await using it = await ends(transport)
      const streamRef = gun.headers(it.connPid, 'PUT', '/', { trailer: 'x-sum' })
      gun.data(it.connPid, streamRef, 'nofin', 'abc')
      gun.trailers(it.connPid, streamRef, { 'X-Sum': 6 })
      gun.get(it.connPid, '/2')
      await it.peer.receiveRequest()
      assert.equal(String(await it.peer.receive('6\r\n\r\n')), '3\r\nabc\r\n0\r\nx-sum: 6\r\n\r\n')
      assert.equal((await it.peer.receiveRequest()).path, '/2')
      gun.data(it.connPid, streamRef, 'fin', '')
      gun.trailers(it.connPid, streamRef, {})
      assert.deepEqual(await it.heard(2), ['error: badstate', 'error: badstate'])
    })

    test('trailers behind a body with content-length are refused, and the body goes on', async () => {
      await using _left = assertNothingLeft()
      await using it = await ends(transport)
      const streamRef = gun.headers(it.connPid, 'PUT', '/', { 'content-length': 1 })
      gun.trailers(it.connPid, streamRef, { 'x-sum': '6' })
      assert.deepEqual(await it.heard(1), ['error: badstate'])
      gun.data(it.connPid, streamRef, 'fin', 'a')
      await it.peer.receiveRequest()
      assert.equal(String(await it.peer.receive(1)), 'a')
    })

    test('transformHeaderName gives the names that are sent', async () => {
      await using _left = assertNothingLeft()
      const transformHeaderName = (name: string) => name.replace(/(^|-)[a-z]/g, start => start.toUpperCase())
      await using it = await ends(transport, { httpOpts: { transformHeaderName } })
      const streamRef = gun.headers(it.connPid, 'PUT', '/', { 'x-my-NAME': 'value' })
      gun.trailers(it.connPid, streamRef, { 'x-sum': '1' })
      const { headers } = await it.peer.receiveRequest()
      assert.deepEqual(
        headers.map(([name]) => name),
        ['Host', 'X-My-Name', 'Transfer-Encoding'],
      )
      assert.equal(String(await it.peer.receive('\r\n\r\n')), '0\r\nX-Sum: 1\r\n\r\n')
    })

    test('a request with connection: close is the last of its connection, and what follows waits for the next', async () => {
      await using _left = assertNothingLeft()
      await using it = await ends(transport)
      gun.get(it.connPid, '/1')
      gun.get(it.connPid, '/2', { connection: 'Close' })
      gun.get(it.connPid, '/3')
      await it.peer.receiveRequest()
      await it.peer.receiveRequest()
      await it.peer.send(NO_CONTENT.repeat(2))
      assert.deepEqual(await it.heard(4), [
        'response 204 fin',
        'response 204 fin',
        'down: normal, killed 0',
        'up',
      ])
      assert.equal((await it.peer.receiveAll()).length, 0)
      const peer = await it.next()
      assert.equal((await peer.receiveRequest()).path, '/3')
    })

    test('a ping is answered with badstate and its ref, and the connection stays', async () => {
      await using _left = assertNothingLeft()
      await using it = await ends(transport)
      const ref = gun.ping(it.connPid)
      const { reason } = await it.self.receive([{ type: 'gun_error', streamRef: ref }])
      assert.equal(reason.code, 'badstate')
      assert.match(reason.message, /ping/)
      gun.get(it.connPid, '/')
      await it.peer.receiveRequest()
      await it.peer.send(NO_CONTENT)
      assert.deepEqual(await it.heard(1), ['response 204 fin'])
    })

    test('invalidRequestHeaders ignore sends what else is refused', async () => {
      await using _left = assertNothingLeft()
      await using it = await ends(transport)
      const wrong = { 'x-a': 'b\r\nx-c: d' }
      const before = () => gun.get(it.connPid, '/', wrong)
      assert.throws(before, { name: 'TypeError', message: /x-a/ })
      const raise = () => gun.get(it.connPid, '/', wrong, { invalidRequestHeaders: 'raise' })
      assert.throws(raise, { name: 'TypeError', message: /x-a/ })
      assert.throws(() => gun.wsUpgrade(it.connPid, '/', wrong), { name: 'TypeError', message: /x-a/ })
      gun.get(it.connPid, '/a b', wrong, { invalidRequestHeaders: 'ignore' })
      const head = String(await it.peer.receive('\r\n\r\n'))
      assert.match(head, /^GET \/a b HTTP/)
      assert.match(head, /\r\nx-a: b\r\nx-c: d\r\n\r\n$/)
      await it.peer.send(NO_CONTENT)
      assert.deepEqual(await it.heard(1), ['response 204 fin'])
      gun.wsUpgrade(it.connPid, '/', wrong, { invalidRequestHeaders: 'ignore' })
      assert.match(String(await it.peer.receive('\r\n\r\n')), /\r\nx-a: b\r\nx-c: d\r\n/)
    })
  })
}

test('a body that nobody asks for is sent all the same, after a second', async t => {
  await using _left = assertNothingLeft()
  await using it = await ends('tcp')
  t.mock.timers.enable({ apis: ['setTimeout'] })
  gun.post(it.connPid, '/', EXPECT, 'body')
  const { raw } = await it.peer.receiveRequest()
  t.mock.timers.tick(999)
  await turn()
  assert.equal(gun.info(it.connPid).socket?.bytesWritten, raw.length)
  t.mock.timers.tick(1)
  t.mock.timers.reset()
  assert.equal(String(await it.peer.receive(4)), 'body')
})

test('over HTTP/1.0 nothing is expected, so the body follows at once', async () => {
  await using _left = assertNothingLeft()
  await using it = await ends('tcp', { httpOpts: { version: 'HTTP/1.0' } })
  gun.post(it.connPid, '/', EXPECT, 'body')
  assert.equal((await it.peer.receiveRequest()).version, 'HTTP/1.0')
  assert.equal(String(await it.peer.receive(4)), 'body')
})

test('fields that frame, route or describe a message may not stand in trailers', async () => {
  await using _left = assertNothingLeft()
  await using it = await ends('tcp')
  const streamRef = gun.headers(it.connPid, 'PUT', '/')
  for (const name of ['Content-Length', 'transfer-encoding', 'host', 'authorization', 'content-type']) {
    const send = () => gun.trailers(it.connPid, streamRef, { [name]: '1' })
    assert.throws(send, { name: 'TypeError', message: new RegExp(name, 'i') })
  }
})

test('keepalive sends an empty line when nothing is under way, and only then', async t => {
  await using _left = assertNothingLeft()
  t.mock.timers.enable({ apis: ['setInterval'] })
  await using it = await ends('tcp', { httpOpts: { keepalive: 100 } })
  t.mock.timers.tick(99)
  gun.get(it.connPid, '/1')
  t.mock.timers.tick(1)
  await it.peer.receiveRequest()
  t.mock.timers.tick(300)
  await it.peer.send(NO_CONTENT)
  assert.deepEqual(await it.heard(1), ['response 204 fin'])
  t.mock.timers.tick(100)
  await turn()
  t.mock.timers.tick(100)
  gun.get(it.connPid, '/2')
  assert.match(String(await it.peer.receive('\r\n\r\n')), /^\r\n\r\n$/)
  assert.equal((await it.peer.receiveRequest()).path, '/2')
})

test('keepalive sends nothing into a body whose response was complete before it', async t => {
  await using _left = assertNothingLeft()
  t.mock.timers.enable({ apis: ['setInterval'] })
  await using it = await ends('tcp', { httpOpts: { keepalive: 100 } })
  const streamRef = gun.headers(it.connPid, 'PUT', '/', { 'content-length': 4 })
  gun.data(it.connPid, streamRef, 'nofin', 'ab')
  await it.peer.receiveRequest()
  await it.peer.send(NO_CONTENT)
  assert.deepEqual(await it.heard(1), ['response 204 fin'])
  t.mock.timers.tick(300)
  gun.data(it.connPid, streamRef, 'fin', 'cd')
  assert.equal(String(await it.peer.receive(4)), 'abcd')
})

test('a body that was refused with connection: close is not sent either, however long the response takes', async t => {
  await using _left = assertNothingLeft()
  await using it = await ends('tcp', { retry: 0 })
  t.mock.timers.enable({ apis: ['setTimeout'] })
  gun.post(it.connPid, '/', EXPECT, 'body')
  await it.peer.receiveRequest()
  void it.peer.send('HTTP/1.1 417 No\r\nconnection: close\r\ncontent-length: 2\r\n\r\na')
  await eventually(() => it.self.messageQueueLength === 2, 'the response has begun')
  t.mock.timers.tick(10_000)
  t.mock.timers.reset()
  await it.peer.send('b')
  assert.equal(String(await it.peer.receiveAll()), '')
  assert.deepEqual(await it.heard(4), [
    'response 417 nofin',
    'data a nofin',
    'data b fin',
    'down: normal, killed 0',
  ])
})
