// Cancelling: silence, and over HTTP/1.1, which cannot take back what was sent, an end where too much would follow.

import assert from 'node:assert/strict'
import { describe, mock, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { eventually, heldUp, receiveError } from '../support/client.ts'
import { mockTimeouts } from '../support/clock.ts'
import { chunked, ends, httpEnds, transports } from '../support/http-ends.ts'
import { lineName, lines, NOTHING } from '../support/http-server.ts'
import { assertNothingLeft } from '../support/leftovers.ts'

// Node 20 warns at the first use, which no test has to answer for.
mock.timers.reset()
await turn()

const MOST_DROPPED = 1024 * 1024

for (const line of lines) {
  const { version } = line

  describe(`cancel over ${lineName(line)}`, () => {
    test('silences a stream whose response is still to come, and the next one gets its own', async () => {
      await using _left = assertNothingLeft()
      await using it = await httpEnds(line)
      const first = gun.get(it.connPid, '/1')
      gun.get(it.connPid, '/2')
      gun.cancel(it.connPid, first)
      const asked = [await it.peer.request(), await it.peer.request()]
      const answer = (body: string) => ({ status: 200, fields: [['content-length', '3']] as const, body })
      await asked[0]?.answer({ informs: [[103]], ...answer('one') })
      await asked[1]?.answer(answer('two'))
      assert.deepEqual(await it.heard(2), ['response 200 nofin', 'data two fin'])
      assert.equal(it.server.connections, 1)
    })

    test('in the middle of a body drops the rest of it, trailers included', async () => {
      await using _left = assertNothingLeft()
      await using it = await httpEnds(line)
      const first = gun.get(it.connPid, '/1')
      const asked = await it.peer.request()
      await it.peer.send(asked.encode({ status: 200, body: 'a', isCutOff: true }))
      assert.deepEqual(await it.heard(2), ['response 200 nofin', 'data a nofin'])
      gun.cancel(it.connPid, first)
      // Over HTTP/2 nothing of it is left.
      assert.equal(gun.streamInfo(it.connPid, first)?.state, version === 'http' ? 'stopping' : undefined)
      const second = gun.get(it.connPid, '/2')
      assert.equal(gun.streamInfo(it.connPid, second)?.state, 'running')
      await asked.data('b')
      await asked.trailers([['x', 'y']])
      await it.peer.serve(NOTHING)
      assert.deepEqual(await it.heard(1), ['response 204 fin'])
      assert.equal(gun.streamInfo(it.connPid, first), undefined)
    })

    test('of a stream that has ended or was cancelled before is answered with badstate', async () => {
      await using _left = assertNothingLeft()
      await using it = await httpEnds(line)
      const first = gun.get(it.connPid, '/1')
      await it.peer.serve(NOTHING)
      assert.deepEqual(await it.heard(1), ['response 204 fin'])
      gun.cancel(it.connPid, first)
      assert.deepEqual(await it.heard(1), ['error: badstate'])
      const second = gun.get(it.connPid, '/2')
      gun.cancel(it.connPid, second)
      gun.cancel(it.connPid, second)
      assert.deepEqual(await it.heard(1), ['error: badstate'])
    })

    test('in the function that gets the last message that flow allows lets the next response come', async () => {
      await using _left = assertNothingLeft()
      await using it = await httpEnds(line)
      const seen: string[] = []
      gun.get(
        it.connPid,
        '/1',
        {},
        {
          flow: 1,
          replyTo: message => {
            seen.push(message.type)
            if (message.type === 'gun_data' && message.streamRef) {
              gun.cancel(message.connPid, message.streamRef)
            }
          },
        },
      )
      gun.get(it.connPid, '/2')
      const asked = [await it.peer.request(), await it.peer.request()]
      const answers = [{ status: 200, body: ['a', 'b'], trailers: [['x', 'y']] as const }, NOTHING]
      await it.peer.send(Buffer.concat(asked.map((each, i) => each.encode(answers[i] ?? NOTHING))))
      assert.deepEqual(await it.heard(1), ['response 204 fin'])
      await it.peer.settled(it.connPid)
      assert.deepEqual(seen, ['gun_response', 'gun_data'])
    })

    test('of a postponed request means that it is never sent', async () => {
      await using _left = assertNothingLeft()
      await using it = await httpEnds(line)
      it.peer.reset()
      assert.match((await it.heard(1)).join(), /^down: /)
      const first = gun.get(it.connPid, '/1')
      const second = gun.headers(it.connPid, 'PUT', '/2')
      gun.data(it.connPid, second, 'fin', 'abc')
      gun.get(it.connPid, '/3')
      gun.cancel(it.connPid, first)
      gun.cancel(it.connPid, second)
      const peer = await it.next()
      assert.equal((await peer.request()).path, '/3')
      assert.deepEqual(await it.heard(1), ['up'])
      assert.deepEqual(await it.waiting(), [])
    })
  })
}

for (const transport of transports) {
  describe(`cancel over HTTP/1.1, which cannot take back what was sent, on ${transport}`, () => {
    test('of a request that has to wait its turn means that it is never sent', async () => {
      await using _left = assertNothingLeft()
      await using it = await ends(transport)
      const upload = gun.headers(it.connPid, 'PUT', '/1', { 'content-length': 1 })
      const waiting = gun.get(it.connPid, '/2')
      gun.get(it.connPid, '/3')
      gun.cancel(it.connPid, waiting)
      gun.data(it.connPid, upload, 'fin', 'a')
      assert.equal((await it.peer.receiveRequest()).path, '/1')
      assert.equal(String(await it.peer.receive(1)), 'a')
      assert.equal((await it.peer.receiveRequest()).path, '/3')
      await it.peer.send('HTTP/1.1 204 No Content\r\n\r\n'.repeat(2))
      assert.deepEqual(await it.heard(2), ['response 204 fin', 'response 204 fin'])
    })

    test('of a request whose body is not complete ends the connection, and it is not among the killed', async () => {
      await using _left = assertNothingLeft()
      await using it = await ends(transport, { retry: 0 })
      const upload = gun.headers(it.connPid, 'PUT', '/1')
      gun.data(it.connPid, upload, 'nofin', 'abc')
      gun.cancel(it.connPid, upload)
      assert.deepEqual(await it.heard(3), ['down: cancelled, killed 0', 'error: cancelled', 'DOWN: shutdown'])
      assert.match(String(await it.peer.receiveAll()), /^PUT \/1 .*\r\n\r\n3\r\nabc\r\n$/s)
    })

    test('of such a request lets the responses before it come, and what is asked for later waits for the next connection', async () => {
      await using _left = assertNothingLeft()
      await using it = await ends(transport)
      gun.get(it.connPid, '/1')
      const upload = gun.headers(it.connPid, 'PUT', '/2')
      gun.cancel(it.connPid, upload)
      gun.get(it.connPid, '/3')
      assert.equal((await it.peer.receiveRequest()).path, '/1')
      await it.peer.send('HTTP/1.1 204 No Content\r\n\r\n')
      assert.deepEqual(await it.heard(3), ['response 204 fin', 'down: cancelled, killed 0', 'up'])
      const peer = await it.next()
      assert.equal((await peer.receiveRequest()).path, '/3')
      await peer.send('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
      assert.deepEqual(await it.heard(1), ['response 200 fin'])
    })

    test('of an upgrade that the server then agrees to ends the connection', async () => {
      await using _left = assertNothingLeft()
      await using it = await ends(transport, { retry: 0 })
      const upgrade = gun.wsUpgrade(it.connPid, '/')
      gun.cancel(it.connPid, upgrade)
      await it.peer.receiveRequest()
      await it.peer.send(
        'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
      )
      assert.deepEqual(await it.heard(3), ['down: cancelled, killed 0', 'error: cancelled', 'DOWN: shutdown'])
    })

    test('of an upload whose response is complete ends the connection, so that nothing waits for the rest of it', async () => {
      await using _left = assertNothingLeft()
      await using it = await ends(transport)
      const upload = gun.headers(it.connPid, 'PUT', '/1')
      gun.data(it.connPid, upload, 'nofin', 'abc')
      const request = await it.peer.receiveRequest()
      assert.equal(request.path, '/1')
      await it.peer.send('HTTP/1.1 204 No Content\r\n\r\n')
      assert.deepEqual(await it.heard(1), ['response 204 fin'])
      assert.equal(gun.streamInfo(it.connPid, upload)?.state, 'running')
      gun.cancel(it.connPid, upload)
      gun.get(it.connPid, '/2')
      assert.deepEqual(await it.heard(2), ['down: cancelled, killed 0', 'up'])
      const peer = await it.next()
      assert.equal((await peer.receiveRequest()).path, '/2')
    })

    test('of a stream of which only the body is still postponed is a cancel like any other', async () => {
      await using _left = assertNothingLeft()
      const cancelled: unknown[] = []
      let streamRef: gun.StreamRef | undefined
      await using it = await ends(transport, {
        eventHandler: {
          requestHeaders: event => {
            if (event.streamRef === streamRef) gun.cancel(event.connPid, event.streamRef)
          },
          cancel: event => cancelled.push(event.streamRef),
        },
      })
      await it.peer.receive(0)
      it.peer.reset()
      assert.match((await it.heard(1)).join(), /^down: /)
      streamRef = gun.headers(it.connPid, 'PUT', '/1')
      gun.data(it.connPid, streamRef, 'fin', 'abc')
      assert.deepEqual(await it.heard(2), ['up', 'down: cancelled, killed 0'])
      assert.deepEqual(cancelled, [streamRef])
    })
  })
}

describe('what is left of a cancelled response', () => {
  test('is read as long as it is at most 1 MiB', async () => {
    await using _left = assertNothingLeft()
    await using it = await ends('tcp')
    const first = gun.get(it.connPid, '/1')
    gun.get(it.connPid, '/2')
    await it.peer.send(`HTTP/1.1 200 OK\r\ncontent-length: ${MOST_DROPPED + 1}\r\n\r\na`)
    assert.deepEqual(await it.heard(2), ['response 200 nofin', 'data a nofin'])
    gun.cancel(it.connPid, first)
    void it.peer.send(Buffer.alloc(MOST_DROPPED))
    await it.peer.send('HTTP/1.1 204 No Content\r\n\r\n')
    assert.deepEqual(await it.heard(1), ['response 204 fin'])
  })

  test('ends the connection at once if its length says that it is more', async () => {
    await using _left = assertNothingLeft()
    await using it = await ends('tcp', { retry: 0 })
    const first = gun.get(it.connPid, '/1')
    gun.get(it.connPid, '/2')
    await it.peer.send(`HTTP/1.1 200 OK\r\ncontent-length: ${MOST_DROPPED + 2}\r\n\r\na`)
    assert.deepEqual(await it.heard(2), ['response 200 nofin', 'data a nofin'])
    gun.cancel(it.connPid, first)
    assert.deepEqual(await it.heard(4), [
      'error: cancelled',
      'down: cancelled, killed 1',
      'error: cancelled',
      'DOWN: shutdown',
    ])
  })

  test('ends the connection once more of it has come, if it has no length', async () => {
    await using _left = assertNothingLeft()
    await using it = await ends('tcp', { retry: 0 })
    const first = gun.get(it.connPid, '/1')
    await it.peer.send('HTTP/1.1 200 OK\r\n\r\na')
    assert.deepEqual(await it.heard(2), ['response 200 nofin', 'data a nofin'])
    gun.cancel(it.connPid, first)
    await it.peer.send(Buffer.alloc(MOST_DROPPED))
    assert.deepEqual(await it.waiting(), [])
    void it.peer.send('b')
    assert.deepEqual(await it.heard(3), ['down: cancelled, killed 0', 'error: cancelled', 'DOWN: shutdown'])
  })

  test('ends the connection if it takes longer than cancelTimeout', async t => {
    await using _left = assertNothingLeft()
    await using it = await ends('tcp', { retry: 0, httpOpts: { cancelTimeout: 700 } })
    const first = gun.get(it.connPid, '/1')
    await it.peer.send('HTTP/1.1 200 OK\r\n\r\na')
    assert.deepEqual(await it.heard(2), ['response 200 nofin', 'data a nofin'])
    const tick = mockTimeouts(t)
    gun.cancel(it.connPid, first)
    await tick(699)
    assert.equal(gun.info(it.connPid).stateName, 'connected')
    await tick(1)
    assert.notEqual(gun.info(it.connPid).stateName, 'connected')
    t.mock.timers.reset()
    assert.deepEqual(await it.heard(3), ['down: cancelled, killed 0', 'error: cancelled', 'DOWN: shutdown'])
  })

  test('has 5 s, and those behind it are told whether it is safe to ask again', async t => {
    await using _left = assertNothingLeft()
    await using it = await ends('tcp', { retry: 0, httpOpts: { pipelining: 3 } })
    const hangs = gun.get(it.connPid, '/hangs')
    const get = gun.get(it.connPid, '/sent')
    const post = gun.post(it.connPid, '/sent', {}, 'body')
    const waits = gun.post(it.connPid, '/waits', {}, 'body')
    for (let i = 0; i < 2; i++) await it.peer.receiveRequest()
    const tick = mockTimeouts(t)
    gun.cancel(it.connPid, hangs)
    await tick(4999)
    assert.equal(gun.info(it.connPid).stateName, 'connected')
    await tick(1)
    t.mock.timers.reset()
    const text =
      'the connection was closed, since the rest of a cancelled response did not come within 5000 ms'
    const told = async (streamRef: gun.StreamRef): Promise<string[]> => {
      const { code, kind, message } = await receiveError({ owner: it.self, connPid: it.connPid }, streamRef)
      return [code, kind, message]
    }
    assert.deepEqual(await told(get), [
      'cancelled',
      'connection_error',
      `${text}; it is safe to ask again, since GET is idempotent`,
    ])
    assert.deepEqual(await told(post), [
      'cancelled',
      'connection_error',
      `${text}; the peer may have acted on the POST of this stream already`,
    ])
    assert.deepEqual((await told(waits)).slice(0, 2), ['refused_stream', 'connection_error'])
    assert.deepEqual(await it.heard(3), ['down: cancelled, killed 3', 'error: cancelled', 'DOWN: shutdown'])
  })

  test('may take as long as it likes with a cancelTimeout of Infinity', async t => {
    await using _left = assertNothingLeft()
    await using it = await ends('tcp', { httpOpts: { cancelTimeout: Number.POSITIVE_INFINITY } })
    const hangs = gun.get(it.connPid, '/hangs')
    await it.peer.receiveRequest()
    const tick = mockTimeouts(t)
    gun.cancel(it.connPid, hangs)
    await tick(1_000_000)
    t.mock.timers.reset()
    assert.equal(gun.info(it.connPid).stateName, 'connected')
  })

  test('has the time in which a full mailbox keeps it from being read on top', async t => {
    await using _left = assertNothingLeft()
    await using it = await ends(
      'tcp',
      { httpOpts: { cancelTimeout: 700 } },
      { highWaterMark: { messages: 1 } },
    )
    const first = gun.get(it.connPid, '/1')
    gun.get(it.connPid, '/2')
    await it.peer.send(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunked('a', 'b')}`)
    const { socket } = gun.info(it.connPid)
    await eventually(
      heldUp(() => socket?.isPaused() === true),
      'nothing is read any more',
    )
    const tick = mockTimeouts(t)
    gun.cancel(it.connPid, first)
    await tick(700)
    await tick(700)
    assert.equal(gun.info(it.connPid).stateName, 'connected')
    t.mock.timers.reset()
    await it.peer.send('0\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n')
    assert.deepEqual((await it.heard(4)).at(-1), 'response 204 fin')
  })

  test('no longer ends the connection once it has come', async t => {
    await using _left = assertNothingLeft()
    await using it = await ends('tcp', { httpOpts: { cancelTimeout: 700 } })
    const first = gun.get(it.connPid, '/1')
    gun.get(it.connPid, '/2')
    await it.peer.send('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\na')
    assert.deepEqual(await it.heard(2), ['response 200 nofin', 'data a nofin'])
    const tick = mockTimeouts(t)
    gun.cancel(it.connPid, first)
    void it.peer.send('bHTTP/1.1 200 OK\r\n\r\n')
    await eventually(() => it.self.messageQueueLength > 0, 'the second response has come')
    await tick(10_000)
    assert.equal(gun.info(it.connPid).stateName, 'connected')
    t.mock.timers.reset()
    assert.deepEqual(await it.heard(1), ['response 200 nofin'])
  })
})

test('a function that answers each refusal with another cancel neither recurses nor keeps the program from its work', async () => {
  await using _left = assertNothingLeft()
  await using it = await ends('tcp', { retry: 0 })
  const most = 1000
  let calls = 0
  let depth = 0
  let deepest = 0
  let turns = 0
  const countTurns = () => {
    turns++
    if (calls < 2 * most) setImmediate(countTurns)
  }
  const streamRef = gun.get(
    it.connPid,
    '/',
    {},
    {
      replyTo: message => {
        if (message.type !== 'gun_error') return
        calls++
        deepest = Math.max(deepest, ++depth)
        if (calls < most || (calls >= most + 1 && calls < 2 * most)) gun.cancel(it.connPid, streamRef)
        depth--
      },
    },
  )
  await it.peer.receiveRequest()
  await it.peer.send('HTTP/1.1 204 No Content\r\n\r\n')
  await eventually(() => gun.streamInfo(it.connPid, streamRef) === undefined, 'the response has come')
  gun.cancel(it.connPid, streamRef)
  await eventually(() => calls === most, 'each refusal was answered')
  gun.close(it.connPid)
  gun.cancel(it.connPid, streamRef)
  countTurns()
  await eventually(() => calls === 2 * most, 'each refusal after the end was answered')
  assert.equal(deepest, 1)
  assert.ok(turns >= most - 1, `${turns} turns for ${most} refusals`)
})
