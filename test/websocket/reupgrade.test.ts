// reupgrade: a WebSocket that is lost comes back on the next connection, as the same stream.

import assert from 'node:assert/strict'
import { describe, mock, type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import type { Peer, RequestHead } from '@holster/testing'
import { opcodes, receiveFrame, switchingProtocols } from '@holster/testing/frames'
import { NO_CONTENT } from '../support/client.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { close, isH2, type Scene, text, upgraded, wires } from '../support/websocket-scene.ts'

// Node 20 warns at the first use, which no test has to answer for.
mock.timers.reset()
await turn()

function mockTimeouts(t: TestContext): (ms: number) => void {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  return ms => t.mock.timers.tick(ms)
}

const wsOpts = { reupgrade: true } as const

/** The server ends the connection that it has this side of. */
const hangUp = (it: Scene, peer: Peer): void => (it.isH2 ? it.lose() : peer.end())

/** The server's side of the next connection, or stream, and the first request on it. */
async function nextRequest(it: Scene): Promise<{ peer: Peer; request: RequestHead }> {
  const peer = await it.next()
  return { peer, request: await peer.receiveRequest() }
}

/** The next request on a connection on which another was answered. */
async function requestAfter(it: Scene, peer: Peer): Promise<{ peer: Peer; request: RequestHead }> {
  return it.isH2 ? nextRequest(it) : { peer, request: await peer.receiveRequest() }
}

/** Lets the server agree to the upgrade that comes first on the next connection. */
async function comesBack(it: Scene): Promise<Peer> {
  const { peer, request } = await nextRequest(it)
  await peer.send(switchingProtocols(request))
  assert.deepEqual(await it.heard(1), ['upgrade'])
  return peer
}

async function assertBothWays(it: Scene, peer: Peer): Promise<void> {
  await peer.send(text('down'))
  assert.deepEqual(await it.heard(1), ['ws text,down'])
  gun.wsSend(it.connPid, it.streamRef, ['text', 'up'])
  assert.equal(String((await receiveFrame(peer)).payload), 'up')
}

/** Shows that nothing is asked for by itself on the connection that is up. */
async function assertPlain(it: Scene): Promise<void> {
  const streamRef = gun.get(it.connPid, '/plain')
  const { peer, request } = await nextRequest(it)
  assert.equal(request.path, '/plain')
  await peer.send(NO_CONTENT)
  await it.self.receive([{ type: 'gun_response', streamRef }])
}

type Loss = readonly [what: string, lose: (peer: Peer, it: Scene) => unknown, told: RegExp]

const losses: readonly Loss[] = [
  // OpenSSL may get to say goodbye before the reset.
  ['a reset', peer => peer.reset(), /^down ws: (socket_error|closed), killed 0;up$/],
  ['a FIN', (peer, it) => hangUp(it, peer), /^down (ws|http2): closed, killed 0;up$/],
  [
    'a close frame',
    async peer => {
      await peer.send(close(1012, 'restart'))
      assert.equal((await receiveFrame(peer)).opcode, opcodes.close)
      peer.end()
    },
    /^ws close,1012,restart;down ws: normal, killed 0;up$/,
  ],
  ['a frame that is wrong', peer => peer.send(Buffer.of(0x83, 0)), /^down ws: badframe, killed 0;up$/],
]

for (const wire of wires) {
  /** What the connection speaks before the upgrade, and with it. */
  const [http, ws] = isH2(wire) ? ['http2', 'http2'] : ['http', 'ws']

  describe(`a WebSocket over ${wire} that is to come back`, () => {
    for (const [what, lose, expected] of losses) {
      // A stream that ends alone leaves its connection, so it does not come back.
      if (isH2(wire) && what !== 'a FIN') continue
      test(`does so after ${what}, as the same stream, as often as it is lost`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await upgraded(wire, { wsOpts })
        let { peer } = it
        for (let n = 0; n < 3; n++) {
          await assertBothWays(it, peer)
          await lose(peer, it)
          const told = await it.heard(what === 'a close frame' ? 3 : 2)
          assert.match(told.join(';'), expected)
          peer = await comesBack(it)
        }
        await assertBothWays(it, peer)
        assert.equal(it.self.messageQueueLength, 0)
        assert.equal(it.server.connections, 4)
      })
    }

    test('asks for the same again, with a fresh key', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const chosen = [
        ['sec-websocket-protocol', 'xmpp'],
        ['sec-websocket-extensions', 'permessage-deflate'],
      ] as const
      const handled: unknown[] = []
      const handler: gun.WsHandler<unknown, never> = {
        init: (_replyTo, streamRef) => handled.push(streamRef),
        handle: () => 0,
      }
      await using it = await upgraded(wire, {
        path: '/chat?room=1',
        headers: [
          ['authorization', 'Bearer 1'],
          ['cookie', 'a=1'],
          ['cookie', 'b=2'],
        ],
        wsOpts: { ...wsOpts, compress: { threshold: 0 }, protocols: [['xmpp', handler]] },
        answer: chosen,
      })
      it.lose()
      await it.heard(2)
      const { peer, request } = await nextRequest(it)
      const key = it.request.header('sec-websocket-key') ?? ''
      const freshKey = request.header('sec-websocket-key') ?? ''
      assert.notEqual(freshKey, key)
      assert.equal(request.head, it.request.head.replace(key, freshKey))
      await peer.send(switchingProtocols(request, chosen))
      assert.deepEqual(await it.heard(1), ['upgrade'])
      assert.deepEqual(handled, [it.streamRef, it.streamRef])
      // The extensions of this answer hold from now on.
      const compresses = async (to: Peer): Promise<boolean> => {
        gun.wsSend(it.connPid, it.streamRef, ['text', 'a'.repeat(100)])
        return (await receiveFrame(to)).rsv1
      }
      assert.equal(await compresses(peer), true)
      // Else the next connection would be waited for.
      await peer.send(text('welcome'))
      hangUp(it, peer)
      await it.heard(2)
      const third = await comesBack(it)
      assert.equal(await compresses(third), false)
    })

    test('never sends again what was sent before or between', async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const tick = mockTimeouts(t)
      await using it = await upgraded(wire, { wsOpts })
      const refused = async (words: string): Promise<void> => {
        gun.wsSend(it.connPid, it.streamRef, [['text', words], 'ping'])
        const { reason } = await it.self.receive([{ type: 'gun_error', streamRef: it.streamRef }])
        assert.deepEqual([reason.code, reason.frames], ['badstate', [['text', words], 'ping']])
      }
      it.lose()
      await it.heard(1)
      gun.wsSend(it.connPid, it.streamRef, ['text', 'lost'])
      assert.deepEqual(await it.heard(1), ['error of the stream: badstate'])
      await refused('while there is no connection')
      tick(0)
      assert.deepEqual(await it.heard(1), ['up'])
      await refused('while the upgrade is asked for')
      const peer = await comesBack(it)
      await assertBothWays(it, peer)
    })

    for (const [what, answer, told] of [
      ['404', 'HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n', ['response 404 fin']],
      [
        '404 with a body',
        'HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\ngone',
        ['response 404 nofin', 'data fin gone'],
      ],
      ['401', 'HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n', ['response 401 fin']],
    ] as const) {
      test(`is refused with a ${what}, which is told and ends it; requests may go on`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await upgraded(wire, { wsOpts })
        it.lose()
        await it.heard(2)
        const { peer } = await nextRequest(it)
        await peer.send(answer)
        assert.deepEqual(await it.heard(told.length), told)
        const streamRef = gun.get(it.connPid, '/after')
        const after = await requestAfter(it, peer)
        assert.equal(after.request.path, '/after')
        await after.peer.send(NO_CONTENT)
        await it.self.receive([{ type: 'gun_response', streamRef }])
        hangUp(it, peer)
        assert.deepEqual(await it.heard(2), [`down ${http}: closed, killed 0`, 'up'])
        await assertPlain(it)
      })
    }

    for (const [what, answer, told] of [
      [
        'a 404 that says connection: close',
        () => 'HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n',
        ['response 404 fin', 'down http: normal, killed 0'],
      ],
      [
        'a 404 whose body is torn off',
        () => 'HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\ngo',
        ['response 404 nofin', 'data nofin go', 'error of the stream: closed', 'down http: closed, killed 1'],
      ],
      [
        'a 101 that is none',
        () => 'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n',
        ['error of the stream: bad_upgrade', 'down http: bad_upgrade, killed 1'],
      ],
      [
        'a 101 with a subprotocol that was not asked for',
        (request: RequestHead) => switchingProtocols(request, [['sec-websocket-protocol', 'xmpp']]),
        ['error of the stream: bad_upgrade', 'down http: bad_upgrade, killed 1'],
      ],
    ] as const) {
      // An answer that is wrong, or the last one, ends no more than its stream.
      if (isH2(wire)) continue
      test(`is refused with ${what}, and is not asked for on the next connection`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await upgraded(wire, { wsOpts })
        it.lose()
        await it.heard(2)
        const { peer, request } = await nextRequest(it)
        peer.end(answer(request))
        assert.deepEqual(await it.heard(told.length + 1), [...told, 'up'])
        await assertPlain(it)
      })
    }

    for (const [what, leave, code] of [
      ['hangs up instead of answering', hangUp, 'closed'],
      [
        'answers with what is not HTTP',
        (_it: Scene, peer: Peer) => peer.end('HELLO\r\n\r\n'),
        'protocol_error',
      ],
    ] as const) {
      if (isH2(wire) && leave !== hangUp) continue
      test(`uses up the retries with a server that ${what}`, async t => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        const tick = mockTimeouts(t)
        await using it = await upgraded(wire, { wsOpts, opts: { retry: 3, retryTimeout: 300 } })
        it.lose()
        assert.deepEqual(await it.heard(1), [`down ${ws}: closed, killed 0`])
        // Chance has them come as early as may be.
        for (const wait of [0, 150, 150]) {
          if (wait > 0) tick(wait - 1)
          assert.equal(gun.info(it.connPid).stateName, 'not_connected')
          tick(wait > 0 ? 1 : 0)
          assert.deepEqual(await it.heard(1), ['up'])
          const { peer } = await nextRequest(it)
          leave(it, peer)
          assert.deepEqual(await it.heard(1), [`down ${http}: ${code}, killed 0`])
        }
        assert.deepEqual(await it.story(), [
          `error of the stream: ${code}`,
          `error of the connection: ${code}`,
          `DOWN: shutdown ${code}`,
        ])
        tick(10_000)
        assert.equal(it.server.connections, 4)
      })
    }

    test('uses up the retries with a server that agrees and hangs up at once', async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const tick = mockTimeouts(t)
      await using it = await upgraded(wire, { wsOpts, opts: { retry: 2, retryTimeout: 300 } })
      it.lose()
      for (const wait of [0, 150]) {
        assert.deepEqual(await it.heard(1), [`down ${ws}: closed, killed 0`])
        tick(wait)
        assert.deepEqual(await it.heard(1), ['up'])
        const peer = await comesBack(it)
        hangUp(it, peer)
      }
      assert.deepEqual(await it.story(), [
        `down ${ws}: closed, killed 0`,
        'error of the stream: closed',
        'error of the connection: closed',
        'DOWN: shutdown closed',
      ])
    })

    test('has all retries again once it was back and something came of it', async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const tick = mockTimeouts(t)
      const asked: number[] = []
      const retryFun = (retries: number) => {
        asked.push(retries)
        return { retries: retries - 1, timeout: 0 }
      }
      await using it = await upgraded(wire, { wsOpts, opts: { retry: 2, retryFun } })
      let { peer } = it
      for (let n = 0; n < 3; n++) {
        hangUp(it, peer)
        await it.heard(1)
        tick(0)
        await it.heard(1)
        const failed = await nextRequest(it)
        hangUp(it, failed.peer)
        await it.heard(1)
        tick(0)
        await it.heard(1)
        peer = await comesBack(it)
        await peer.send(text('welcome'))
        await it.heard(1)
      }
      assert.deepEqual(asked, [2, 1, 2, 1, 2, 1])
    })

    test('ends like any other without retries', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(wire, { wsOpts, opts: { retry: 0 } })
      it.lose()
      assert.deepEqual(await it.story(), [
        'error of the stream: closed',
        `down ${ws}: closed, killed 1`,
        'error of the connection: closed',
        'DOWN: shutdown closed',
      ])
    })

    for (const [what, end, code, told] of [
      [
        'we have closed',
        (it: Scene) => gun.wsSend(it.connPid, it.streamRef, ['close', 4000, '']),
        4000,
        ['ws close,4000,', ...(isH2(wire) ? [] : ['down ws: normal, killed 0', 'DOWN: normal'])],
      ],
      [
        'we have shut down',
        (it: Scene) => gun.shutdown(it.connPid),
        1001,
        ['ws close,1001,', 'DOWN: shutdown'],
      ],
    ] as const) {
      test(`does not once ${what}`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await upgraded(wire, { wsOpts })
        end(it)
        assert.equal((await receiveFrame(it.peer)).payload.readUInt16BE(), code)
        it.peer.end(close(code))
        assert.deepEqual(await it.story(), told)
        assert.equal(it.server.connections, 1)
      })

      // Over HTTP/2 the connection is not closed with the WebSocket, and is made again.
      if (isH2(wire) && code === 4000) continue
      test(`does not once ${what}, although the server hangs up instead of answering`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await upgraded(wire, { wsOpts })
        end(it)
        await receiveFrame(it.peer)
        it.lose()
        const [first, ...others] = await it.story()
        assert.equal(first, 'error of the stream: closed')
        assert.match(others.join(';'), /^(down ws: closed, killed 1;DOWN: shutdown closed|DOWN: shutdown)$/)
        assert.equal(it.server.connections, 1)
      })
    }

    test('does not after close()', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(wire, { wsOpts })
      gun.close(it.connPid)
      assert.deepEqual(await it.story(), ['error of the stream: shutdown', 'DOWN: shutdown'])
      assert.equal(it.server.connections, 1)
    })

    test("does not after its owner's exit", async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using other = createProcess<gun.GunMessage>()
      await using it = await upgraded(wire, { wsOpts: { ...wsOpts, replyTo: other } })
      await other.receive([{ type: 'gun_upgrade' }])
      const ref = other.monitor(it.connPid)
      it.self.exit()
      await receiveFrame(it.peer)
      it.peer.end(close(1001))
      assert.equal((await other.receive([{ type: 'DOWN', ref }])).reason, 'normal')
      assert.deepEqual((await other.receive([{ type: 'gun_ws' }], 0)).frame, ['close', 1001, ''])
      assert.equal(other.messageQueueLength, 0)
      assert.equal(it.server.connections, 1)
    })

    for (const [what, end] of [
      ['close()', gun.close],
      ['a shutdown', gun.shutdown],
    ] as const) {
      test(`does not after ${what} while there is no connection`, async t => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        const tick = mockTimeouts(t)
        await using it = await upgraded(wire, { wsOpts })
        it.lose()
        await it.heard(1)
        end(it.connPid)
        assert.deepEqual(await it.story(), ['error of the stream: shutdown', 'DOWN: shutdown'])
        tick(10_000)
        assert.equal(it.server.connections, 1)
      })
    }

    test('is closed again when a shutdown comes before the answer', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(wire, { wsOpts })
      it.lose()
      await it.heard(2)
      const { peer, request } = await nextRequest(it)
      gun.shutdown(it.connPid)
      await peer.send(switchingProtocols(request))
      assert.equal((await receiveFrame(peer)).payload.readUInt16BE(), 1001)
      peer.end(close(1001))
      assert.deepEqual(await it.story(), ['upgrade', 'ws close,1001,', 'DOWN: shutdown'])
      assert.equal(it.server.connections, 2)
    })

    test('comes before what was asked for while it was gone, which gets badstate', {
      skip: isH2(wire) && 'all have streams of their own there',
    }, async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const tick = mockTimeouts(t)
      await using it = await upgraded(wire, { wsOpts })
      it.lose()
      await it.heard(1)
      const refs = [gun.get(it.connPid, '/1'), gun.wsUpgrade(it.connPid, '/2')]
      tick(0)
      assert.deepEqual(await it.heard(1), ['up'])
      refs.push(gun.request(it.connPid, 'POST', '/3', {}, 'body'))
      const peer = await comesBack(it)
      for (const streamRef of refs) {
        const { reason } = await it.self.receive([{ type: 'gun_error', streamRef }])
        assert.deepEqual([reason.code, reason.kind], ['badstate', 'badstate'])
      }
      await assertBothWays(it, peer)
    })

    test('goes on replying to whom it did, and tells the owner only of the connection', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using other = createProcess<gun.GunMessage>()
      await using it = await upgraded(wire, { wsOpts: { ...wsOpts, replyTo: other } })
      const { connPid, streamRef } = it
      await other.receive([{ type: 'gun_upgrade', streamRef }])
      it.lose()
      assert.deepEqual(await it.heard(2), [`down ${ws}: closed, killed 0`, 'up'])
      const { peer, request } = await nextRequest(it)
      await peer.send(switchingProtocols(request))
      assert.equal((await gun.await(connPid, streamRef)).type, 'gun_upgrade')
      await peer.send(text('a'))
      assert.deepEqual((await other.receive([{ type: 'gun_ws', streamRef }])).frame, ['text', 'a'])
      assert.equal(it.self.messageQueueLength, 0)
    })

    test('may post as many messages again as flow says', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(wire, { wsOpts: { ...wsOpts, flow: 3 } })
      const credit = () => gun.streamInfo(it.connPid, it.streamRef)?.websocket?.flow
      await it.peer.send(Buffer.concat([text('1'), text('2')]))
      await it.heard(2)
      assert.equal(credit(), 1)
      it.lose()
      await it.heard(2)
      const peer = await comesBack(it)
      assert.equal(credit(), 3)
      await peer.send(Buffer.concat(['3', '4', '5', '6'].map(text)))
      assert.deepEqual(await it.heard(3), ['ws text,3', 'ws text,4', 'ws text,5'])
      assert.equal(credit(), 0)
      gun.updateFlow(it.connPid, it.streamRef, 1)
      assert.deepEqual(await it.heard(1), ['ws text,6'])
    })
  })

  test(`a WebSocket over ${wire} that is not to come back does not`, async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using it = await upgraded(wire)
    it.lose()
    assert.deepEqual(await it.heard(3), ['error of the stream: closed', `down ${ws}: closed, killed 1`, 'up'])
    await assertPlain(it)
  })

  test(`an upgrade over ${wire} that never succeeded is not asked for again`, async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using it = await upgraded(wire, { wsOpts })
    it.lose()
    await it.heard(2)
    const { peer } = await nextRequest(it)
    await peer.send('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n')
    await it.heard(1)
    const streamRef = gun.wsUpgrade(it.connPid, '/first', {}, wsOpts)
    assert.equal((await requestAfter(it, peer)).request.path, '/first')
    hangUp(it, peer)
    const { reason } = await it.self.receive([{ type: 'gun_error', streamRef }])
    assert.equal(reason.code, 'closed')
    assert.deepEqual(await it.heard(2), [`down ${http}: closed, killed 1`, 'up'])
    await assertPlain(it)
  })
}

test('a WebSocket that is to come back is told of when no connection can be made again', async t => {
  // Somebody else might come to listen on a port that is given up, but not on this socket.
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  const tick = mockTimeouts(t)
  await using it = await upgraded('unix', { wsOpts, opts: { retry: 1 } })
  it.peer.reset()
  await it.heard(1)
  await it.server.close()
  tick(0)
  assert.deepEqual(await it.story(), [
    'error of the stream: connect_error',
    'error of the connection: connect_error',
    'DOWN: shutdown connect_error',
  ])
})
