// await, awaitBody, awaitUp and flush: every way in which they can end, and where they look.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess, type Process, ProcessExit } from '@holster/process'
import { switchingProtocols } from '@holster/testing/frames'
import { createActor, fromCallback } from 'xstate'
import {
  connect,
  defer,
  eventually,
  freePort,
  heldUp,
  NO_CONTENT,
  PATIENCE,
  rejection,
} from '../support/client.ts'
import { onEachVersion } from '../support/http-scene.ts'
import {
  type Answer,
  answerer,
  type HttpPeer,
  httpOrigin,
  httpServer,
  NOTHING,
  unsized,
} from '../support/http-server.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { origin } from '../support/origin.ts'
import { websocketServer } from '../support/websocket-server.ts'

type Ref = ReturnType<Process['monitor']>

/** Answers nothing. */
const leave = async (peer: HttpPeer): Promise<void> => {
  await peer.request()
  await peer.closed
}

describe('await', () => {
  onEachVersion('gives the next message of the stream, as it is, one after the other', async line => {
    await using _left = assertNothingLeft()
    const answer: Answer = { informs: [[103]], status: 200, body: 'ab', trailers: [['x-last', '1']] }
    await using server = await answerer(line, [answer])
    await using client = await connect(server, line)
    const { connPid } = client
    const streamRef = gun.get(connPid, '/')
    const inform = await gun.await(connPid, streamRef, PATIENCE)
    assert.deepEqual(inform, { type: 'gun_inform', connPid, streamRef, status: 103, headers: [] })
    const response = await gun.await(connPid, streamRef, PATIENCE)
    assert.deepEqual(response, {
      type: 'gun_response',
      connPid,
      streamRef,
      isFin: 'nofin',
      status: 200,
      headers: unsized(line.version),
    })
    const data = await gun.await(connPid, streamRef, PATIENCE)
    assert.deepEqual(data, { type: 'gun_data', connPid, streamRef, isFin: 'nofin', data: Buffer.from('ab') })
    const trailers = await gun.await(connPid, streamRef, PATIENCE)
    assert.deepEqual(trailers, { type: 'gun_trailers', connPid, streamRef, headers: [['x-last', '1']] })
  })

  test('gives gun_upgrade and gun_ws', async () => {
    await using _left = assertNothingLeft()
    await using server = await websocketServer()
    await using client = await connect(server)
    const { connPid } = client
    const streamRef = gun.wsUpgrade(connPid, '/websocket')
    assert.equal((await gun.await(connPid, streamRef, PATIENCE)).type, 'gun_upgrade')
    gun.wsSend(connPid, streamRef, ['text', 'Hello!'])
    const message = await gun.await(connPid, streamRef, PATIENCE)
    assert.deepEqual(message, { type: 'gun_ws', connPid, streamRef, frame: ['text', 'Hello!'] })
  })

  onEachVersion('takes only what belongs to its stream', async line => {
    await using _left = assertNothingLeft()
    await using server = await httpOrigin(line, async peer => {
      const asked = [await peer.request(), await peer.request()]
      for (const each of asked) await each.answer(NOTHING)
    })
    await using client = await connect(server, line)
    const { owner, connPid } = client
    const first = gun.get(connPid, '/1')
    const second = gun.get(connPid, '/2')
    gun.wsSend(connPid, 'ping')
    assert.equal((await gun.await(connPid, second, PATIENCE)).streamRef, second)
    assert.equal((await gun.await(connPid, first, 0)).streamRef, first)
    // The connection-wide gun_error is nobody's answer.
    assert.equal(
      (await owner.receive([{ type: 'gun_error', streamRef: undefined }], 0)).reason.code,
      'badstate',
    )
  })

  test('rejects with a stream_error', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(peer => peer.closed)
    await using client = await connect(server, 'tcp', { httpOpts: { version: 'HTTP/1.0' } })
    const error = await rejection(gun.await(client.connPid, gun.wsUpgrade(client.connPid, '/'), PATIENCE))
    assert.equal(error.kind, 'stream_error')
    assert.equal(error.code, 'not_supported')
  })

  onEachVersion('rejects with a connection_error', async line => {
    await using _left = assertNothingLeft()
    await using server = await httpOrigin(line, async peer => {
      await peer.request()
      // A write that is under way could get to know of the reset first, and then what is read is an end.
      await peer.settled(client.connPid)
      peer.reset()
    })
    await using client = await connect(server, line, { retry: 0 })
    const error = await rejection(gun.await(client.connPid, gun.get(client.connPid, '/'), PATIENCE))
    assert.equal(error.kind, 'connection_error')
    assert.equal(error.code, 'socket_error')
    assert.ok(error.cause instanceof Error)
  })

  test('rejects with badstate', async () => {
    await using _left = assertNothingLeft()
    await using server = await websocketServer()
    await using client = await connect(server)
    const { connPid } = client
    await gun.await(connPid, gun.wsUpgrade(connPid, '/websocket'), PATIENCE)
    const error = await rejection(gun.await(connPid, gun.get(connPid, '/'), PATIENCE))
    assert.equal(error.kind, 'badstate')
    assert.equal(error.code, 'badstate')
  })

  onEachVersion(
    'rejects with down when the connection has ended, also long ago, and the cause says why',
    async line => {
      await using _left = assertNothingLeft()
      await using server = await httpOrigin(line, leave)
      await using client = await connect(server, line)
      const { connPid } = client
      const streamRef = gun.get(connPid, '/')
      gun.close(connPid)
      const lost = await rejection(gun.await(connPid, streamRef, PATIENCE))
      assert.deepEqual([lost.kind, lost.code], ['connection_error', 'shutdown'])
      const down = await rejection(gun.await(connPid, streamRef, PATIENCE))
      assert.deepEqual([down.kind, down.code, down.cause], ['down', 'down', 'noproc'])
    },
  )

  test('rejects with down while it waits', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(peer => peer.closed)
    await using client = await connect(server)
    const { connPid } = client
    await using other = createProcess<gun.GunMessage>()
    const streamRef = gun.headers(connPid, 'POST', '/', [], { replyTo: other })
    const early = rejection(gun.await(connPid, streamRef, PATIENCE))
    gun.close(connPid)
    assert.equal((await early).kind, 'connection_error')
    // That was the stream's own error. A stream that had its last word learns of the end from DOWN.
    assert.equal((await rejection(gun.await(connPid, streamRef, PATIENCE))).kind, 'down')
  })

  onEachVersion('rejects with timeout, and takes nothing', async line => {
    await using _left = assertNothingLeft()
    const answer = defer<void>()
    await using server = await httpOrigin(line, async peer => {
      const asked = await peer.request()
      await answer.promise
      await asked.answer(NOTHING)
    })
    await using client = await connect(server, line)
    const { connPid } = client
    const streamRef = gun.get(connPid, '/')
    for (const timeout of [0, 1]) {
      const error = await rejection(gun.await(connPid, streamRef, timeout))
      assert.deepEqual([error.kind, error.code], ['timeout', 'timeout'])
      assert.match(error.message, new RegExp(`${timeout} ms`))
    }
    answer.resolve()
    assert.equal((await gun.await(connPid, streamRef, PATIENCE)).type, 'gun_response')
  })

  onEachVersion('several at once each get their own', async line => {
    await using _left = assertNothingLeft()
    await using server = await httpServer(line, (request, response) => response.end(request.url))
    await using client = await connect(server, line)
    const { connPid } = client
    const paths = Array.from({ length: 20 }, (_, i) => `/${i}`)
    const bodies = await Promise.all(
      paths.map(async path => {
        const streamRef = gun.get(connPid, path)
        const response = await gun.await(connPid, streamRef, PATIENCE)
        assert.ok(response.type === 'gun_response')
        return String((await gun.awaitBody(connPid, streamRef, PATIENCE)).body)
      }),
    )
    assert.deepEqual(bodies, paths)
  })

  onEachVersion('several on one stream get its messages in turn', async line => {
    await using _left = assertNothingLeft()
    await using server = await httpServer(line)
    await using client = await connect(server, line)
    const { connPid } = client
    const streamRef = gun.get(connPid, '/')
    const messages = await Promise.all([
      gun.await(connPid, streamRef, PATIENCE),
      gun.await(connPid, streamRef, PATIENCE),
    ])
    assert.deepEqual(
      messages.map(({ type }) => type),
      ['gun_response', 'gun_data'],
    )
  })

  onEachVersion('all that wait on a connection that is lost are told', async line => {
    await using _left = assertNothingLeft()
    await using server = await httpOrigin(line, async peer => {
      for (let i = 0; i < 3; i++) await peer.request()
      peer.reset()
    })
    await using client = await connect(server, line, { retry: 0 })
    const { owner, connPid } = client
    const streamRefs = ['/1', '/2', '/3'].map(path => gun.get(connPid, path))
    const waiting = streamRefs.map(streamRef => rejection(gun.await(connPid, streamRef, PATIENCE)))
    for (const error of await Promise.all(waiting)) assert.equal(error.kind, 'connection_error')
    const down = await owner.receive([{ type: 'gun_down', connPid }], PATIENCE)
    assert.deepEqual(down.killedStreams, streamRefs)
  })
})

