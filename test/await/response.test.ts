// awaitResponse: a whole response in one await, or nothing of its stream is left; and what the other awaits take beside times.

import assert from 'node:assert/strict'
import { describe, mock, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { createProcess, ProcessExit } from '@holster/process'
import { switchingProtocols } from '@holster/testing/frames'
import { type Client, connect, defer, eventually, PATIENCE, rejection } from '../support/client.ts'
import { chunked } from '../support/http-ends.ts'
import { onEachLineAndDelivery, onEachVersion } from '../support/http-scene.ts'
import { type Answer, answerer, httpOrigin, type Line, NOTHING, unsized } from '../support/http-server.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { origin } from '../support/origin.ts'

// Node 20 warns at the first use, which no test has to answer for.
mock.timers.reset()
await turn()

/** Nothing of the stream is left: neither on the connection, nor in the mailbox. */
function assertGivenUp({ connPid, owner }: Client, streamRef: gun.StreamRef): void {
  assert.notEqual(gun.streamInfo(connPid, streamRef)?.state, 'running')
  assert.equal(owner.flush({ streamRef }), 0)
}

interface Halves extends AsyncDisposable {
  readonly client: Client
  /** Half of the first response waits in the mailbox: its head and two bytes. */
  readonly streamRef: gun.StreamRef
  /** Lets the server send the other half, and answer what follows with 204. */
  go(): void
}

async function halves(line: Line): Promise<Halves> {
  const going = defer<void>()
  const server = await httpOrigin(line, async peer => {
    const asked = await peer.request()
    await asked.head(200, [['content-length', '4']])
    await asked.data('ab')
    await going.promise
    await asked.data('cd', 'fin')
    for (;;) await peer.serve(NOTHING)
  })
  const client = await connect(server, line)
  const streamRef = gun.get(client.connPid, '/halves')
  await eventually(() => client.owner.messageQueueLength === 2, 'half of it has come')
  return {
    client,
    streamRef,
    go: () => going.resolve(),
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]()
      going.resolve()
      await server.close()
    },
  }
}

