// The error of an await that has waited in vain says whether its stream is over, waits (and for which other), or has a silent peer.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as gun from '@holster/gun'
import { switchingProtocols } from '@holster/testing/frames'
import { type Client, connect, defer, eventually, PATIENCE, rejection } from '../support/client.ts'
import { onEachVersion } from '../support/http-scene.ts'
import { answerer, type HttpPeer, httpOrigin, NOTHING } from '../support/http-server.ts'
import { h2Origin } from '../support/http2-origin.ts'
import { assertNothingLeft } from '../support/leftovers.ts'
import { origin } from '../support/origin.ts'

/** What await says of a stream of which nothing comes. */
async function why({ connPid }: Pick<Client, 'connPid'>, streamRef: gun.StreamRef): Promise<string> {
  const error = await rejection(gun.await(connPid, streamRef, 0))
  assert.deepEqual([error.kind, error.code], ['timeout', 'timeout'])
  const start = `no message of ${streamRef} came within 0 ms: `
  assert.ok(error.message.startsWith(start), error.message)
  return error.message.slice(start.length)
}

/** Takes requests and answers none. */
const leave = async (peer: HttpPeer): Promise<void> => {
  await peer.request()
  await peer.closed
}

describe('await says of a stream of which nothing came in time', () => {
  onEachVersion('that the peer sent nothing, only where it is so', async line => {
    await using _left = assertNothingLeft()
    const asked = defer<void>()
    const going = defer<void>()
    await using server = await httpOrigin(line, async peer => {
      const request = await peer.request()
      asked.resolve()
      await going.promise
      await request.inform(103)
      await peer.closed
    })
    await using client = await connect(server, line)
    const { connPid } = client
    const streamRef = gun.get(connPid, '/')
    await asked.promise
    assert.equal(await why(client, streamRef), `the peer sent nothing; ${connPid} is up`)
    assert.deepEqual(gun.streamInfo(connPid, streamRef)?.request, {
      method: 'GET',
      path: '/',
      state: 'sent',
      isPostponed: false,
      givenBytes: 0,
      isComplete: true,
      response: 'due',
      isHandled: false,
      flow: Number.POSITIVE_INFINITY,
    })
    going.resolve()
    assert.equal((await gun.await(connPid, streamRef, PATIENCE)).type, 'gun_inform')
    assert.equal(await why(client, streamRef), `nothing more came of its response; ${connPid} is up`)
    assert.equal(gun.streamInfo(connPid, streamRef)?.request?.response, 'coming')
  })

  onEachVersion('that it has ended and was read already', async line => {
    await using _left = assertNothingLeft()
    await using server = await answerer(line, [{ status: 200, body: 'a' }])
    await using client = await connect(server, line)
    const { connPid } = client
    const whole = gun.get(connPid, '/')
    await gun.awaitResponse(connPid, whole)
    const ended = `it has ended, and its messages were read already; ${connPid} is up`
    assert.equal(await why(client, whole), ended)
    const empty = gun.get(connPid, '/')
    await gun.await(connPid, empty, PATIENCE)
    const error = await rejection(gun.awaitBody(connPid, empty, 0))
    assert.equal(error.message, `nothing of the body of ${empty} came within 0 ms: ${ended}`)
  })

  onEachVersion('that its response was read already, though its own body is not complete', async line => {
    await using _left = assertNothingLeft()
    await using server = await httpOrigin(line, async peer => {
      await (await peer.request()).answer(NOTHING)
      await peer.closed
    })
    await using client = await connect(server, line)
    const { connPid } = client
    const upload = gun.post(connPid, '/', { 'content-length': 5 })
    assert.equal((await gun.await(connPid, upload, PATIENCE)).type, 'gun_response')
    assert.equal(
      await why(client, upload),
      `it has ended, and its messages were read already; ${connPid} is up`,
    )
  })

  onEachVersion('that it was cancelled', async line => {
    await using _left = assertNothingLeft()
    await using server = await httpOrigin(line, leave)
    await using client = await connect(server, line)
    const { connPid } = client
    const streamRef = gun.get(connPid, '/')
    gun.cancel(connPid, streamRef)
    assert.equal(await why(client, streamRef), `it was cancelled; ${connPid} is up`)
  })

  onEachVersion('that its flow is used up', async line => {
    await using _left = assertNothingLeft()
    await using server = await answerer(line, [{ status: 200, body: ['a', 'b'] }])
    await using client = await connect(server, line, { httpOpts: { flow: 1 } })
    const { connPid } = client
    const streamRef = gun.get(connPid, '/')
    for (let i = 0; i < 2; i++) await gun.await(connPid, streamRef, PATIENCE)
    assert.equal(
      await why(client, streamRef),
      `its flow is used up, and updateFlow asks for more; ${connPid} is up`,
    )
  })

  onEachVersion('that a content handler is at work', async line => {
    await using _left = assertNothingLeft()
    const begun = defer<void>()
    const handler: gun.ContentHandler = {
      init: (_response, next) => ({
        async handle(isFin, data) {
          begun.resolve()
          await new Promise(() => {})
          next(isFin, data)
        },
      }),
    }
    await using server = await answerer(line, [{ status: 200, body: 'a' }])
    await using client = await connect(server, line, { httpOpts: { contentHandlers: [handler] } })
    const { connPid } = client
    const streamRef = gun.get(connPid, '/')
    await gun.await(connPid, streamRef, PATIENCE)
    await begun.promise
    assert.equal(
      await why(client, streamRef),
      `a content handler is still processing its body; ${connPid} is up`,
    )
  })

  onEachVersion('that the peer may wait for the rest of its body', async line => {
    await using _left = assertNothingLeft()
    await using server = await httpOrigin(line, leave)
    await using client = await connect(server, line)
    const { connPid } = client
    const streamRef = gun.post(connPid, '/')
    const waits = "the peer sent nothing, and may wait for the rest of the request's body: "
    const end = `, and not its end (data with 'fin'); ${connPid} is up`
    await eventually(() => gun.streamInfo(connPid, streamRef)?.request?.state === 'sending', 'it is sent')
    assert.equal(await why(client, streamRef), `${waits}nothing of it was given${end}`)
    gun.data(connPid, streamRef, 'nofin', 'abc')
    assert.equal(await why(client, streamRef), `${waits}3 bytes of it were given${end}`)
    gun.data(connPid, streamRef, 'fin', '')
    assert.equal(await why(client, streamRef), `the peer sent nothing; ${connPid} is up`)
  })

  test('that it waits behind a request whose body was never given', async () => {
    await using _left = assertNothingLeft()
    await using server = await httpOrigin({ version: 'http', transport: 'tcp' }, leave)
    await using client = await connect(server)
    const { connPid } = client
    // What is said of it leaves the query out.
    const forgotten = gun.post(connPid, '/forgotten?token=secret', { 'content-type': 'text/plain' })
    const [next, last] = [gun.get(connPid, '/next'), gun.get(connPid, '/last')]
    const text = `nothing of it was sent, since it waits until ${forgotten} (POST /forgotten) is sent in full, whose body is not complete: nothing of it was given, and not its end (data with 'fin'); ${connPid} is up`
    for (const streamRef of [next, last]) {
      assert.equal(await why(client, streamRef), text)
      const { request } = gun.streamInfo(connPid, streamRef) ?? {}
      assert.deepEqual([request?.state, request?.behind], ['waiting', forgotten])
    }
    const { request } = gun.streamInfo(connPid, forgotten) ?? {}
    assert.deepEqual(
      [request?.state, request?.givenBytes, request?.isComplete, request?.behind],
      ['sending', 0, false, undefined],
    )
    gun.data(connPid, forgotten, 'fin', 'abc')
    assert.equal(
      await why(client, next),
      `its response comes behind that of ${forgotten} (POST /forgotten), which has not begun; ${connPid} is up`,
    )
  })

  test('that its response comes behind another, or that it waits until that is complete', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      await peer.receiveRequest()
      await peer.send('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\na')
      await peer.closed
    })
    await using client = await connect(server, 'tcp', { httpOpts: { pipelining: 2 } })
    const { connPid } = client
    const [first, second, third] = ['/1?token=secret', '/2', '/3'].map(path => gun.get(connPid, path)) as [
      gun.StreamRef,
      gun.StreamRef,
      gun.StreamRef,
    ]
    for (let i = 0; i < 2; i++) await gun.await(connPid, first, PATIENCE)
    assert.equal(
      await why(client, second),
      `its response comes behind that of ${first} (GET /1), which is not complete; ${connPid} is up`,
    )
    assert.equal(gun.streamInfo(connPid, second)?.request?.behind, first)
    assert.equal(
      await why(client, third),
      `nothing of it was sent, since it waits until ${first} (GET /1) is answered in full; ${connPid} is up`,
    )
    assert.deepEqual(
      [second, third].map(streamRef => gun.streamInfo(connPid, streamRef)?.request?.state),
      ['sent', 'waiting'],
    )
  })

  onEachVersion('that the cookie store has not answered', async line => {
    await using _left = assertNothingLeft()
    const cookieStore = {
      getCookieString: () => new Promise<string>(() => {}),
      setCookie: () => {},
    } as unknown as gun.CookieStore
    await using server = await httpOrigin(line, peer => peer.closed)
    await using client = await connect(server, line, { cookieStore })
    const { connPid } = client
    const streamRef = gun.get(connPid, '/')
    const text = await why(client, streamRef)
    assert.match(
      text,
      /^nothing of it was sent, since .*the cookie store has not answered; #Conn<\d+> is up$/,
    )
  })

  onEachVersion('that it waits for the connection, and why that is not up', async line => {
    await using _left = assertNothingLeft()
    await using server = await httpOrigin(line, async peer => {
      await peer.request()
      peer.reset()
    })
    await using client = await connect(server, line, { retryFun: () => ({ retries: 1, timeout: 60_000 }) })
    const { connPid, owner } = client
    const lost = gun.get(connPid, '/')
    const { reason } = await owner.receive([{ type: 'gun_error', streamRef: lost }], PATIENCE)
    await owner.receive([{ type: 'gun_down' }], PATIENCE)
    const state = `${connPid} is not up (not_connected), and the last error was: ${reason.message}`
    assert.equal(await why(client, lost), `it has ended, and its messages were read already; ${state}`)
    const waits = gun.get(connPid, '/')
    const error = await rejection(gun.await(connPid, waits, 0))
    assert.match(
      error.message,
      /nothing of it was sent, since it waits for the connection; #Conn<\d+> is not up/,
    )
    assert.equal((error.cause as Error).message, reason.message)
    gun.cancel(connPid, waits)
    assert.equal(await why(client, waits), `it was cancelled; ${state}`)
  })

  test('that the peer has not answered a ping', async () => {
    await using _left = assertNothingLeft()
    await using server = await h2Origin(peer => peer.peer.closed)
    await using client = await connect(server, { version: 'http2', transport: 'tcp' })
    const { connPid } = client
    const ref = gun.ping(connPid)
    assert.equal(await why(client, ref), `the peer has not answered the ping; ${connPid} is up`)
  })

  test('that its WebSocket is silent, or its flow used up', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      await peer.send(switchingProtocols(await peer.receiveRequest()))
      await peer.closed
    })
    await using client = await connect(server)
    const { connPid } = client
    const streamRef = gun.wsUpgrade(connPid, '/')
    assert.equal((await gun.await(connPid, streamRef, PATIENCE)).type, 'gun_upgrade')
    assert.equal(await why(client, streamRef), `the peer sent no message; ${connPid} is up`)
  })
})

test('awaitUp says of a connection whose gun_up was read already that it is up', async () => {
  await using _left = assertNothingLeft()
  await using server = await origin(peer => peer.closed)
  await using client = await connect(server)
  const { connPid } = client
  const error = await rejection(gun.awaitUp(connPid, 0))
  const state = 'it is up, and its gun_up was read already'
  assert.equal(error.message, `no gun_up of ${connPid} came within 0 ms: ${state}`)
})
