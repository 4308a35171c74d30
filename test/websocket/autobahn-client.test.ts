// The Autobahn client against a stand-in for its fuzzing server: hundreds of cases, good and bad, and it finishes all.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import type { Peer, RequestHead, ScriptedServer } from '@holster/testing'
import {
  accept,
  closePayload,
  frame,
  opcodes,
  receiveFrame,
  switchingProtocols,
} from '@holster/testing/frames'
import { type WebSocket, WebSocketServer } from 'ws'
import { freePort } from '../support/client.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { origin } from '../support/origin.ts'
import { DEFLATE } from '../support/scripted-websockets.ts'
import { run } from './autobahn-client.ts'

/** How the client's connection ends, and the server's part, which rejects if the client does not do its own. */
type Case = [ending: string | RegExp, play: (peer: Peer, request: RequestHead) => Promise<void>]

// Cases that `ws` plays.

/** A server of `ws` that takes over connections whose request was read. */
function wsEngine(perMessageDeflate: boolean) {
  const wss = new WebSocketServer({
    noServer: true,
    perMessageDeflate: perMessageDeflate && { threshold: 0 },
    maxPayload: 2 ** 24,
  })
  return (peer: Peer, { method, path, headers }: RequestHead): Promise<WebSocket> => {
    const named = headers.map(([name, value]) => [name.toLowerCase(), value])
    const request = { method, url: path, headers: Object.fromEntries(named) } as IncomingMessage
    const socket = peer.detach()
    return new Promise(resolve => {
      wss.handleUpgrade(request, socket, Buffer.alloc(0), resolve)
      socket.resume()
    })
  }
}

const engines = [wsEngine(false), wsEngine(true)]

function played(play: (socket: WebSocket) => Promise<void>): Case[] {
  return engines.map((engine, i) => [
    'normal',
    async (peer, request) => {
      const socket = await engine(peer, request)
      assert.equal(socket.extensions, ['', DEFLATE][i])
      await play(socket)
      if (socket.readyState !== socket.OPEN) return
      socket.close(1000)
      const [code] = await once(socket, 'close')
      assert.equal(code, 1000)
    },
  ])
}

/** Sends these as one message, in fragments, and wants it back. */
async function expectEcho(socket: WebSocket, parts: readonly (string | Buffer)[]): Promise<void> {
  const binary = typeof parts[0] !== 'string'
  const answered = once(socket, 'message')
  for (const [i, part] of parts.entries()) socket.send(part, { binary, fin: i === parts.length - 1 })
  const [data, isBinary] = (await answered) as [Buffer, boolean]
  assert.equal(isBinary, binary)
  assert.ok(data.equals(Buffer.concat(parts.map(part => Buffer.from(part)))), 'the echo differs')
}

const sizes = [0, 1, 2, 64, 125, 126, 127, 128, 1023, 1024, 4096, 65_535, 65_536, 65_537, 200_000, 1_048_576]
const texts = [
  'κόσμε',
  'a\u0000b',
  '\u{1f600}',
  '\u{10ffff}',
  '\ufeffbom',
  '\ufffd',
  `${'é'.repeat(62)}a`,
  'é'.repeat(63),
]

const echoes: Case[] = [
  ...sizes.flatMap(size => [
    ...played(socket => expectEcho(socket, ['*'.repeat(size)])),
    ...played(socket => expectEcho(socket, [Buffer.alloc(size, 0xfe)])),
  ]),
  ...texts.flatMap(text => played(socket => expectEcho(socket, [text]))),
  ...[2, 3, 4, 5, 8, 16, 100].flatMap(count => [
    ...played(socket =>
      expectEcho(
        socket,
        Array.from({ length: count }, (_, i) => `part ${i} `),
      ),
    ),
    ...played(socket =>
      expectEcho(
        socket,
        Array.from({ length: count }, (_, i) => Buffer.alloc(i * 100, i)),
      ),
    ),
    ...played(socket =>
      expectEcho(
        socket,
        Array.from({ length: count }, () => ''),
      ),
    ),
  ]),
  ...[2, 10, 100].flatMap(count =>
    played(async socket => {
      for (let i = 0; i < count; i++) await expectEcho(socket, [`message ${i}`])
    }),
  ),
  ...[10, 100].flatMap(count =>
    played(async socket => {
      const sent = Array.from({ length: count }, (_, i) => `message ${i}`)
      const received: string[] = []
      const all = new Promise<void>(resolve => {
        socket.on('message', data => {
          if (received.push(String(data)) === count) resolve()
        })
      })
      for (const message of sent) socket.send(message)
      await all
      assert.deepEqual(received, sent)
    }),
  ),
  ...[0, 1, 124, 125].flatMap(size =>
    played(async socket => {
      const answered = once(socket, 'pong')
      socket.ping(Buffer.alloc(size, 0xfe))
      const [data] = (await answered) as [Buffer]
      assert.deepEqual(data, Buffer.alloc(size, 0xfe))
      socket.pong('nobody asked')
      await expectEcho(socket, ['after the ping'])
    }),
  ),
  ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999].flatMap(
    code =>
      ['', 'a reason'].flatMap(reason =>
        played(async socket => {
          socket.close(code, reason)
          assert.deepEqual(await once(socket, 'close'), [code, Buffer.alloc(0)])
        }),
      ),
  ),
]

