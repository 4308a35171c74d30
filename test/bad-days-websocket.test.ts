// Bad days of a WebSocket: a server that breaks RFC 6455 is told why, and so is the owner; a socket that breaks, too.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess, type Down, type Exit, P, type Process } from '@holster/process'
import { certificates } from './support/certificates.ts'
import { closePayload, frame, opcodes, receiveFrame, switchingProtocols } from './support/frames.ts'
import { assertNothingLeft, collectWarnings } from './support/leftovers.ts'
import { origin, type Peer, type RequestHead } from './support/origin.ts'

const transports = ['tcp', 'tls'] as const

interface Scene extends AsyncDisposable {
  readonly self: Process<gun.GunMessage>
  readonly connPid: gun.ConnPid
  readonly streamRef: gun.StreamRef
  /** The server's side, which has read the request. */
  readonly peer: Peer
  readonly request: RequestHead
}

/** A connection without retries that has asked for an upgrade. */
async function asking(transport: (typeof transports)[number], wsOpts: gun.WsOpts = {}): Promise<Scene> {
  const peers = createProcess<{ type: 'peer'; peer: Peer }>()
  const server = await origin(peer => peers.send({ type: 'peer', peer }), { transport })
  const self = createProcess<gun.GunMessage>()
  const connPid = gun.open('localhost', server.port, {
    owner: self,
    retry: 0,
    transport,
    tlsOpts: { ca: certificates.ca },
  })
  self.monitor(connPid)
  await gun.awaitUp(connPid, 10_000)
  const streamRef = gun.wsUpgrade(connPid, '/', {}, wsOpts)
  const { peer } = await peers.receive([{ type: 'peer' }], 10_000)
  return {
    self,
    connPid,
    streamRef,
    peer,
    request: await peer.receiveRequest(),
    async [Symbol.asyncDispose]() {
      gun.close(connPid)
      await connPid[Symbol.asyncDispose]()
      self.exit()
      await server.close()
    },
  }
}

/** The same, upgraded. */
async function upgraded(transport: (typeof transports)[number], wsOpts: gun.WsOpts = {}): Promise<Scene> {
  const it = await asking(transport, wsOpts)
  await it.peer.send(switchingProtocols(it.request))
  await it.self.receive([{ type: 'gun_upgrade', streamRef: it.streamRef }], 10_000)
  return it
}

