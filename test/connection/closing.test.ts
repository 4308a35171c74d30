// Orderly ends: who says close first, how long the other may take, and what happens when it takes longer.

import assert from 'node:assert/strict'
import { describe, mock, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { createProcess, type Down, type Exit, P, type Process } from '@holster/process'
import { certificates, type Peer } from '@holster/testing'
import { closePayload, frame, opcodes, receiveFrame, switchingProtocols } from '@holster/testing/frames'
import { mockTimeouts } from '../support/clock.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { origin } from '../support/origin.ts'
import { streamEnds } from '../support/stream-ends.ts'

// Node 20 warns at the first use, which no test has to answer for.
mock.timers.reset()
await turn()

const transports = ['tcp', 'tls'] as const

interface Scene extends AsyncDisposable {
  readonly self: Process<gun.GunMessage>
  readonly connPid: gun.ConnPid
  readonly peer: Peer
  /** In words, what the owner gets until the connection has ended. */
  story(): Promise<string[]>
}

/** A connection that is up, its owner, and the server's side of it. */
async function scene(transport: (typeof transports)[number], opts: gun.Opts = {}): Promise<Scene> {
  const peers = createProcess<{ type: 'peer'; peer: Peer }>()
  const server = await origin(peer => peers.send({ type: 'peer', peer }), { transport })
  const self = createProcess<gun.GunMessage>()
  const connPid = gun.open('localhost', server.port, {
    owner: self,
    transport,
    tlsOpts: { ca: certificates.ca },
    ...opts,
  })
  self.monitor(connPid)
  await self.receive([{ type: 'gun_up' }])
  const { peer } = await peers.receive([{ type: 'peer' }])
  return {
    self,
    connPid,
    peer,
    async story() {
      const told: string[] = []
      while (!told.at(-1)?.startsWith('DOWN')) told.push(tell(await self.receive([P._])))
      return told
    },
    async [Symbol.asyncDispose]() {
      gun.close(connPid)
      await connPid[Symbol.asyncDispose]()
      self.exit()
      await server.close()
    },
  }
}

interface Upgraded extends Scene {
  readonly streamRef: gun.StreamRef
}

async function websocket(
  transport: (typeof transports)[number],
  wsOpts: gun.WsOpts = {},
  opts: gun.Opts = {},
): Promise<Upgraded> {
  const it = await scene(transport, opts)
  const streamRef = gun.wsUpgrade(it.connPid, '/', {}, wsOpts)
  await it.peer.send(switchingProtocols(await it.peer.receiveRequest()))
  await it.self.receive([{ type: 'gun_upgrade' }])
  return { ...it, streamRef }
}

function tell(message: gun.GunMessage | Down | Exit): string {
  switch (message.type) {
    case 'gun_ws':
      return `ws ${message.frame}`
    case 'gun_response':
      return `response ${message.status} ${message.isFin}`
    case 'gun_data':
      return `data ${message.isFin} ${message.data}`
    case 'gun_error':
      return `error of the ${message.streamRef === undefined ? 'connection' : 'stream'}: ${codeOf(message.reason)}`
    case 'gun_down':
      return `down ${message.protocol}: ${codeOf(message.reason)}, killed ${message.killedStreams.length}`
    case 'DOWN':
      return `DOWN: ${codeOf(message.reason)}`
    default:
      return message.type
  }
}

function codeOf(reason: unknown): string {
  if (Array.isArray(reason)) return reason.map(codeOf).join(' ')
  return reason instanceof gun.GunError ? reason.code : String(reason)
}

/** Lets `ms` pass up to the last millisecond, in which the connection ends. */
async function passes(tick: (ms: number) => Promise<void>, { connPid }: Scene, ms: number): Promise<void> {
  await tick(ms - 1)
  assert.equal(gun.info(connPid).stateName, 'closing')
  await tick(1)
  assert.notEqual(gun.info(connPid).stateName, 'closing')
}

const closeFrame = (code?: number, reason = ''): Buffer =>
  frame({ opcode: opcodes.close, payload: code === undefined ? '' : closePayload(code, reason) })

for (const transport of transports) {
  describe(`a WebSocket over ${transport}`, () => {
    test('that we close ends normally once the server has answered and closed', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await websocket(transport)
      gun.wsSend(it.connPid, it.streamRef, ['close', 4000, 'enough'])
      const sent = await receiveFrame(it.peer)
      assert.deepEqual([sent.opcode, sent.payload], [opcodes.close, closePayload(4000, 'enough')])
      it.peer.end(closeFrame(4000))
      assert.deepEqual(await it.story(), ['ws close,4000,', 'down ws: normal, killed 0', 'DOWN: normal'])
    })

    for (const [what, ms, wsOpts] of [
      ['15 seconds', 15_000, {}],
      ['closingTimeout', 700, { closingTimeout: 700 }],
    ] as const) {
      test(`that we close is killed when the server has not answered after ${what}`, async t => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await websocket(transport, wsOpts)
        const tick = mockTimeouts(t)
        gun.wsSend(it.connPid, it.streamRef, 'close')
        await passes(tick, it, ms)
        assert.deepEqual(await it.story(), [
          'error of the stream: closing_timeout',
          'down ws: closing_timeout, killed 1',
          'DOWN: shutdown closing_timeout',
        ])
        t.mock.timers.reset()
        await it.peer.closed
      })

      test(`ends normally when the server has answered but not closed after ${what}`, async t => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await websocket(transport, wsOpts)
        const tick = mockTimeouts(t)
        gun.wsSend(it.connPid, it.streamRef, 'close')
        await it.peer.send(closeFrame())
        await it.self.receive([{ type: 'gun_ws' }])
        await passes(tick, it, ms)
        assert.deepEqual(await it.story(), ['down ws: normal, killed 0', 'DOWN: normal'])
        t.mock.timers.reset()
        await it.peer.closed
      })
    }

    test('that may take for ever to close waits for ever', async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await websocket(transport, { closingTimeout: Number.POSITIVE_INFINITY })
      const tick = mockTimeouts(t)
      gun.wsSend(it.connPid, it.streamRef, 'close')
      await tick(2 ** 31 - 1)
      await tick(2 ** 31 - 1)
      assert.equal(gun.info(it.connPid).stateName, 'closing')
      it.peer.end(closeFrame())
      assert.deepEqual(await it.story(), ['ws close', 'down ws: normal, killed 0', 'DOWN: normal'])
    })

    test('that is closed by a server which then resets has been closed all the same', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await websocket(transport)
      gun.wsSend(it.connPid, it.streamRef, 'close')
      await receiveFrame(it.peer)
      await it.peer.send(closeFrame())
      await it.self.receive([{ type: 'gun_ws' }])
      it.peer.reset()
      assert.deepEqual(await it.story(), ['down ws: normal, killed 0', 'DOWN: normal'])
    })

    test('that we close and the server only hangs up on was killed', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await websocket(transport)
      gun.wsSend(it.connPid, it.streamRef, 'close')
      await receiveFrame(it.peer)
      it.peer.end()
      assert.deepEqual(await it.story(), [
        'error of the stream: closed',
        'down ws: closed, killed 1',
        'DOWN: shutdown closed',
      ])
    })

    for (const [what, bytes, delivered, answer] of [
      ['without a code', closeFrame(), 'ws close', ''],
      ['with a code', closeFrame(1001), 'ws close,1001,', closePayload(1001)],
      ['with a code and a reason', closeFrame(3000, 'ciao'), 'ws close,3000,ciao', closePayload(3000)],
    ] as const) {
      test(`that the server closes ${what} is answered, and ends normally`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await websocket(transport, {}, { retry: 0 })
        await it.peer.send(bytes)
        const sent = await receiveFrame(it.peer)
        assert.deepEqual([sent.opcode, sent.payload], [opcodes.close, Buffer.from(answer)])
        it.peer.end()
        assert.deepEqual(await it.story(), [delivered, 'down ws: normal, killed 0', 'DOWN: normal'])
      })
    }

    test('that the server closes is made again, unlike one that we close', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await websocket(transport)
      await it.peer.send(closeFrame(1001))
      await receiveFrame(it.peer)
      it.peer.end()
      await it.self.receive([{ type: 'gun_down', reason: 'normal' }])
      await it.self.receive([{ type: 'gun_up' }])
    })

    test('that the server closes ends in time although the server never hangs up', async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await websocket(transport, {}, { retry: 0 })
      const tick = mockTimeouts(t)
      await it.peer.send(closeFrame(1000))
      await it.self.receive([{ type: 'gun_ws' }])
      await passes(tick, it, 15_000)
      assert.deepEqual(await it.story(), ['down ws: normal, killed 0', 'DOWN: normal'])
      t.mock.timers.reset()
      await it.peer.closed
    })

    test('that both close at once sends one close frame', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await websocket(transport)
      const crossed = it.peer.send(closeFrame(1000, 'me too'))
      gun.wsSend(it.connPid, it.streamRef, ['close', 1000, 'me'])
      await crossed
      const sent = await receiveFrame(it.peer)
      assert.deepEqual(sent.payload, closePayload(1000, 'me'))
      it.peer.end()
      assert.deepEqual(await it.story(), [
        'ws close,1000,me too',
        'down ws: normal, killed 0',
        'DOWN: normal',
      ])
      assert.equal((await it.peer.receiveAll()).length, 0)
    })

    test('delivers what the server sends before it answers our close', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await websocket(transport)
      gun.wsSend(it.connPid, it.streamRef, 'close')
      await receiveFrame(it.peer)
      it.peer.end(Buffer.concat([frame({ opcode: opcodes.text, payload: 'wait' }), closeFrame()]))
      assert.deepEqual(await it.story(), [
        'ws text,wait',
        'ws close',
        'down ws: normal, killed 0',
        'DOWN: normal',
      ])
    })

    test('takes no frame after a close frame, and says which', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await websocket(transport)
      gun.wsSend(it.connPid, it.streamRef, [['text', 'a'], 'close', ['text', 'b'], 'ping'])
      const { reason } = await it.self.receive([{ type: 'gun_error', streamRef: it.streamRef }])
      assert.equal(reason.code, 'badstate')
      assert.deepEqual(reason.frames, [['text', 'b'], 'ping'])
      assert.equal((await receiveFrame(it.peer)).opcode, opcodes.text)
      assert.equal((await receiveFrame(it.peer)).opcode, opcodes.close)
    })

    test('sends all that was given to it before the close frame', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await websocket(transport)
      const payload = Buffer.alloc(4 * 1024 * 1024, 'a')
      gun.wsSend(it.connPid, it.streamRef, [['binary', payload], 'close'])
      assert.ok((await receiveFrame(it.peer)).payload.equals(payload))
      assert.equal((await receiveFrame(it.peer)).opcode, opcodes.close)
      it.peer.end(closeFrame())
      assert.equal((await it.story()).at(-1), 'DOWN: normal')
    })

    test('is closed with 1001 by shutdown, which ends it', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await websocket(transport)
      gun.shutdown(it.connPid)
      assert.deepEqual((await receiveFrame(it.peer)).payload, closePayload(1001))
      it.peer.end(closeFrame(1001))
      assert.deepEqual(await it.story(), ['ws close,1001,', 'DOWN: shutdown'])
    })

    test('is closed with 1001 when its owner exits', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await websocket(transport)
      await using other = createProcess<gun.GunMessage>()
      const ref = other.monitor(it.connPid)
      it.self.exit()
      assert.deepEqual((await receiveFrame(it.peer)).payload, closePayload(1001))
      it.peer.end(closeFrame(1001))
      assert.equal((await other.receive([{ type: 'DOWN', ref }])).reason, 'normal')
    })

    test('that shutdown may not wait for still says close', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await websocket(transport, { closingTimeout: 0 })
      gun.shutdown(it.connPid)
      assert.equal((await it.story()).at(-1), 'DOWN: shutdown')
      assert.deepEqual((await receiveFrame(it.peer)).payload, closePayload(1001))
    })

    test('that does not answer a shutdown is killed after closingTimeout', async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await websocket(transport, { closingTimeout: 700 })
      const tick = mockTimeouts(t)
      gun.shutdown(it.connPid)
      await passes(tick, it, 700)
      assert.deepEqual(await it.story(), ['error of the stream: closing_timeout', 'DOWN: shutdown'])
    })
  })

  describe(`shutdown of HTTP over ${transport}`, () => {
    test('lets every request that was sent finish', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await scene(transport)
      for (const path of ['/1', '/2', '/3']) gun.get(it.connPid, path)
      for (let i = 0; i < 3; i++) await it.peer.receiveRequest()
      gun.shutdown(it.connPid)
      for (const body of ['a', 'b', 'c']) {
        await it.peer.send(`HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n${body}`)
        await it.self.receive([{ type: 'gun_data', data: P.when(data => String(data) === body) }])
        it.self.flush({ type: 'gun_response' })
      }
      assert.deepEqual(await it.story(), ['DOWN: shutdown'])
      await it.peer.closed
    })

    for (const [what, ms, httpOpts] of [
      ['15 seconds', 15_000, {}],
      ['closingTimeout', 700, { closingTimeout: 700 }],
    ] as const) {
      test(`cuts what is not finished after ${what}`, async t => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await scene(transport, { httpOpts })
        gun.get(it.connPid, '/1')
        gun.get(it.connPid, '/2')
        await it.peer.receiveRequest()
        await it.peer.send('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello')
        await it.self.receive([{ type: 'gun_data' }])
        const tick = mockTimeouts(t)
        gun.shutdown(it.connPid)
        await passes(tick, it, ms)
        assert.deepEqual(await it.story(), [
          'response 200 nofin',
          'error of the stream: closing_timeout',
          'error of the stream: closing_timeout',
          'DOWN: shutdown',
        ])
        t.mock.timers.reset()
        await it.peer.closed
      })

      test(`cuts a body that lasts until the end after ${what}`, async t => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        const tick = mockTimeouts(t)
        await using it = await scene(transport, { httpOpts })
        gun.get(it.connPid, '/1')
        await it.peer.receiveRequest()
        await it.peer.send('HTTP/1.1 200 OK\r\n\r\nhello')
        await it.self.receive([{ type: 'gun_data' }])
        await tick(1_000_000)
        assert.equal(gun.info(it.connPid).stateName, 'connected')
        gun.shutdown(it.connPid)
        await passes(tick, it, ms)
        assert.deepEqual(await it.story(), [
          'response 200 nofin',
          'error of the stream: closing_timeout',
          'DOWN: shutdown',
        ])
      })
    }

    test('lets a body finish that lasts until the end', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await scene(transport)
      gun.get(it.connPid, '/1')
      await it.peer.receiveRequest()
      await it.peer.send('HTTP/1.1 200 OK\r\n\r\nhello')
      await it.self.receive([{ type: 'gun_data' }])
      gun.shutdown(it.connPid)
      it.peer.end()
      const told = await it.story()
      assert.deepEqual(told, ['response 200 nofin', 'data fin ', 'DOWN: shutdown'])
    })

    test('refuses a request that could not be sent yet', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await scene(transport)
      gun.get(it.connPid, '/1')
      // An upgrade waits for the responses before it.
      const upgrade = gun.wsUpgrade(it.connPid, '/2')
      await it.peer.receiveRequest()
      gun.shutdown(it.connPid)
      const { reason } = await it.self.receive([{ type: 'gun_error', streamRef: upgrade }])
      assert.equal(reason.code, 'closing')
      await it.peer.send('HTTP/1.1 204 No Content\r\n\r\n')
      assert.deepEqual(await it.story(), ['response 204 fin', 'DOWN: shutdown'])
    })

    test('refuses what a function asks for within the last response, and says so before DOWN', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await scene(transport)
      const told: string[] = []
      const replyTo = streamEnds.watch(message => {
        told.push(tell(message))
        if (message.type !== 'gun_response') return
        streamEnds.began(it.connPid, gun.get(it.connPid, '/2', {}, { replyTo }))
      })
      gun.get(it.connPid, '/1', {}, { replyTo })
      await it.peer.receiveRequest()
      gun.shutdown(it.connPid)
      await it.peer.send('HTTP/1.1 204 No Content\r\n\r\n')
      assert.deepEqual(await it.story(), ['DOWN: shutdown'])
      assert.deepEqual(told, ['response 204 fin', 'error of the stream: closing'])
      streamEnds.assert()
    })

    test('during an upgrade closes the WebSocket that comes of it', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await scene(transport)
      gun.wsUpgrade(it.connPid, '/')
      const request = await it.peer.receiveRequest()
      gun.shutdown(it.connPid)
      await it.peer.send(switchingProtocols(request))
      assert.deepEqual((await receiveFrame(it.peer)).payload, closePayload(1001))
      it.peer.end(closeFrame(1001))
      assert.deepEqual(await it.story(), ['gun_upgrade', 'ws close,1001,', 'DOWN: shutdown'])
    })

    test('is waited for by await using', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await scene(transport)
      const streamRef = gun.get(it.connPid, '/')
      await it.peer.receiveRequest()
      const disposed = it.connPid[Symbol.asyncDispose]().then(() => 'disposed')
      await it.peer.send('HTTP/1.1 204 No Content\r\n\r\n')
      await gun.await(it.connPid, streamRef)
      assert.equal(await disposed, 'disposed')
      assert.deepEqual(await it.story(), ['DOWN: shutdown'])
    })
  })
}