// Cases in bytes, which `ws` would not send.

/** Frames that the client must refuse with this close code. */
function bad(ending: string | RegExp, closeCode: number, bytes: Buffer, extensions?: string): Case[] {
  return (['whole', 'bytes'] as const).map(how => [
    ending,
    async (peer, request) => {
      const agreed = extensions === undefined ? [] : [['sec-websocket-extensions', extensions] as const]
      await peer.send(switchingProtocols(request, agreed))
      await peer.send(frame({ opcode: opcodes.text, payload: 'before' }))
      assert.equal((await receiveFrame(peer)).opcode, opcodes.text)
      peer.send(bytes, how).catch(() => {})
      const { opcode, payload } = await receiveFrame(peer)
      assert.deepEqual([opcode, payload.readUInt16BE()], [opcodes.close, closeCode])
      assert.equal((await peer.receiveAll()).length, 0)
    },
  ])
}

const badFrames = [
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map(opcode => frame({ opcode, payload: 'x' })),
  frame({ opcode: opcodes.text, rsv1: true }),
  frame({ opcode: opcodes.text, rsv2: true }),
  frame({ opcode: opcodes.binary, rsv3: true }),
  frame({ opcode: opcodes.ping, rsv1: true }),
  frame({ opcode: opcodes.text, masked: true }),
  frame({ opcode: opcodes.ping, fin: false }),
  frame({ opcode: opcodes.close, fin: false }),
  frame({ opcode: opcodes.ping, payload: Buffer.alloc(126) }),
  frame({ opcode: opcodes.continuation, payload: 'x' }),
  Buffer.concat([frame({ opcode: opcodes.text, fin: false }), frame({ opcode: opcodes.text })]),
  frame({ opcode: opcodes.close, payload: Buffer.of(3) }),
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535].map(code =>
    frame({ opcode: opcodes.close, payload: closePayload(code) }),
  ),
]

const badTexts = [
  '80',
  'ff',
  'c080',
  'c1bf',
  'e080af',
  'eda080',
  'edbfbf',
  'f4908080',
  'f8888080',
  'ce',
  'e282',
  'f09f98',
]

/** A server that stops at some point, in one of two ways. */
function abrupt(until: (peer: Peer, request: RequestHead) => unknown): Case[] {
  return [
    [
      /^(closed|socket_error)$/,
      async (peer, request) => {
        await until(peer, request)
        peer.end()
        await peer.closed
      },
    ],
    [
      /^(closed|socket_error)$/,
      async (peer, request) => {
        await until(peer, request)
        peer.reset()
      },
    ],
  ]
}

const hello = frame({ opcode: opcodes.text, payload: 'hello' })
const upgradedThen = (bytes: Buffer) => async (peer: Peer, request: RequestHead) => {
  await peer.send(switchingProtocols(request))
  await peer.send(bytes)
}