describe('an await that never ends', () => {
  test('keeps its own connection read, and not another one that floods the same mailbox', async () => {
    await using _left = assertNothingLeft()
    const answer = defer<void>()
    await using quiet = await origin(async peer => {
      await peer.receiveRequest()
      await answer.promise
      await peer.send(NO_CONTENT)
    })
    await using flooding = await origin(async peer => {
      await peer.receiveRequest()
      await peer.send('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n')
      await peer.send('1\r\nx\r\n'.repeat(100))
      await peer.closed
    })
    await using client = await connect(quiet, 'tcp', {}, { highWaterMark: { messages: 10 } })
    const { owner, connPid } = client
    const httpOpts = { closingTimeout: 0 }
    await using other = gun.open(flooding.host, flooding.port, { owner, httpOpts })
    await gun.awaitUp(other, PATIENCE)
    const awaited = gun.await(connPid, gun.get(connPid, '/'), Number.POSITIVE_INFINITY)
    gun.get(other, '/')
    // Where the flood is not held up that is the failure to report.
    awaited.catch(() => {})
    const isPaused = () => gun.info(other).socket?.isPaused() === true
    await eventually(heldUp(isPaused), 'the flood was never held up')
    assert.equal(gun.info(connPid).socket?.isPaused(), false)
    answer.resolve()
    assert.equal((await awaited).type, 'gun_response')
    assert.ok(isPaused())
  })
})

