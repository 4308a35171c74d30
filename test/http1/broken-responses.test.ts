// Silence, half responses and wrong ones of HTTP/1.1: the stream gets the error, then the owner gets it too.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { createProcess, type Down, type Exit, P, type Process } from '@holster/process'
import { certificates, type Peer, type ScriptedServer } from '@holster/testing'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { origin } from '../support/origin.ts'

const transports = ['tcp', 'tls'] as const

interface Scene extends AsyncDisposable {
  readonly self: Process<gun.GunMessage>
  readonly connPid: gun.ConnPid
  readonly server: ScriptedServer
  /** The server's side. */
  readonly peer: Peer
}

/** A connection that is up, without retries, and both of its ends. */
async function scene(transport: (typeof transports)[number], opts: gun.Opts = {}): Promise<Scene> {
  const peers = createProcess<{ type: 'peer'; peer: Peer }>()
  const server = await origin(peer => peers.send({ type: 'peer', peer }), { transport })
  const self = createProcess<gun.GunMessage>()
  const connPid = gun.open('localhost', server.port, {
    owner: self,
    retry: 0,
    transport,
    tlsOpts: { ca: certificates.ca },
    ...opts,
  })
  self.monitor(connPid)
  await self.receive([{ type: 'gun_up' }], 10_000)
  const { peer } = await peers.receive([{ type: 'peer' }], 10_000)
  // Out of the callback of OpenSSL in which the server's handshake ends: to reset there crashes Node 20.
  await turn()
  return {
    self,
    connPid,
    server,
    peer,
    async [Symbol.asyncDispose]() {
      gun.close(connPid)
      await connPid[Symbol.asyncDispose]()
      self.exit()
      await server.close()
    },
  }
}