function tell(message: gun.GunMessage | Down | Exit): string {
  switch (message.type) {
    case 'gun_ws':
      return `ws ${message.frame}`
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

/** What the owner gets until the connection has ended, and the one error of which it tells. */
async function story({ self }: Scene): Promise<{ told: string[]; error: gun.GunError }> {
  const told: string[] = []
  const errors = new Set<gun.GunError>()
  for (;;) {
    const message = await self.receive([P._], 10_000)
    told.push(tell(message))
    if (message.type === 'gun_error') errors.add(message.reason)
    if (message.type === 'gun_down' && message.reason !== 'normal') errors.add(message.reason)
    if (message.type !== 'DOWN') continue
    const [error] = errors
    assert.ok(error !== undefined && errors.size === 1, `there were ${errors.size} different errors`)
    assert.equal(error.kind, 'connection_error')
    return { told, error }
  }
}

function ending(code: string, protocol = 'ws'): string[] {
  return [
    `error of the stream: ${code}`,
    `down ${protocol}: ${code}, killed 1`,
    `error of the connection: ${code}`,
    `DOWN: shutdown ${code}`,
  ]
}

const { text, binary, continuation, close, ping } = opcodes
const notUtf8 = Buffer.from('c328', 'hex')

/** What is wrong, its bytes, the close code that answers it, the error's code and what its message says. */
type Offence = [what: string, bytes: Uint8Array, closeCode: number, code: gun.GunErrorCode, text: RegExp]

const offences: Offence[] = [
  [
    'a masked frame',
    frame({ opcode: text, payload: 'a', masked: true }),
    1002,
    'badframe',
    /MASK must be clear/,
  ],
  ['an unknown data opcode', frame({ opcode: 3 }), 1002, 'badframe', /invalid opcode 3/],
  ['an unknown control opcode', frame({ opcode: 11 }), 1002, 'badframe', /invalid opcode 11/],
  ['RSV1 without an extension', frame({ opcode: text, rsv1: true }), 1002, 'badframe', /RSV1 must be clear/],
  ['RSV2', frame({ opcode: text, rsv2: true }), 1002, 'badframe', /RSV2 and RSV3 must be clear/],
  ['RSV3', frame({ opcode: binary, rsv3: true }), 1002, 'badframe', /RSV2 and RSV3 must be clear/],
  ['RSV1 on a ping', frame({ opcode: ping, rsv1: true }), 1002, 'badframe', /RSV1 must be clear/],
  [
    'text that is not UTF-8',
    frame({ opcode: text, payload: notUtf8 }),
    1007,
    'badencoding',
    /a text message .* UTF-8/,
  ],
  [
    'text that is not UTF-8 across fragments',
    Buffer.concat([
      frame({ opcode: text, payload: Buffer.of(0xe2, 0x82), fin: false }),
      frame({ opcode: continuation, payload: 'x' }),
    ]),
    1007,
    'badencoding',
    /a text message .* UTF-8/,
  ],
  [
    'a close reason that is not UTF-8',
    frame({ opcode: close, payload: closePayload(1000, notUtf8) }),
    1007,
    'badencoding',
    /a close reason .* UTF-8/,
  ],
  [
    'a close code that may not be sent',
    frame({ opcode: close, payload: closePayload(1005) }),
    1002,
    'badframe',
    /1005/,
  ],
  [
    'a close code that nobody has',
    frame({ opcode: close, payload: closePayload(999) }),
    1002,
    'badframe',
    /999/,
  ],
  [
    'half a close code',
    frame({ opcode: close, payload: Buffer.of(3) }),
    1002,
    'badframe',
    /payload length 1/,
  ],
  ['a fragmented ping', frame({ opcode: ping, fin: false }), 1002, 'badframe', /FIN must be set/],
  ['a fragmented close', frame({ opcode: close, fin: false }), 1002, 'badframe', /FIN must be set/],
  [
    'a ping of 126 bytes',
    frame({ opcode: ping, payload: Buffer.alloc(126) }),
    1002,
    'badframe',
    /payload length/,
  ],
  [
    'a continuation of nothing',
    frame({ opcode: continuation, payload: 'x' }),
    1002,
    'badframe',
    /invalid opcode 0/,
  ],
  [
    'a new message within one',
    Buffer.concat([frame({ opcode: text, fin: false }), frame({ opcode: text })]),
    1002,
    'badframe',
    /invalid opcode 1/,
  ],
  [
    'a frame of more than 2^53 bytes',
    frame({ opcode: binary, claims: 2n ** 53n }),
    1009,
    'limit_reached',
    /exceeds wsOpts\.maxPayload/,
  ],
  [
    'HTTP instead of frames',
    Buffer.from('HTTP/1.1 200 OK\r\n\r\n'),
    1002,
    'badframe',
    /RSV1 must be clear|MASK|opcode/,
  ],
]

for (const transport of transports) {
  describe(`a WebSocket over ${transport}`, () => {
    for (const [what, bytes, closeCode, code, said] of offences) {
      for (const how of ['whole', 'bytes'] as const) {
        test(`${what}, ${how === 'whole' ? 'at once' : 'byte by byte'}, is answered with ${closeCode}`, async () => {
          await using _left = assertNothingLeft()
          await using _calm = collectWarnings()
          await using it = await upgraded(transport)
          it.peer.send(bytes, how).catch(() => {})
          const { told, error } = await story(it)
          assert.deepEqual(told, ending(code))
          assert.match(error.message, said)
          const answer = await receiveFrame(it.peer)
          assert.equal(answer.opcode, close)
          assert.ok(answer.masked)
          assert.equal(answer.payload.readUInt16BE(), closeCode)
          await it.peer.receiveAll()
        })
      }
    }

    test('what came before the offence is delivered, what comes after is not', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(transport)
      const good = (payload: string) => frame({ opcode: text, payload })
      await it.peer.send(Buffer.concat([good('1'), good('2'), frame({ opcode: 3 }), good('3')]))
      const { told } = await story(it)
      assert.deepEqual(told, ['ws text,1', 'ws text,2', ...ending('badframe')])
    })

    test('an offence glued to the 101 is answered, after gun_upgrade', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await asking(transport)
      await it.peer.send(Buffer.concat([Buffer.from(switchingProtocols(it.request)), frame({ opcode: 3 })]))
      const { told } = await story(it)
      assert.deepEqual(told, ['gun_upgrade', ...ending('badframe')])
      assert.equal((await receiveFrame(it.peer)).payload.readUInt16BE(), 1002)
    })

    test('the close code leaves although the server goes on sending', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(transport)
      const flood = async () => {
        const bytes = frame({ opcode: binary, payload: Buffer.alloc(60_000) })
        await it.peer.send(frame({ opcode: 3 }))
        for (let i = 0; i < 200; i++) await it.peer.send(bytes)
      }
      flood().catch(() => {})
      const { told } = await story(it)
      assert.deepEqual(told, ending('badframe'))
      assert.equal((await receiveFrame(it.peer)).payload.readUInt16BE(), 1002)
    })

    test('the close code reaches a server that reads only after it has sent all', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(transport)
      it.peer.socket.pause()
      await it.peer.send(frame({ opcode: 3 }))
      const { told } = await story(it)
      assert.deepEqual(told, ending('badframe'))
      const bytes = frame({ opcode: binary, payload: Buffer.alloc(60_000) })
      for (let i = 0; i < 200; i++) await it.peer.send(bytes)
      assert.equal((await receiveFrame(it.peer)).payload.readUInt16BE(), 1002)
    })

    for (const [what, make] of [
      ['in one frame', (n: number) => frame({ opcode: binary, payload: Buffer.alloc(n) })],
      [
        'in fragments',
        (n: number) =>
          Buffer.concat([
            frame({ opcode: binary, payload: Buffer.alloc(500), fin: false }),
            frame({ opcode: continuation, payload: Buffer.alloc(n - 500) }),
          ]),
      ],
    ] as const) {
      test(`a message of exactly maxPayload passes ${what}, one more byte is answered with 1009`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await upgraded(transport, { maxPayload: 1000 })
        await it.peer.send(make(1000))
        const passed = await it.self.receive([{ type: 'gun_ws' }], 10_000)
        assert.deepEqual(passed.frame, ['binary', Buffer.alloc(1000)])
        await it.peer.send(make(1001))
        const { told, error } = await story(it)
        assert.deepEqual(told, ending('limit_reached'))
        assert.equal(error.message, 'a message from the peer exceeds wsOpts.maxPayload (1000 bytes)')
        assert.equal((await receiveFrame(it.peer)).payload.readUInt16BE(), 1009)
      })
    }

    test('an oversized frame is refused at its header, before its payload', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(transport, { maxPayload: 1000 })
      await it.peer.send(frame({ opcode: binary, claims: 1001 }))
      const { told } = await story(it)
      assert.deepEqual(told, ending('limit_reached'))
      assert.equal((await receiveFrame(it.peer)).payload.readUInt16BE(), 1009)
    })

    test('a message of exactly maxFragments passes, one more is answered with 1008', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(transport, { maxFragments: 3 })
      const part = (opcode: number, fin: boolean) => frame({ opcode, payload: 'a', fin })
      await it.peer.send(
        Buffer.concat([part(text, false), part(continuation, false), part(continuation, true)]),
      )
      const passed = await it.self.receive([{ type: 'gun_ws' }], 10_000)
      assert.deepEqual(passed.frame, ['text', 'aaa'])
      const parts = [part(text, false), part(continuation, false), part(continuation, false)]
      await it.peer.send(Buffer.concat([...parts, part(continuation, true)]))
      const { told, error } = await story(it)
      assert.deepEqual(told, ending('limit_reached'))
      assert.match(error.message, /more fragments than wsOpts\.maxFragments \(3\)/)
      assert.equal((await receiveFrame(it.peer)).payload.readUInt16BE(), 1008)
    })

    for (const [how, leave, code, said] of [
      ['resets', (peer: Peer) => peer.reset(), 'socket_error', /ECONNRESET/],
      ['closes', (peer: Peer) => peer.end(), 'closed', /without a close frame/],
    ] as const) {
      test(`a server that ${how} between frames`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await upgraded(transport)
        leave(it.peer)
        const { told, error } = await story(it)
        assert.deepEqual(told, ending(code))
        assert.match(error.message, said)
      })

      test(`a server that ${how} within a frame`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await upgraded(transport)
        const whole = frame({ opcode: text, payload: 'hello' })
        await it.peer.send(Buffer.concat([whole, whole.subarray(0, 4)]))
        await it.self.receive([{ type: 'gun_ws' }], 10_000)
        leave(it.peer)
        const { told, error } = await story(it)
        assert.deepEqual(told, ending(code))
        assert.match(error.message, said)
      })

      test(`a server that ${how} within a fragmented message`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await upgraded(transport)
        await it.peer.send(
          Buffer.concat([
            frame({ opcode: text, payload: 'whole' }),
            frame({ opcode: text, payload: 'hel', fin: false }),
          ]),
        )
        await it.self.receive([{ type: 'gun_ws' }], 10_000)
        leave(it.peer)
        const { told } = await story(it)
        assert.deepEqual(told, ending(code))
      })

      test(`a server that ${how} within the 101`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await asking(transport)
        // An informational response shows that what came with it has been read.
        const half = switchingProtocols(it.request).slice(0, 60)
        await it.peer.send(`HTTP/1.1 103 Early Hints\r\n\r\n${half}`)
        await it.self.receive([{ type: 'gun_inform' }], 10_000)
        leave(it.peer)
        const { told, error } = await story(it)
        assert.deepEqual(told, ending(code, 'http'))
        assert.match(error.message, how === 'closes' ? /within the head of a response/ : said)
      })

      test(`a server that ${how} instead of answering the upgrade`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await asking(transport)
        leave(it.peer)
        const { told } = await story(it)
        assert.deepEqual(told, ending(code, 'http'))
      })
    }

    test('a second 101 is no frame', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(transport)
      await it.peer.send(switchingProtocols(it.request))
      const { told } = await story(it)
      assert.deepEqual(told, ending('badframe'))
      assert.equal((await receiveFrame(it.peer)).payload.readUInt16BE(), 1002)
    })
  })
}