describe('awaitResponse', () => {
  const whole: [string, Answer, Omit<gun.FullResponse, 'headers'>][] = [
    ['without a body', { status: 204 }, { status: 204, body: Buffer.alloc(0) }],
    [
      'with a body in parts',
      { status: 404, body: ['not ', '', 'found'] },
      { status: 404, body: Buffer.from('not found') },
    ],
    [
      'with trailers, behind informational responses',
      {
        informs: [[103, [['link', 'a']]], [103]],
        status: 200,
        body: ['a', 'b'],
        trailers: [['x-last', '1']],
      },
      { status: 200, body: Buffer.from('ab'), trailers: [['x-last', '1']] },
    ],
    [
      'with trailers alone',
      { status: 200, trailers: [['x-last', '1']] },
      { status: 200, body: Buffer.alloc(0), trailers: [['x-last', '1']] },
    ],
  ]
  for (const [what, answer, expected] of whole) {
    onEachLineAndDelivery(`gives a response ${what}`, async line => {
      await using server = await answerer(line, [answer], line.delivery === 'bytes' ? 'bytes' : 'whole')
      await using client = await connect(server, line)
      const streamRef = gun.get(client.connPid, '/')
      const response = await gun.awaitResponse(client.connPid, streamRef, { timeout: PATIENCE })
      const hasContent = answer.body !== undefined || answer.trailers !== undefined
      assert.deepEqual(response, { ...expected, headers: hasContent ? unsized(line.version) : [] })
      assert.equal(client.owner.messageQueueLength, 0)
    })
  }

  onEachVersion('gives each of many its own', async line => {
    await using _left = assertNothingLeft()
    await using server = await httpOrigin(line, async peer => {
      for (;;) {
        const asked = await peer.request()
        await asked.answer({ status: 200, body: [asked.path, '!'] })
      }
    })
    await using client = await connect(server, line)
    const { connPid } = client
    const paths = Array.from({ length: 20 }, (_, i) => `/${i}`)
    const responses = await Promise.all(paths.map(path => gun.awaitResponse(connPid, gun.get(connPid, path))))
    assert.deepEqual(
      responses.map(({ body }) => String(body)),
      paths.map(path => `${path}!`),
    )
  })

  onEachVersion('gives the response to a HEAD, which has no body', async line => {
    await using _left = assertNothingLeft()
    const headers: [string, string][] = [['content-length', '3']]
    await using server = await answerer(line, [{ status: 200, fields: headers }])
    await using client = await connect(server, line)
    const head = await gun.awaitResponse(client.connPid, gun.head(client.connPid, '/'))
    assert.deepEqual(head, { status: 200, headers, body: Buffer.alloc(0) })
  })

  test('gives the response that refuses an upgrade', async () => {
    await using _left = assertNothingLeft()
    const line: Line = { version: 'http', transport: 'tcp' }
    await using server = await answerer(line, [{ status: 400, body: 'no' }])
    await using client = await connect(server, line)
    const refused = await gun.awaitResponse(client.connPid, gun.wsUpgrade(client.connPid, '/'))
    assert.deepEqual([refused.status, String(refused.body)], [400, 'no'])
  })

  onEachVersion('asks for more where flow is set, as awaitBody does', async line => {
    await using _left = assertNothingLeft()
    await using server = await httpOrigin(line, async peer => {
      for (let i = 0; i < 2; i++) {
        const asked = await peer.request()
        await asked.head(200)
        for (const part of ['a', 'b', 'c', 'd']) {
          await asked.data(part)
          await turn()
        }
        await asked.data('', 'fin')
      }
    })
    await using client = await connect(server, line, { httpOpts: { flow: 1 } })
    const { connPid } = client
    const { body: first } = await gun.awaitResponse(connPid, gun.get(connPid, '/'))
    const { body: second } = await gun.awaitBody(connPid, gun.get(connPid, '/'))
    assert.deepEqual([String(first), String(second)], ['abcd', 'abcd'])
  })

  for (const timeout of [700, undefined]) {
    const ms = timeout ?? 5000
    const how = timeout === undefined ? '5000 ms, unless told otherwise,' : `${ms} ms`
    onEachVersion(`has ${how} for all of it, and gives the stream up then`, async line => {
      await using _left = assertNothingLeft()
      await using it = await halves(line)
      const { client, streamRef } = it
      const { connPid, owner } = client
      let isOver = false
      mock.timers.enable({ apis: ['setTimeout'] })
      try {
        const refused = rejection(
          gun.awaitResponse(connPid, streamRef, timeout === undefined ? undefined : { timeout }),
        )
        refused.finally(() => {
          isOver = true
        })
        await turn()
        // By what had passed already it may be a little less.
        mock.timers.tick(ms - 500)
        await turn()
        assert.equal(isOver, false)
        mock.timers.tick(500)
        const error = await refused
        assert.deepEqual([error.kind, error.code], ['timeout', 'timeout'])
        const why = `nothing more came of its response; ${connPid} is up; its head and 2 bytes of its body had come`
        assert.equal(error.message, `the response of ${streamRef} was not complete within ${ms} ms: ${why}`)
      } finally {
        mock.timers.reset()
      }
      assertGivenUp(client, streamRef)
      it.go()
      const next = await gun.awaitResponse(connPid, gun.get(connPid, '/'), { timeout: PATIENCE })
      assert.equal(next.status, 204)
      assert.equal(owner.messageQueueLength, 0)
    })
  }

  test('ends on time however fast a response without end comes', async () => {
    await using _left = assertNothingLeft()
    const chunk = Buffer.from(chunked('x'.repeat(16_384)).repeat(8))
    await using server = await origin(async peer => {
      await peer.receiveRequest()
      await peer.send('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n')
      for (;;) await peer.send(chunk)
    })
    await using client = await connect(server, 'tcp', { retry: 0 })
    const { connPid, owner } = client
    const streamRef = gun.get(connPid, '/')
    const maxBodySize = Number.POSITIVE_INFINITY
    const error = await rejection(gun.awaitResponse(connPid, streamRef, { timeout: 50, maxBodySize }))
    assert.equal(error.kind, 'timeout')
    assert.equal(owner.flush({ streamRef }), 0)
  })

  onEachVersion('with a timeout of 0 takes what is there, if that is all of it', async line => {
    await using _left = assertNothingLeft()
    await using it = await halves(line)
    const { client, streamRef } = it
    const { connPid, owner } = client
    assert.equal((await rejection(gun.awaitResponse(connPid, streamRef, { timeout: 0 }))).kind, 'timeout')
    assertGivenUp(client, streamRef)
    it.go()
    const there = gun.get(connPid, '/')
    await eventually(() => owner.messageQueueLength === 1, 'the second has come')
    assert.equal((await gun.awaitResponse(connPid, there, { timeout: 0 })).status, 204)
  })

  onEachVersion('is given up with its signal, whose reason it rejects with', async line => {
    await using _left = assertNothingLeft()
    await using it = await halves(line)
    const { client, streamRef } = it
    const { connPid } = client
    const reason = new Error('not wanted any more')
    const controller = new AbortController()
    const awaited = gun.awaitResponse(connPid, streamRef, { signal: controller.signal })
    await turn()
    controller.abort(reason)
    await assert.rejects(awaited, error => error === reason)
    assertGivenUp(client, streamRef)
    const never = gun.get(connPid, '/never')
    const { signal } = controller
    await assert.rejects(gun.awaitResponse(connPid, never, { signal }), error => error === reason)
    assertGivenUp(client, never)
  })

  onEachVersion('of which nothing was sent is never sent once it was given up', async line => {
    await using _left = assertNothingLeft()
    const paths: string[] = []
    await using server = await httpOrigin(line, async (peer, index) => {
      if (index === 0) {
        await peer.request()
        return peer.reset()
      }
      for (;;) paths.push((await peer.serve(NOTHING)).path)
    })
    await using client = await connect(server, line, { retryFun: () => ({ retries: 1, timeout: 0 }) })
    const { connPid, owner } = client
    gun.get(connPid, '/first')
    await owner.receive([{ type: 'gun_down' }], PATIENCE)
    const error = await rejection(gun.awaitResponse(connPid, gun.get(connPid, '/early'), { timeout: 0 }))
    assert.equal(error.kind, 'timeout')
    assert.match(error.message, /nothing of it was sent, since it waits for the connection; /)
    assert.equal((await gun.awaitResponse(connPid, gun.get(connPid, '/late'))).status, 204)
    assert.deepEqual(paths, ['/late'])
  })

  onEachVersion('refuses a body of one byte more than maxBodySize, and gives the stream up', async line => {
    await using _left = assertNothingLeft()
    const answers = [5, 4, 4].map(size => ({ status: 200, body: ['ab', 'x'.repeat(size - 2)] }))
    await using server = await answerer(line, answers)
    await using client = await connect(server, line)
    const { connPid, owner } = client
    const streamRef = gun.get(connPid, '/')
    const error = await rejection(gun.awaitResponse(connPid, streamRef, { maxBodySize: 4 }))
    assert.deepEqual([error.kind, error.code], ['stream_error', 'limit_reached'])
    assert.match(error.message, new RegExp(`${streamRef} has more than the 4 bytes of maxBodySize`))
    assertGivenUp(client, streamRef)
    const { body } = await gun.awaitResponse(connPid, gun.get(connPid, '/'), { maxBodySize: 4 })
    assert.equal(String(body), 'abxx')
    const none = await rejection(gun.awaitResponse(connPid, gun.get(connPid, '/'), { maxBodySize: 0 }))
    assert.equal(none.code, 'limit_reached')
    assert.equal(owner.messageQueueLength, 0)
  })

  onEachVersion('rejects with the error of its stream, and leaves nothing of it', async line => {
    await using _left = assertNothingLeft()
    await using server = await httpOrigin(line, async peer => {
      const asked = await peer.request()
      await asked.head(200, [['content-length', '4']])
      await asked.data('ab')
      await peer.settled(client.connPid)
      peer.end()
    })
    await using client = await connect(server, line, { retry: 0 })
    const { connPid, owner } = client
    const streamRef = gun.get(connPid, '/')
    const error = await rejection(gun.awaitResponse(connPid, streamRef))
    assert.deepEqual([error.kind, error.code], ['connection_error', 'closed'])
    assert.equal(owner.flush({ streamRef }), 0)
    const late = await rejection(gun.awaitResponse(connPid, gun.get(connPid, '/')))
    assert.equal(late.kind, 'connection_error')
  })

  onEachVersion('gives the stream up when a part of the request was refused', async line => {
    await using _left = assertNothingLeft()
    await using server = await httpOrigin(line, async peer => {
      await peer.request()
      await peer.closed
    })
    await using client = await connect(server, line, { retry: 0 })
    const { connPid, owner } = client
    const streamRef = gun.post(connPid, '/', { 'content-length': 1 })
    assert.equal(gun.data(connPid, streamRef, 'nofin', 'too long'), false)
    const error = await rejection(gun.awaitResponse(connPid, streamRef))
    assert.equal(error.code, 'badstate')
    assert.equal(owner.flush({ streamRef }), 0)
  })

  test('of a stream that became a WebSocket says so, and the WebSocket stays', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(async peer => {
      await peer.send(switchingProtocols(await peer.receiveRequest()))
      await peer.closed
    })
    await using client = await connect(server)
    const { connPid } = client
    const streamRef = gun.wsUpgrade(connPid, '/')
    const error = await rejection(gun.awaitResponse(connPid, streamRef))
    assert.deepEqual([error.kind, error.code], ['badstate', 'badstate'])
    assert.match(error.message, /is a WebSocket now/)
    assert.equal(gun.streamInfo(connPid, streamRef)?.state, 'running')
  })

  onEachVersion(
    'of a response whose head was read already says so at once, and gives the stream up',
    async line => {
      await using _left = assertNothingLeft()
      await using it = await halves(line)
      const { client, streamRef } = it
      await gun.await(client.connPid, streamRef, PATIENCE)
      // The other half has not come yet.
      const error = await rejection(gun.awaitResponse(client.connPid, streamRef, { timeout: PATIENCE }))
      assert.equal(error.code, 'badstate')
      assert.match(
        error.message,
        /^the head of the response of #Stream<\d+> was read already: .* given up, .* lost/,
      )
      assertGivenUp(client, streamRef)
    },
  )

  onEachVersion('rejects when its process exits, and the stream is given up', async line => {
    await using _left = assertNothingLeft()
    await using warnings = collectWarnings()
    await using it = await halves(line)
    const { connPid } = it.client
    const other = createProcess<gun.GunMessage>()
    const streamRef = gun.get(connPid, '/', {}, { replyTo: other })
    const awaited = gun.awaitResponse(connPid, streamRef)
    void gun.awaitResponse(connPid, streamRef)
    await turn()
    other.exit()
    await assert.rejects(awaited, ProcessExit)
    assert.notEqual(gun.streamInfo(connPid, streamRef)?.state, 'running')
    await warnings.assertNone()
  })

  onEachVersion("takes a monitor of the caller's, which stays", async line => {
    await using _left = assertNothingLeft()
    await using server = await answerer(line, [])
    await using client = await connect(server, line)
    const { connPid, owner } = client
    const monitorRef = owner.monitor(connPid)
    assert.equal((await gun.awaitResponse(connPid, gun.get(connPid, '/'), { monitorRef })).status, 204)
    const streamRef = gun.get(connPid, '/')
    gun.close(connPid)
    gun.flush(streamRef)
    const error = await rejection(gun.awaitResponse(connPid, streamRef, { monitorRef }))
    assert.deepEqual([error.kind, error.cause], ['down', 'shutdown'])
    assert.equal(owner.messageQueueLength, 0)
  })
})