describe('when the process exits', () => {
  onEachVersion(
    'what nobody awaits any more is no unhandled rejection, and who awaits is told',
    async line => {
      await using _left = assertNothingLeft()
      await using warnings = collectWarnings()
      await using server = await httpOrigin(line, leave)
      await using client = await connect(server, line)
      const { owner, connPid } = client
      const streamRef = gun.get(connPid, '/')
      const begin = () => [
        gun.await(connPid, streamRef, PATIENCE),
        gun.awaitBody(connPid, streamRef, PATIENCE),
        gun.awaitUp(connPid, PATIENCE),
      ]
      begin()
      const awaited = Promise.allSettled(begin())
      owner.exit()
      begin()
      for (const outcome of [...(await awaited), ...(await Promise.allSettled(begin()))]) {
        assert.ok(outcome.status === 'rejected' && outcome.reason instanceof ProcessExit)
        assert.equal(outcome.reason.reason, 'normal')
      }
      await warnings.assertNone()
    },
  )
})

describe('awaitBody', () => {
  const sized = (length: number, ...body: string[]): Answer => ({
    status: 200,
    fields: [['content-length', `${length}`]],
    body,
    isCutOff: body.join('').length < length,
  })

  onEachVersion('gives the whole body as a Buffer, without trailers where there were none', async line => {
    await using _left = assertNothingLeft()
    await using server = await answerer(line, [sized(4, 'ab', 'cd')])
    await using client = await connect(server, line)
    const { connPid } = client
    const streamRef = gun.get(connPid, '/')
    await gun.await(connPid, streamRef, PATIENCE)
    assert.deepEqual(await gun.awaitBody(connPid, streamRef, PATIENCE), { body: Buffer.from('abcd') })
  })

  onEachVersion('gives the trailers too', async line => {
    await using _left = assertNothingLeft()
    await using server = await answerer(line, [
      { status: 200, body: ['a', 'b'], trailers: [['x-last', '1']] },
    ])
    await using client = await connect(server, line)
    const { connPid } = client
    const streamRef = gun.get(connPid, '/')
    await gun.await(connPid, streamRef, PATIENCE)
    assert.deepEqual(await gun.awaitBody(connPid, streamRef, PATIENCE), {
      body: Buffer.from('ab'),
      trailers: [['x-last', '1']],
    })
  })

  onEachVersion('leaves the response where it is', async line => {
    await using _left = assertNothingLeft()
    await using server = await answerer(line, [sized(2, 'ab')])
    await using client = await connect(server, line)
    const { connPid } = client
    const streamRef = gun.get(connPid, '/')
    assert.equal(String((await gun.awaitBody(connPid, streamRef, PATIENCE)).body), 'ab')
    assert.equal((await gun.await(connPid, streamRef, 0)).type, 'gun_response')
  })

  onEachVersion('rejects with the connection_error of a body that is cut off', async line => {
    await using _left = assertNothingLeft()
    await using server = await httpOrigin(line, async peer => {
      await peer.serve(sized(5, 'ab'))
      peer.end()
    })
    await using client = await connect(server, line, { retry: 0 })
    const { connPid } = client
    const error = await rejection(gun.awaitBody(connPid, gun.get(connPid, '/'), PATIENCE))
    assert.deepEqual([error.kind, error.code], ['connection_error', 'closed'])
  })

  onEachVersion('rejects with down and with timeout', async line => {
    await using _left = assertNothingLeft()
    await using server = await answerer(line, [sized(5, '')])
    await using client = await connect(server, line)
    const { connPid } = client
    const streamRef = gun.get(connPid, '/')
    await gun.await(connPid, streamRef, PATIENCE)
    assert.equal((await rejection(gun.awaitBody(connPid, streamRef, 1))).kind, 'timeout')
    gun.close(connPid)
    gun.flush(streamRef)
    assert.equal((await rejection(gun.awaitBody(connPid, streamRef, PATIENCE))).kind, 'down')
  })
})