function tell(message: gun.GunMessage | Down | Exit): string {
  switch (message.type) {
    case 'gun_response':
      return `response ${message.status} ${message.isFin}`
    case 'gun_inform':
      return `inform ${message.status}`
    case 'gun_data':
      return `data ${message.isFin} ${message.data}`
    case 'gun_error':
      return `error ${message.streamRef === undefined ? 'of the connection' : 'of the stream'}: ${codeOf(message.reason)}`
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

interface Story {
  readonly told: string[]
  /** Of each error in it. */
  readonly texts: string[]
}

/** What the owner gets until the connection has ended. */
async function story({ self }: Scene): Promise<Story> {
  const told: string[] = []
  const texts: string[] = []
  for (;;) {
    const message = await self.receive([P._], 10_000)
    told.push(tell(message))
    if (message.type === 'gun_error') texts.push(message.reason.message)
    if (message.type === 'gun_error' && message.streamRef !== undefined) {
      assert.equal(message.reason.kind, 'connection_error')
    }
    if (message.type === 'DOWN') return { told, texts }
  }
}

/** How a connection without retries ends that was lost with one request under way. */
function ending(code: string): string[] {
  return [
    `error of the stream: ${code}`,
    `down http: ${code}, killed 1`,
    `error of the connection: ${code}`,
    `DOWN: shutdown ${code}`,
  ]
}

/** How it ends with none. */
function idleEnding(code: string): string[] {
  return [`down http: ${code}, killed 0`, `error of the connection: ${code}`, `DOWN: shutdown ${code}`]
}

function assertTexts(texts: readonly string[], expected: RegExp): void {
  assert.ok(texts.length > 0)
  for (const text of texts) assert.match(text, expected)
}

/** An HTTP/2 server's preface: an empty SETTINGS frame. */
const http2Preface = Buffer.from('000000040000000000', 'hex')

for (const transport of transports) {
  describe(`HTTP over ${transport}`, () => {
    test('a server that accepts and says nothing: await times out, and the stream may still be answered', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await scene(transport)
      const streamRef = gun.get(it.connPid, '/')
      await it.peer.receiveRequest()
      const error = await gun.await(it.connPid, streamRef, 1).catch(error => error)
      assert.ok(error instanceof gun.GunError)
      assert.equal(error.code, 'timeout')
      assert.equal(error.kind, 'timeout')
      assert.equal(error.cause, undefined)
      assert.match(
        error.message,
        /^no message of #Stream<\d+> came within 1 ms: the peer sent nothing; #Conn<\d+> is up$/,
      )
      await it.peer.send('HTTP/1.1 204 No Content\r\n\r\n')
      const response = await gun.await(it.connPid, streamRef, 10_000)
      assert.equal(response.type, 'gun_response')
    })

    test('a server that accepts and says nothing does not hold up close', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await scene(transport)
      gun.get(it.connPid, '/')
      await it.peer.receiveRequest()
      gun.close(it.connPid)
      const { told, texts } = await story(it)
      assert.deepEqual(told, ['error of the stream: shutdown', 'DOWN: shutdown'])
      assertTexts(texts, /ended on this side/)
    })

    for (const [how, leave, code, text] of [
      ['resets', (peer: Peer) => peer.reset(), 'socket_error', /ECONNRESET/],
      ['closes', (peer: Peer) => peer.end(), 'closed', /closed/],
    ] as const) {
      test(`a server that ${how} when all was answered`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await scene(transport)
        gun.get(it.connPid, '/')
        await it.peer.receiveRequest()
        await it.peer.send('HTTP/1.1 204 No Content\r\n\r\n')
        await it.self.receive([{ type: 'gun_response' }], 10_000)
        leave(it.peer)
        const { told, texts } = await story(it)
        assert.deepEqual(told, idleEnding(code))
        assertTexts(texts, text)
      })

      test(`a server that ${how} before the head of a response`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await scene(transport)
        gun.get(it.connPid, '/')
        await it.peer.receiveRequest()
        leave(it.peer)
        const { told, texts } = await story(it)
        assert.deepEqual(told, ending(code))
        assertTexts(texts, text)
      })

      test(`a server that ${how} within the head of a response`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await scene(transport)
        gun.get(it.connPid, '/')
        await it.peer.receiveRequest()
        await it.peer.send('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-le')
        await it.self.receive([{ type: 'gun_inform' }], 10_000)
        leave(it.peer)
        const { told, texts } = await story(it)
        assert.deepEqual(told, ending(code))
        assertTexts(texts, how === 'closes' ? /within the head of a response/ : text)
      })

      for (const [framing, head] of [
        ['that counts', 'content-length: 10\r\n\r\nhello'],
        ['in chunks', 'transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n'],
      ]) {
        test(`a server that ${how} within a body ${framing}`, async () => {
          await using _left = assertNothingLeft()
          await using _calm = collectWarnings()
          await using it = await scene(transport)
          gun.get(it.connPid, '/')
          await it.peer.receiveRequest()
          await it.peer.send(`HTTP/1.1 200 OK\r\n${head}`)
          await it.self.receive([{ type: 'gun_data' }], 10_000)
          leave(it.peer)
          const { told, texts } = await story(it)
          assert.deepEqual(told, ['response 200 nofin', ...ending(code)])
          assertTexts(texts, how === 'closes' ? /within the body of a response/ : text)
        })
      }

      test(`a server that ${how} kills every request that was under way, in order`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await scene(transport)
        const streams = [1, 2, 3].map(n => gun.get(it.connPid, `/${n}`))
        for (let i = 0; i < 3; i++) await it.peer.receiveRequest()
        leave(it.peer)
        const killed: unknown[] = []
        for (let i = 0; i < 3; i++) {
          const { streamRef } = await it.self.receive([{ type: 'gun_error' }], 10_000)
          killed.push(streamRef)
        }
        assert.deepEqual(killed, streams)
        const down = await it.self.receive([P._], 10_000)
        assert.ok(down.type === 'gun_down')
        assert.deepEqual(down.killedStreams, streams)
      })
    }

    test('a server that resets within a body that lasts until the end does not make it look complete', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await scene(transport)
      gun.get(it.connPid, '/')
      await it.peer.receiveRequest()
      await it.peer.send('HTTP/1.1 200 OK\r\n\r\nhello')
      await it.self.receive([{ type: 'gun_data' }], 10_000)
      it.peer.reset()
      const { told } = await story(it)
      assert.deepEqual(told, ['response 200 nofin', ...ending('socket_error')])
    })

    test('a server that closes after a body that lasts until the end has ended in an orderly way', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await scene(transport)
      gun.get(it.connPid, '/')
      await it.peer.receiveRequest()
      it.peer.end('HTTP/1.1 200 OK\r\n\r\nhello')
      const { told } = await story(it)
      assert.equal(told[0], 'response 200 nofin')
      assert.match(told.slice(1, -2).join('|'), /^(data nofin hello\|data fin |data fin hello)$/)
      assert.deepEqual(told.slice(-2), ['down http: normal, killed 0', 'DOWN: normal'])
    })

    const wrong: [string, string | Uint8Array, string, RegExp][] = [
      ['garbage', 'garbage instead of HTTP\r\n\r\n', 'protocol_error', /does not start with HTTP\//],
      ['garbage that begins like HTTP', 'HTTP/garbage\r\n\r\n', 'protocol_error', /not valid HTTP\/1\.1/],
      ['the preface of HTTP/2', http2Preface, 'protocol_error', /does not start with HTTP\//],
      ['an HTTP/2 status line', 'HTTP/2.0 200 OK\r\n\r\n', 'protocol_error', /version/i],
      ['bytes of zero', Buffer.alloc(100), 'protocol_error', /does not start with HTTP\//],
      [
        'a 101 that nobody asked for',
        'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n',
        'protocol_error',
        /a 101 response arrived for a request that asked for no upgrade/,
      ],
      [
        'two lengths',
        'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab',
        'protocol_error',
        /not valid HTTP\/1\.1/,
      ],
    ]
    for (const [what, bytes, code, text] of wrong) {
      for (const how of ['whole', 'bytes'] as const) {
        test(`a server that answers with ${what}, ${how === 'whole' ? 'at once' : 'byte by byte'}`, async () => {
          await using _left = assertNothingLeft()
          await using _calm = collectWarnings()
          await using it = await scene(transport)
          gun.get(it.connPid, '/')
          await it.peer.receiveRequest()
          // Of what comes byte by byte, the end is no longer wanted.
          it.peer.send(bytes, how).catch(() => {})
          const { told, texts } = await story(it)
          assert.deepEqual(told, ending(code))
          assertTexts(texts, text)
        })
      }
    }

    for (const [what, bytes] of [
      ['a response', 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'],
      ['a 101', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n'],
      ['a 408', 'HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\r\n'],
      ['the preface of HTTP/2', http2Preface],
    ] as const) {
      test(`a server that sends ${what} before anything was asked for`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await scene(transport)
        await it.peer.send(bytes)
        const { told, texts } = await story(it)
        assert.deepEqual(told, idleEnding('protocol_error'))
        assertTexts(texts, /a response arrived that no request asked for/)
      })
    }

    test('a server that answers twice', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await scene(transport)
      gun.get(it.connPid, '/')
      await it.peer.receiveRequest()
      await it.peer.send('HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n')
      const { told, texts } = await story(it)
      assert.deepEqual(told, ['response 204 fin', ...idleEnding('protocol_error')])
      assertTexts(texts, /a response arrived that no request asked for/)
    })

    test('a head without end is cut at maxHeaderBlockSize', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await scene(transport, { httpOpts: { maxHeaderBlockSize: 5000 } })
      gun.get(it.connPid, '/')
      await it.peer.receiveRequest()
      const endless = async () => {
        await it.peer.send('HTTP/1.1 200 OK\r\n')
        for (let n = 0; ; n++) {
          await it.peer.send(`x-${n}: y\r\n`)
          await turn()
        }
      }
      const sent = endless().catch(() => 'gone')
      const { told, texts } = await story(it)
      assert.deepEqual(told, ending('limit_reached'))
      assertTexts(texts, /exceeds maxHeaderBlockSize \(5000 bytes\)/)
      assert.equal(await sent, 'gone')
    })

    test('a head may have exactly maxHeaderBlockSize bytes, and not one more', async () => {
      // The empty line that ends it does not count.
      const head = 'HTTP/1.1 204 No Content\r\nx-filler: yyyyyyyyyyyyyyyyyyyy\r\n'
      for (const [limit, last] of [
        [head.length, 'DOWN: shutdown'],
        [head.length - 1, 'DOWN: shutdown limit_reached'],
      ] as const) {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await scene(transport, { httpOpts: { maxHeaderBlockSize: limit } })
        const streamRef = gun.get(it.connPid, '/')
        await it.peer.receiveRequest()
        await it.peer.send(`${head}\r\n`)
        const answer = await gun.await(it.connPid, streamRef, 10_000).catch(error => error)
        if (limit === head.length) assert.equal(answer.status, 204)
        else assert.equal(answer.code, 'limit_reached')
        gun.close(it.connPid)
        const { told } = await story(it)
        assert.equal(told.at(-1), last)
      }
    })

    test('trailers without end are cut at maxTrailerBlockSize', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await scene(transport, { httpOpts: { maxTrailerBlockSize: 1000 } })
      gun.get(it.connPid, '/')
      await it.peer.receiveRequest()
      const endless = async () => {
        await it.peer.send('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n')
        for (let n = 0; ; n++) {
          await it.peer.send(`x-${n}: y\r\n`)
          await turn()
        }
      }
      const sent = endless().catch(() => 'gone')
      const { told, texts } = await story(it)
      assert.deepEqual(told, ['response 200 nofin', ...ending('limit_reached')])
      assertTexts(texts, /exceeds maxTrailerBlockSize \(1000 bytes\)/)
      assert.equal(await sent, 'gone')
    })
  })
}

test('a TLS server on a connection without TLS', async () => {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  await using server = await origin(() => {}, { transport: 'tls' })
  const self = createProcess<gun.GunMessage>()
  const connPid = gun.open('localhost', server.port, { owner: self, retry: 0 })
  self.monitor(connPid)
  gun.get(connPid, '/')
  const told: string[] = []
  while (!told.at(-1)?.startsWith('DOWN')) told.push(tell(await self.receive([P._], 10_000)))
  // An alert, or nothing at all, comes before the server closes.
  const code = told[1]?.split(': ')[1] ?? ''
  assert.match(code, /^(protocol_error|closed|socket_error)$/)
  assert.deepEqual(told, ['gun_up', ...ending(code)])
})