describe('the other awaits take options, too:', () => {
  onEachVersion('a signal, which ends them with its reason, and nothing is taken', async line => {
    await using _left = assertNothingLeft()
    await using it = await halves(line)
    const { client, streamRef } = it
    const { connPid, owner } = client
    for (let i = 0; i < 2; i++) await gun.await(connPid, streamRef, { timeout: PATIENCE })
    const waits = [
      (signal: AbortSignal) => gun.await(connPid, streamRef, { signal }),
      (signal: AbortSignal) => gun.awaitBody(connPid, streamRef, { signal }),
      (signal: AbortSignal) => gun.awaitUp(connPid, { signal }),
    ]
    const reason = new Error('enough')
    for (const wait of waits) {
      const controller = new AbortController()
      const awaited = wait(controller.signal)
      await turn()
      controller.abort(reason)
      await assert.rejects(awaited, error => error === reason)
      await assert.rejects(wait(AbortSignal.abort(reason)), error => error === reason)
    }
    it.go()
    await eventually(() => owner.messageQueueLength > 0, 'a message waits')
    for (const wait of waits) {
      await assert.rejects(wait(AbortSignal.abort(reason)), error => error === reason)
    }
    assert.equal((await gun.await(connPid, streamRef, { timeout: PATIENCE })).type, 'gun_data')
    await eventually(() => gun.streamInfo(connPid, streamRef) === undefined, 'it has ended')
    owner.flush({ streamRef })
    assert.equal(owner.messageQueueLength, 0)
  })

  test('and many may wait with one signal, without a warning', async () => {
    await using _left = assertNothingLeft()
    await using warnings = collectWarnings()
    await using server = await origin(peer => peer.closed)
    await using client = await connect(server)
    const { connPid } = client
    const controller = new AbortController()
    const { signal } = controller
    const waiting = Array.from({ length: 20 }, () => [
      gun.awaitResponse(connPid, gun.get(connPid, '/'), { signal }),
      gun.await(connPid, gun.get(connPid, '/'), { signal }),
    ]).flat()
    await turn()
    controller.abort(new Error('enough'))
    for (const outcome of await Promise.allSettled(waiting)) assert.equal(outcome.status, 'rejected')
    await warnings.assertNone()
  })

  onEachVersion('awaitBody a maxBodySize, at which it gives the stream up', async line => {
    await using _left = assertNothingLeft()
    await using server = await answerer(line, [
      { status: 200, body: ['ab', 'cde'] },
      { status: 200, body: ['ab', 'cd'] },
    ])
    await using client = await connect(server, line)
    const { connPid } = client
    const streamRef = gun.get(connPid, '/')
    const error = await rejection(gun.awaitBody(connPid, streamRef, { maxBodySize: 4 }))
    assert.deepEqual([error.kind, error.code], ['stream_error', 'limit_reached'])
    assertGivenUp(client, streamRef)
    const next = gun.get(connPid, '/')
    const { body } = await gun.awaitBody(connPid, next, { timeout: PATIENCE, maxBodySize: 4 })
    assert.equal(String(body), 'abcd')
  })

  test("a monitor of the caller's", async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(peer => peer.closed)
    await using client = await connect(server)
    const { connPid, owner } = client
    const monitorRef = owner.monitor(connPid)
    const streamRef = gun.get(connPid, '/')
    gun.close(connPid)
    owner.flush({ type: 'gun_error' })
    const error = await rejection(gun.await(connPid, streamRef, { monitorRef }))
    assert.deepEqual([error.kind, error.cause], ['down', 'shutdown'])
  })

  test('which are known, make sense, and are given once', async () => {
    await using _left = assertNothingLeft()
    await using server = await origin(peer => peer.closed)
    await using client = await connect(server)
    const { connPid, owner } = client
    const streamRef = gun.get(connPid, '/')
    const wrong: [unknown, string][] = [
      [{ after: 5 }, 'after'],
      [{ timeout: -1 }, 'timeout'],
      [{ timeout: '5' }, 'timeout'],
      [{ monitorRef: {} }, 'monitorRef'],
      [{ signal: {} }, 'signal'],
    ]
    for (const [opts, name] of wrong) {
      const isBadOption = (error: unknown) => {
        assert.ok(error instanceof gun.GunError && error.code === 'bad_option')
        assert.ok(error.message.startsWith(`awaitOpts.${name} `), error.message)
        return true
      }
      assert.throws(() => gun.await(connPid, streamRef, opts as gun.AwaitOpts), isBadOption)
      assert.throws(() => gun.awaitBody(connPid, streamRef, opts as gun.AwaitBodyOpts), isBadOption)
      assert.throws(() => gun.awaitResponse(connPid, streamRef, opts as gun.AwaitBodyOpts), isBadOption)
      assert.throws(() => gun.awaitUp(connPid, opts as gun.AwaitOpts), isBadOption)
    }
    for (const maxBodySize of [-1, 1.5, '5', Number.NaN]) {
      const opts = { maxBodySize } as gun.AwaitBodyOpts
      assert.throws(() => gun.awaitResponse(connPid, streamRef, opts), /awaitOpts\.maxBodySize/)
      assert.throws(() => gun.await(connPid, streamRef, opts), /awaitOpts\.maxBodySize/)
    }
    for (const timeout of [-1, Number.NaN, 2 ** 31]) {
      const error = { name: 'RangeError', message: /^timeout must be/ }
      assert.throws(() => gun.await(connPid, streamRef, timeout), error)
    }
    for (const timeout of ['5', null, true] as unknown[] as number[]) {
      assert.throws(() => gun.awaitUp(connPid, timeout), /^(TypeError: timeout|GunError: awaitOpts) must be/)
      assert.throws(
        () => gun.awaitResponse(connPid, streamRef, timeout as never),
        /^(TypeError: timeout|GunError: awaitOpts) must be/,
      )
    }
    const monitorRef = owner.monitor(connPid)
    assert.throws(() => gun.await(connPid, streamRef, { timeout: 1 }, monitorRef), {
      name: 'TypeError',
      message: /^monitorRef must be given within awaitOpts/,
    })
  })
})