describe('awaitUp', () => {
  onEachVersion('gives the protocol, again after each reconnect', async line => {
    await using _left = assertNothingLeft()
    await using server = await httpOrigin(line, async (peer, index) => {
      const asked = await peer.request()
      if (index === 0) peer.end()
      else await asked.answer(NOTHING)
    })
    await using client = await connect(server, line)
    const { connPid } = client
    await rejection(gun.await(connPid, gun.get(connPid, '/'), PATIENCE))
    assert.equal(await gun.awaitUp(connPid, PATIENCE), line.version)
    await gun.await(connPid, gun.get(connPid, '/'), PATIENCE)
  })

  test('rejects with down when no connection can be made', async () => {
    await using _left = assertNothingLeft()
    await using owner = createProcess<gun.GunMessage>()
    const connPid = gun.open('127.0.0.1', await freePort(), { owner, retry: 0 })
    const error = await rejection(gun.awaitUp(connPid, PATIENCE))
    assert.deepEqual([error.kind, error.code], ['down', 'down'])
    assert.ok(error.cause instanceof gun.GunError)
    assert.equal(error.cause.code, 'connect_error')
    assert.ok(error.cause.cause instanceof Error && 'code' in error.cause.cause)
    assert.equal(error.cause.cause.code, 'ECONNREFUSED')
  })

  test("rejects with timeout while attempts go on, with the last one's error as the cause", async () => {
    await using _left = assertNothingLeft()
    await using owner = createProcess<gun.GunMessage>()
    const failed = defer<void>()
    const retryFun = () => {
      failed.resolve()
      return { retries: 1, timeout: 60_000 }
    }
    await using connPid = gun.open('127.0.0.1', await freePort(), { owner, retryFun })
    await failed.promise
    const error = await rejection(gun.awaitUp(connPid, 10))
    assert.equal(error.kind, 'timeout')
    assert.ok(error.cause instanceof gun.GunError)
    assert.equal(error.cause.code, 'connect_error')
    const state = `${connPid} is not up (not_connected), and the last error was: ${error.cause.message}`
    assert.equal(error.message, `no gun_up of ${connPid} came within 10 ms: ${state}`)
  })

  test('has no cause where nothing has failed', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(peer => peer.closed)
    await using client = await connect(server)
    const error = await rejection(gun.awaitUp(client.connPid, 0))
    assert.equal(error.kind, 'timeout')
    assert.equal(error.cause, undefined)
  })

  test('looks in the mailbox of the present owner', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(peer => peer.closed)
    await using first = createProcess<gun.GunMessage>()
    await using second = createProcess<gun.GunMessage>()
    await using connPid = gun.open(server.host, server.port, { owner: first })
    gun.setOwner(connPid, second)
    await gun.awaitUp(connPid, PATIENCE)
    assert.equal(first.messageQueueLength, 0)
  })
})