const troubles: Case[] = [
  ...badFrames.flatMap(bytes => bad('badframe', 1002, bytes)),
  ...badTexts.flatMap(hex =>
    bad('badencoding', 1007, frame({ opcode: opcodes.text, payload: Buffer.from(hex, 'hex') })),
  ),
  ...bad('limit_reached', 1009, frame({ opcode: opcodes.binary, claims: 2n ** 53n })),
  ...['07', 'ffffff', 'f200110000'].flatMap(hex =>
    bad(
      /^[a-z_]+$/,
      1007,
      frame({ opcode: opcodes.text, rsv1: true, payload: Buffer.from(hex, 'hex') }),
      DEFLATE,
    ),
  ),
  ...abrupt(() => {}),
  ...abrupt((peer, request) => peer.send(switchingProtocols(request).slice(0, 40))),
  ...abrupt((peer, request) => peer.send(switchingProtocols(request))),
  ...abrupt(upgradedThen(hello)),
  ...abrupt(upgradedThen(hello.subarray(0, 1))),
  ...abrupt(upgradedThen(hello.subarray(0, 4))),
  ...abrupt(upgradedThen(frame({ opcode: opcodes.text, payload: 'hel', fin: false }))),
  ...abrupt(upgradedThen(frame({ opcode: opcodes.binary, claims: 1_000_000 }))),
  [
    'bad_upgrade',
    async (peer, request) => {
      await peer.send(switchingProtocols(request).replace(/Accept: .*/, `Accept: ${accept('another key')}`))
      await peer.closed
    },
  ],
  [
    'refused with 404',
    async peer => {
      await peer.send('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n')
      await peer.closed
    },
  ],
  [
    'protocol_error',
    async peer => {
      await peer.send('this is no HTTP\r\n\r\n')
      await peer.closed
    },
  ],
]

// The stand-in.

interface FuzzingServer {
  readonly server: ScriptedServer
  readonly url: string
  /** What was asked for, in its order. */
  readonly asked: readonly string[]
}

async function fuzzingServer(cases: readonly Case[]): Promise<FuzzingServer> {
  const asked: string[] = []
  const [control] = engines
  const server = await origin(async (peer, index) => {
    const request = await peer.receiveRequest()
    asked.push(request.path)
    // The first connection asks how many there are, and the last for the report.
    const found = cases[index - 1]
    if (found !== undefined) {
      try {
        return await found[1](peer, request)
      } catch (cause) {
        throw new Error(`case ${index} of ${cases.length}`, { cause })
      }
    }
    const socket = await control?.(peer, request)
    if (index === 0) socket?.send(String(cases.length))
    socket?.close(1000)
  })
  return { server, url: `ws://127.0.0.1:${server.port}`, asked }
}

test('the client finishes hundreds of cases, good and bad, echoes what it should, and leaves nothing behind', async () => {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  // Mixed, so that a good case follows each bad one.
  const cases: Case[] = []
  for (let i = 0; i < Math.max(echoes.length, troubles.length); i++) {
    cases.push(...[echoes[i], troubles[i]].filter(it => it !== undefined))
  }
  assert.ok(cases.length >= 300, `${cases.length} cases are too few`)
  const { server, url, asked } = await fuzzingServer(cases)
  await using _server = server
  const log: string[] = []
  const outcomes = await run(url, { log: line => log.push(line) })
  await server.finished()
  assert.deepEqual(asked, [
    '/getCaseCount',
    ...cases.map((_, i) => `/runCase?case=${i + 1}&agent=holster`),
    '/updateReports?agent=holster',
  ])
  assert.equal(outcomes.length, cases.length)
  for (const [i, { ending }] of outcomes.entries()) {
    const expected = cases[i]?.[0] ?? ''
    if (typeof expected === 'string') assert.equal(ending, expected, log[i])
    else assert.match(ending, expected, log[i])
  }
  assert.equal(log.length, cases.length + 1)
  assert.equal(log.at(-1), `${cases.length} cases were run; the report: normal`)
})

test('a case in which nothing comes is reported, and the run goes on', async () => {
  await using _left = assertNothingLeft()
  const silent: Case = [/^nothing came/, peer => peer.closed]
  const { server, url, asked } = await fuzzingServer([silent])
  await using _server = server
  const outcomes = await run(url, { log: () => {}, patience: 1000 })
  assert.deepEqual(
    outcomes.map(({ ending }) => ending),
    ['nothing came within 1000 ms'],
  )
  assert.equal(asked.length, 3)
})

test('without a server the run fails, and says so', async () => {
  await using _left = assertNothingLeft()
  const url = `ws://127.0.0.1:${await freePort()}`
  await assert.rejects(run(url, { log: () => {} }), /does not say how many cases there are: connect_error/)
})