describe('the monitor', () => {
  type Wait = (connPid: gun.ConnPid, streamRef: gun.StreamRef, ref: Ref) => Promise<unknown>
  const waits: Record<string, Wait> = {
    'await, third': (connPid, streamRef, ref) => gun.await(connPid, streamRef, ref),
    'await, fourth': (connPid, streamRef, ref) => gun.await(connPid, streamRef, PATIENCE, ref),
    'awaitBody, third': (connPid, streamRef, ref) => gun.awaitBody(connPid, streamRef, ref),
    'awaitBody, fourth': (connPid, streamRef, ref) => gun.awaitBody(connPid, streamRef, PATIENCE, ref),
    'awaitUp, second': (connPid, _, ref) => gun.awaitUp(connPid, ref),
    'awaitUp, third': (connPid, _, ref) => gun.awaitUp(connPid, PATIENCE, ref),
  }
  for (const [name, wait] of Object.entries(waits)) {
    test(`may be one's own (${name})`, async () => {
      await using _left = assertNothingLeft()
      await using server = await origin(peer => peer.closed)
      await using client = await connect(server)
      const { owner, connPid } = client
      const streamRef = gun.get(connPid, '/')
      const ref = owner.monitor(connPid)
      gun.close(connPid)
      owner.flush({ type: 'gun_error' })
      const error = await rejection(wait(connPid, streamRef, ref))
      assert.equal(error.kind, 'down')
      // A monitor made now would say 'noproc'.
      assert.equal(error.cause, 'shutdown')
      assert.equal(owner.messageQueueLength, 0)
    })
  }

  test("given by the caller stays the caller's", async () => {
    await using _left = assertNothingLeft()
    await using server = await websocketServer()
    await using client = await connect(server)
    const { owner, connPid } = client
    const ref = owner.monitor(connPid)
    const streamRef = gun.get(connPid, '/')
    await gun.await(connPid, streamRef, ref)
    await gun.awaitBody(connPid, streamRef, PATIENCE, ref)
    gun.close(connPid)
    assert.equal((await owner.receive([{ type: 'DOWN', ref }], PATIENCE)).reason, 'shutdown')
    assert.equal(owner.messageQueueLength, 0)
  })

  onEachVersion('that is made for the call is gone afterwards, whatever the outcome', async line => {
    await using _left = assertNothingLeft()
    await using server = await answerer(line, [
      { status: 200, fields: [['content-length', '2']], body: 'ab' },
    ])
    await using client = await connect(server, line)
    const { owner, connPid } = client
    const streamRef = gun.get(connPid, '/')
    await gun.await(connPid, streamRef, PATIENCE)
    await gun.awaitBody(connPid, streamRef, PATIENCE)
    await rejection(gun.await(connPid, streamRef, 1))
    await rejection(gun.awaitBody(connPid, streamRef, 1))
    await rejection(gun.awaitUp(connPid, 1))
    gun.close(connPid)
    await rejection(gun.await(connPid, streamRef, PATIENCE))
    assert.equal(owner.messageQueueLength, 0)
  })

  test('must be what monitor gave', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(peer => peer.closed)
    await using client = await connect(server)
    const { connPid } = client
    const streamRef = gun.headers(connPid, 'POST', '/')
    const wrong = {} as Ref
    assert.throws(() => gun.await(connPid, streamRef, 1, wrong), {
      name: 'TypeError',
      message: /^monitorRef /,
    })
    assert.throws(() => gun.await(connPid, {} as gun.StreamRef), {
      name: 'TypeError',
      message: /^streamRef /,
    })
    assert.throws(() => gun.awaitUp({} as gun.ConnPid), { name: 'TypeError', message: /^connPid / })
  })
})

describe('whom a stream replies to', () => {
  test('may be another process, in whose mailbox the await functions then look', async () => {
    await using _left = assertNothingLeft()
    await using server = await websocketServer()
    await using client = await connect(server)
    const { owner, connPid } = client
    await using other = createProcess<gun.GunMessage>()
    const streamRef = gun.get(connPid, '/', [], { replyTo: other })
    const response = await gun.await(connPid, streamRef, PATIENCE)
    assert.equal(response.type, 'gun_response')
    assert.equal(String((await gun.awaitBody(connPid, streamRef, PATIENCE)).body), 'Hello over HTTP')
    assert.equal(owner.messageQueueLength, 0)
    const webSocket = gun.wsUpgrade(connPid, '/websocket', [], { replyTo: other })
    await gun.await(connPid, webSocket, PATIENCE)
    gun.wsSend(connPid, webSocket, ['text', 'to the other'])
    assert.deepEqual((await other.receive([{ type: 'gun_ws', streamRef: webSocket }], PATIENCE)).frame, [
      'text',
      'to the other',
    ])
    gun.wsSend(connPid, webSocket, 'close')
    // What concerns the connection goes to its owner all the same.
    await owner.receive([{ type: 'gun_down', connPid }], PATIENCE)
    assert.equal((await rejection(gun.await(connPid, streamRef, PATIENCE))).kind, 'down')
  })

  test('may be a function, called for each message', async () => {
    await using _left = assertNothingLeft()
    await using warnings = collectWarnings()
    await using server = await websocketServer()
    await using client = await connect(server)
    const { owner, connPid } = client
    const got: gun.GunMessage[] = []
    const done = defer<void>()
    const replyTo = (message: gun.GunMessage): void => {
      got.push(message)
      if (message.type === 'gun_data') done.resolve()
    }
    const streamRef = gun.get(connPid, '/', [], { replyTo })
    await done.promise
    assert.deepEqual(
      got.map(message => [message.type, 'streamRef' in message && message.streamRef === streamRef]),
      [
        ['gun_response', true],
        ['gun_data', true],
      ],
    )
    assert.equal(owner.messageQueueLength, 0)
    await warnings.assertNone()
  })

  test('may be an xstate actor, which gets the messages as events', async () => {
    await using _left = assertNothingLeft()
    await using server = await websocketServer()
    await using client = await connect(server)
    const { connPid } = client
    const got: string[] = []
    const done = defer<void>()
    const actor = createActor(
      fromCallback<gun.GunMessage>(({ receive }) => {
        receive(message => {
          got.push(message.type)
          if (message.type === 'gun_data') done.resolve()
        })
      }),
    ).start()
    gun.get(connPid, '/', [], { replyTo: actor })
    await done.promise
    assert.deepEqual(got, ['gun_response', 'gun_data'])
    actor.stop()
    // An actor that has stopped takes nothing, and harms nobody.
    gun.get(connPid, '/', [], { replyTo: actor })
    assert.equal((await gun.await(connPid, gun.get(connPid, '/'), PATIENCE)).type, 'gun_response')
    assert.deepEqual(got, ['gun_response', 'gun_data'])
  })

  test('is a TypeError for the await functions and for flush where it is no process', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(peer => peer.closed)
    await using client = await connect(server)
    const { connPid } = client
    const actor = createActor(fromCallback(() => {})).start()
    for (const replyTo of [() => {}, actor, { send() {} }]) {
      const streamRef = gun.get(connPid, '/', [], { replyTo })
      const expected = { name: 'TypeError', message: /the stream's replyTo is not a process/ }
      assert.throws(() => gun.await(connPid, streamRef), expected)
      assert.throws(() => gun.awaitBody(connPid, streamRef), expected)
      assert.throws(() => gun.flush(streamRef), expected)
    }
    gun.setOwner(connPid, actor)
    const expected = { name: 'TypeError', message: /the owner is not a process/ }
    assert.throws(() => gun.awaitUp(connPid), expected)
    assert.throws(() => gun.flush(connPid), expected)
    actor.stop()
  })
})

describe('flush', () => {
  onEachVersion('drops the messages of a stream, and no others', async line => {
    await using _left = assertNothingLeft()
    await using server = await httpOrigin(line, async peer => {
      const [first, second] = [await peer.request(), await peer.request()]
      await first.answer({ status: 200, fields: [['content-length', '2']], body: 'ab' })
      await second.answer(NOTHING)
    })
    await using client = await connect(server, line)
    const { owner, connPid } = client
    const first = gun.get(connPid, '/1')
    const second = gun.get(connPid, '/2')
    await gun.await(connPid, second, PATIENCE)
    assert.equal(owner.messageQueueLength, 2)
    assert.equal(gun.flush(second), 0)
    assert.equal(gun.flush(first), 2)
    assert.equal(owner.messageQueueLength, 0)
  })

  test('drops the messages of a connection with its DOWN, and no others', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      const request = await peer.receiveRequest()
      peer.end(switchingProtocols(request))
    })
    await using owner = createProcess<gun.GunMessage>()
    const connPids = [0, 1].map(() => gun.open(server.host, server.port, { owner, retry: 0 }))
    await using watcher = createProcess<gun.GunMessage>()
    const refs = connPids.map(connPid => watcher.monitor(connPid))
    for (const connPid of connPids) {
      owner.monitor(connPid)
      gun.wsUpgrade(connPid, '/')
    }
    for (const ref of refs) await watcher.receive([{ type: 'DOWN', ref }], PATIENCE)
    const [first, second] = connPids
    assert.ok(first && second)
    // gun_up, gun_upgrade, gun_error and gun_down, a gun_error for the connection, and DOWN.
    assert.equal(gun.flush(first), 6)
    assert.equal(gun.flush(first), 0)
    assert.equal(owner.messageQueueLength, 6)
    assert.equal(gun.flush(second), 6)
  })
})
