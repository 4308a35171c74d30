// Sending: order and bytes are kept whatever their size, a tick leaves in one write, and a peer that does not read is noticed.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { certificates } from '@holster/testing'
import { type ClientFrame, closePayload, frame, opcodes, receiveFrame } from '@holster/testing/frames'
import type { RawData, WebSocket } from 'ws'
import { defer } from '../support/client.ts'
import { slowClock } from '../support/clock.ts'
import { Deflate } from '../support/deflate.ts'
import { compressed, DEFLATE, settle, texts, until } from '../support/flood.ts'
import { h2Server } from '../support/http2-server.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import {
  asking,
  isH2,
  type Scene,
  type Setup,
  text,
  transportOf,
  upgraded,
  type Wire,
  wires,
} from '../support/websocket-scene.ts'
import { type WebsocketServerOptions, websocketServer } from '../support/websocket-server.ts'

const MIB = 1024 * 1024

/** A message that is longer than what kernels keep of a connection that nobody reads. */
const LARGE = 32 * MIB

const binary = (size: number): gun.WsFrame => ['binary', Buffer.alloc(size)]

type Stream = Pick<Scene, 'connPid' | 'streamRef'>

const send = ({ connPid, streamRef }: Stream, frames: gun.WsFrame | readonly gun.WsFrame[]): boolean =>
  gun.wsSend(connPid, streamRef, frames)

const bufferedBy = ({ connPid, streamRef }: Stream): number =>
  gun.streamInfo(connPid, streamRef)?.websocket?.bufferedBytes ?? 0

/** A WebSocket that compresses what has so many bytes, and is answered so. */
const compressing = (threshold = 1024, wsOpts: gun.WsOpts = {}): Setup => ({
  wsOpts: { compress: { threshold }, ...wsOpts },
  answer: DEFLATE,
})

/** Calls of the socket's write from now on. */
function writes({ connPid }: Scene): () => number {
  const { socket } = gun.info(connPid)
  assert.ok(socket)
  let count = 0
  const write = socket.write
  socket.write = ((...args: Parameters<typeof write>) => {
    count++
    return write.apply(socket, args)
  }) as typeof write
  return () => count
}

interface Load {
  readonly what: string
  readonly frames: readonly gun.WsFrame[]
  /** How much of them waits before they leave. */
  readonly bytes: number
  readonly setup?: Setup
  /** Whether compressing takes so long that it goes on in later turns. */
  readonly isSlow?: true
}

/** Each message is compressed by itself, so that all are alike. */
const alike = compressing(1000, { compress: { threshold: 1000, clientNoContextTakeover: true } })
const HEADER = 6

const loads: readonly Load[] = [
  { what: 'a frame with its header', frames: [binary(992)], bytes: 1000 },
  { what: 'a long frame', frames: [binary(70_000)], bytes: 70_014 },
  { what: 'many frames', frames: Array.from({ length: 10 }, () => binary(94)), bytes: 1000 },
  { what: 'control frames', frames: ['ping', ['pong', Buffer.alloc(94)]], bytes: 106 },
  { what: 'text beyond ASCII', frames: [['text', 'é'.repeat(496)]], bytes: 1000 },
  {
    what: 'a message that is compressed',
    frames: [binary(1000)],
    bytes: HEADER + new Deflate().deflate(Buffer.alloc(1000)).length,
    setup: alike,
  },
  {
    what: 'a message that is being compressed, with all that waits behind it',
    frames: [['text', 'é'.repeat(5000)], binary(7), 'ping', ['text', 'ü'], binary(2000)],
    bytes: 12_009,
    setup: alike,
    isSlow: true,
  },
]

for (const wire of wires) {
  describe(`over ${wire}`, () => {
    for (const { what, frames, bytes, setup, isSlow } of loads) {
      test(`${what} may be as long as the mark, and not a byte longer`, async t => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        if (isSlow) slowClock(t)
        for (const [sendHighWaterMark, hasRoom] of [
          [bytes, true],
          [bytes - 1, false],
        ] as const) {
          const wsOpts = { ...setup?.wsOpts, sendHighWaterMark }
          for (const sendAll of [
            (it: Scene) => send(it, frames),
            (it: Scene) => frames.map(frame => send(it, frame)).at(-1),
          ]) {
            await using it = await upgraded(wire, { ...setup, wsOpts })
            assert.equal(sendAll(it), hasRoom)
            assert.equal(bufferedBy(it), bytes)
            if (!hasRoom) {
              const { event, data } = await it.self.receive([{ type: 'gun_notify', streamRef: it.streamRef }])
              assert.equal(event, 'drain')
              // Over HTTP/2 a part of a frame may wait for the window when the other part has left; frames that wait behind a
              // message that is being compressed may leave in a later turn than the message.
              if (it.isH2 || isSlow) assert.ok(data <= sendHighWaterMark / 2, `${data} still wait`)
              else assert.equal(data, 0)
            }
            await until(() => bufferedBy(it) === 0)
            for (const _ of frames) await receiveFrame(it.peer)
            await settle()
            assert.equal(it.self.messageQueueLength, 0)
            // With room there is none to be told of, and without it the next time counts as well.
            assert.equal(send(it, frames), hasRoom)
            if (!hasRoom) await it.self.receive([{ type: 'gun_notify' }])
          }
        }
      })
    }

    test('the mark is 1 MiB, may be 0, and Infinity is none', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      for (const [sendHighWaterMark, frames, hasRoom] of [
        [undefined, [binary(MIB - 14)], true],
        [undefined, [binary(MIB - 13)], false],
        [0, [], true],
        [0, ['ping'], false],
        [Number.POSITIVE_INFINITY, Array.from({ length: 8 }, () => binary(MIB)), true],
      ] as const) {
        const wsOpts = sendHighWaterMark === undefined ? {} : { sendHighWaterMark }
        await using it = await upgraded(wire, { wsOpts })
        assert.equal(send(it, frames), hasRoom)
        if (!hasRoom) await it.self.receive([{ type: 'gun_notify' }])
        for (const _ of frames) await it.peer.receive(6)
      }
    })

    test('what is sent from within a message, beyond the mark, is followed by a drain', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const drained = defer<number>()
      const answers: boolean[] = []
      const replyTo = (message: gun.GunMessage) => {
        if (message.type === 'gun_ws') answers.push(send(it, binary(1000)))
        if (message.type === 'gun_notify' && message.event === 'drain') drained.resolve(message.data)
      }
      await using it = await upgraded(wire, { wsOpts: { sendHighWaterMark: 999, replyTo } })
      await it.peer.send(text('go on'))
      assert.equal((await receiveFrame(it.peer)).payload.length, 1000)
      assert.equal(await drained.promise, 0)
      assert.deepEqual(answers, [false])
    })

    for (const [more, left] of [
      [0, LARGE / 2],
      [1, 0],
    ] as const) {
      test(`half the mark${more === 0 ? '' : ' and a byte'} that waits ${more === 0 ? 'is' : 'is not yet'} room`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        const notified: [data: number, buffered: number][] = []
        const replyTo = (message: gun.GunMessage) => {
          if (message.type === 'gun_notify' && message.event === 'drain')
            notified.push([message.data, bufferedBy(it)])
        }
        await using it = await upgraded(wire, { wsOpts: { sendHighWaterMark: LARGE, replyTo } })
        await until(() => gun.streamInfo(it.connPid, it.streamRef)?.websocket !== undefined)
        it.peer.socket.pause()
        assert.equal(send(it, binary(LARGE)), false)
        await turn()
        const behind = LARGE / 2 + more
        assert.equal(send(it, binary(behind - 14)), false)
        await settle()
        // A system takes a message as a whole, or not; HTTP/2 sends as much of it as the server's windows allow.
        const taken = LARGE + 14 + behind - bufferedBy(it)
        if (it.isH2) assert.ok(taken >= 65_535 && taken <= 4 * 65_535, `${taken} were taken`)
        else assert.equal(taken, 0)
        assert.deepEqual(notified, [])
        await it.peer.receive(LARGE + 14 + behind)
        await until(() => notified.length > 0)
        await settle()
        if (!it.isH2) return assert.deepEqual(notified, [[left, left]])
        const [[data, buffered] = [LARGE, 0], ...others] = notified
        assert.ok(data <= LARGE / 2, `${data} still wait`)
        assert.deepEqual([buffered, others], [data, []])
      })
    }

    test('a sender that heeds the mark stays near it, time and again, and all arrives in order', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const size = 65_536
      const count = 1024
      const all = defer<void>()
      let received = 0
      const onConnection = (socket: WebSocket): void => {
        socket.on('message', (data: RawData) => {
          const number = (data as Buffer).readUInt32BE()
          if (number !== received++) all.reject(new Error(`${number} came in place of ${received - 1}`))
          if (received === count) all.resolve()
          if (received % 64 !== 0) return
          socket.pause()
          settle().then(() => socket.resume())
        })
      }
      await using it = await websocket(wire, { onConnection })
      let most = 0
      let full = 0
      for (let n = 0; n < count; n++) {
        const payload = Buffer.alloc(size)
        payload.writeUInt32BE(n)
        const hasRoom = send(it, ['binary', payload])
        most = Math.max(most, bufferedBy(it))
        if (hasRoom) continue
        full++
        const { data } = await it.self.receive([{ type: 'gun_notify', event: 'drain' }])
        assert.ok(data <= MIB / 2, `${data} still wait`)
      }
      await all.promise
      assert.ok(full > 3, `it was full ${full} times`)
      assert.ok(most <= MIB + size + 14, `${most} bytes waited`)
      assert.equal(it.self.messageQueueLength, 0)
    })

    for (const compress of [false, true]) {
      test(`a sender that ignores the mark loses nothing${compress ? ', compressed' : ''}`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        const count = 10_000
        const received: string[] = []
        const closed = defer<string>()
        const onConnection = (socket: WebSocket): void => {
          socket.on('message', data => received.push(String(data).trim()))
          socket.on('close', (code, reason) => closed.resolve(`${code} ${reason}`))
        }
        await using it = await websocket(
          wire,
          { onConnection, ws: { perMessageDeflate: true } },
          { compress },
        )
        const { websocket: info } = gun.streamInfo(it.connPid, it.streamRef) ?? {}
        assert.equal(info?.extensions, compress ? 'permessage-deflate' : undefined)
        const room = Array.from({ length: count }, (_, n) => send(it, ['text', `${n}`.padEnd(2048)]))
        // As much as a turn has time for is compressed at once, and counts as what it has become.
        if (compress) assert.ok(room.indexOf(false) >= MIB / 2048)
        else assert.equal(room.indexOf(false), Math.floor(MIB / 2056))
        assert.equal(room.lastIndexOf(true), room.indexOf(false) - 1)
        send(it, ['close', 4000, 'bye'])
        assert.equal(await closed.promise, '4000 bye')
        assert.deepEqual(
          received,
          Array.from({ length: count }, (_, n) => `${n}`),
        )
        await it.self.receive([{ type: 'gun_notify' }])
        assert.equal(it.self.flush({ type: 'gun_notify' }), 0)
      })
    }

    test('frames of one tick leave in one write, at its end', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(wire)
      const count = writes(it)
      let chunks = 0
      it.peer.socket.on('data', () => chunks++)
      const tick = () => new Promise<void>(resolve => process.nextTick(resolve))
      for (let n = 0; n < 100; n++) send(it, n % 3 === 0 ? 'ping' : ['text', String(n)])
      assert.equal(count(), 0)
      await tick()
      assert.equal(count(), 1)
      for (let n = 0; n < 100; n++) {
        const { opcode, payload } = await receiveFrame(it.peer)
        assert.deepEqual(
          [opcode, String(payload)],
          n % 3 === 0 ? [opcodes.ping, ''] : [opcodes.text, String(n)],
        )
      }
      // The server of HTTP/2 hands each frame of DATA on by itself.
      assert.equal(chunks, it.isH2 ? 100 : 1)
      send(it, 'ping')
      await tick()
      assert.equal(count(), 2)
      await receiveFrame(it.peer)
    })

    test('answers to messages that came together leave together', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(wire)
      const count = writes(it)
      const answering = (async () => {
        for (let n = 0; n < 50; n++)
          send(it, (await it.self.receive([{ type: 'gun_ws' }])).frame as gun.WsFrame)
      })()
      await it.peer.send(texts(50))
      await answering
      for (let n = 0; n < 50; n++) assert.equal(String((await receiveFrame(it.peer)).payload), String(n))
      assert.equal(count(), 1)
    })

    test('small and large frames of one tick keep their order and their bytes', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(wire)
      // The limits of a header's length, of what is copied and of a page, and well beyond.
      const sizes = [0, 1, 125, 126, 1024, 1025, 4096, 4097, 16_376, 16_377, 16_384, 65_535, 65_536, 300_000]
      const frames = [...sizes, ...sizes.toReversed(), 5, 65_536, 5, 16_384, 16_384, 5].map(
        (size, n): ['text', string] | ['binary', Buffer] =>
          n % 2 === 0
            ? ['text', String.fromCharCode(97 + (n % 26)).repeat(size)]
            : ['binary', randomBytes(size)],
      )
      // The second time in pages that have been used.
      for (let round = 0; round < 2; round++) {
        send(it, frames)
        for (const [name, payload] of frames) {
          const received = await receiveFrame(it.peer)
          assert.equal(received.opcode, opcodes[name])
          assert.ok(received.payload.equals(Buffer.from(payload as string)), `${name} of ${payload.length}`)
        }
      }
    })

    for (const [how, sendAll] of [
      ['in one call', async (it: Scene, frames: readonly gun.WsFrame[]) => void send(it, frames)],
      [
        'one by one',
        async (it: Scene, frames: readonly gun.WsFrame[]) => frames.map(frame => send(it, frame)),
      ],
      [
        'a turn apart',
        async (it: Scene, frames: readonly gun.WsFrame[]) => {
          for (const frame of frames) {
            send(it, frame)
            await turn()
          }
        },
      ],
    ] as const) {
      test(`frames that are compressed keep their place among others, sent ${how}`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await upgraded(wire, compressing())
        const bytes = randomBytes(100_000)
        const frames: readonly gun.WsFrame[] = [
          ['text', 'small'],
          ['text', 'x'.repeat(1023)],
          ['text', 'x'.repeat(1024)],
          'ping',
          ['text', 'small'],
          ['binary', bytes],
          ['pong', Buffer.from('p')],
          ['text', 'é'.repeat(512)],
          ['binary', Buffer.of(1)],
          ['close', 1000, 'bye'],
        ]
        await sendAll(it, frames)
        const inflater = new Deflate()
        const received: [opcode: number, rsv1: boolean, payload: Buffer][] = []
        for (const _ of frames) {
          const { opcode, rsv1, payload } = await receiveFrame(it.peer)
          received.push([opcode, rsv1, rsv1 ? inflater.inflate(payload) : payload])
        }
        assert.deepEqual(received, [
          [opcodes.text, false, Buffer.from('small')],
          [opcodes.text, false, Buffer.from('x'.repeat(1023))],
          [opcodes.text, true, Buffer.from('x'.repeat(1024))],
          [opcodes.ping, false, Buffer.of()],
          [opcodes.text, false, Buffer.from('small')],
          [opcodes.binary, true, bytes],
          [opcodes.pong, false, Buffer.from('p')],
          [opcodes.text, true, Buffer.from('é'.repeat(512))],
          [opcodes.binary, false, Buffer.of(1)],
          [opcodes.close, false, closePayload(1000, 'bye')],
        ])
      })
    }

    for (const [what, setup, first] of [
      ['', {}, []],
      [', compressed', compressing(0), []],
      [', waiting behind what is compressed', compressing(60_000), [binary(60_000)]],
    ] as const) {
      test(`what was sent no longer depends on the caller's buffer, nor that on it${what}`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await upgraded(wire, setup)
        const inflater = new Deflate()
        const payloadOf = ({ rsv1, payload }: ClientFrame) => (rsv1 ? inflater.inflate(payload) : payload)
        const sizes = [3, 100, 5000, 20_000, 50_000]
        const buffers = sizes.map(size => Buffer.alloc(size, 'a'))
        const kept = sizes.map(size => Buffer.alloc(size, 'k'))
        const control = Buffer.from('control')
        send(it, [
          ...first,
          ...[...buffers, ...kept].map(bytes => ['binary', bytes] as const),
          ['ping', control],
        ])
        for (const bytes of buffers) bytes.fill('b')
        control.fill('b')
        for (const _ of first) payloadOf(await receiveFrame(it.peer))
        for (const letter of ['a', 'k']) {
          for (const size of sizes) {
            const payload = payloadOf(await receiveFrame(it.peer))
            assert.ok(payload.equals(Buffer.alloc(size, letter)), `${size} bytes of ${letter}`)
          }
        }
        assert.equal(String((await receiveFrame(it.peer)).payload), 'control')
        for (const bytes of kept) assert.ok(bytes.equals(Buffer.alloc(bytes.length, 'k')))
      })
    }

    for (const [how, lose, eventHandler] of [
      // After the message has come, while it is inflated.
      ['by close', () => {}, { wsRecvFrameEnd: ({ connPid }) => process.nextTick(gun.close, connPid) }],
      ['by close at once', (it: Scene) => gun.close(it.connPid)],
      ['by a reset', (it: Scene) => it.peer.reset()],
      ['by the end of the server', (it: Scene) => it.peer.end()],
      ['by a bad frame', (it: Scene) => void it.peer.send(frame({ opcode: 3 }))],
      ['by the end of the owner', (it: Scene) => it.peer.end(void it.self.exit())],
    ] as readonly [string, (it: Scene) => void, gun.EventHandler?][]) {
      test(`connections that are lost ${how} while they compress and inflate leave nothing behind`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        const bytes = randomBytes(300_000)
        const message = compressed(bytes)
        // Twice as many as may work at once in the whole program.
        const losing = Array.from({ length: 20 }, async () => {
          const opts = { retry: 0, ...(eventHandler && { eventHandler }) }
          await using it = await upgraded(wire, { ...compressing(), opts })
          const sending = it.peer.send(Buffer.concat([message, message]))
          // Where it is to be inflating that is under way, nothing else takes the places of those that work.
          if (eventHandler === undefined) {
            send(it, [
              ['binary', bytes],
              ['text', 'small'],
              ['binary', bytes],
            ])
          }
          lose(it)
          sending.catch(() => {})
          await it.connPid[Symbol.asyncDispose]()
        })
        await Promise.all(losing)
        await using it = await upgraded(wire, compressing())
        await it.peer.send(compressed('x'.repeat(5000)))
        const { frame } = await it.self.receive([{ type: 'gun_ws' }])
        assert.deepEqual(frame, ['text', 'x'.repeat(5000)])
        send(it, frame as gun.WsFrame)
        const { rsv1, payload } = await receiveFrame(it.peer)
        assert.ok(rsv1)
        assert.equal(String(new Deflate().inflate(payload)), 'x'.repeat(5000))
      })
    }

    test('when the connection is lost before what was sent has left, no drain is told of', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const told: string[] = []
      const replyTo = (message: gun.GunMessage) => {
        told.push(message.type)
        if (message.type === 'gun_ws') assert.equal(send(it, ['text', 'answer']), false)
      }
      const wsOpts = { sendHighWaterMark: 0, replyTo }
      await using it = await upgraded(wire, { opts: { retry: 0 }, wsOpts })
      // The second frame is wrong: the answer to the first is still to leave.
      await it.peer.send(Buffer.concat([text('question'), frame({ opcode: 3 })]))
      assert.equal(String((await receiveFrame(it.peer)).payload), 'answer')
      assert.deepEqual((await receiveFrame(it.peer)).payload, closePayload(1002))
      await it.peer.closed
      await settle()
      assert.deepEqual(told, ['gun_upgrade', 'gun_ws', 'gun_error'])
    })

    test('behind a close frame it is false, with the frames in a gun_error, and no drain is told of', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(wire)
      const late: gun.WsFrame[] = [['text', 'late'], 'ping']
      assert.deepEqual(
        [send(it, ['text', 'in time']), send(it, 'close'), send(it, late), gun.wsSend(it.connPid, 'pong')],
        [true, true, false, false],
      )
      for (const frames of [late, ['pong']]) {
        const message = await it.self.receive([{ streamRef: it.streamRef }])
        assert.ok(message.type === 'gun_error')
        assert.deepEqual([message.reason.code, message.reason.frames], ['badstate', frames])
      }
      for (const opcode of [opcodes.text, opcodes.close]) {
        assert.equal((await receiveFrame(it.peer)).opcode, opcode)
      }
      await settle()
      assert.equal(it.self.messageQueueLength, 0)
    })

    test('of a list with a close frame in it what stands before it is sent, and the rest comes back', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(wire, { wsOpts: { sendHighWaterMark: 0 } })
      // What was taken of it is beyond the mark, and yet there is nothing to go on with.
      assert.equal(send(it, [['text', 'first'], 'close', ['text', 'late']]), false)
      const message = await it.self.receive([{ streamRef: it.streamRef }])
      assert.ok(message.type === 'gun_error')
      assert.deepEqual(message.reason.frames, [['text', 'late']])
      assert.equal(String((await receiveFrame(it.peer)).payload), 'first')
      await settle()
      assert.equal(it.self.messageQueueLength, 0)
    })

    test('behind the close frame of the peer it is false, too', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(wire, { wsOpts: { sendHighWaterMark: 0 } })
      await it.peer.send(frame({ opcode: opcodes.close, payload: closePayload(1000) }))
      await it.self.receive([{ type: 'gun_ws', streamRef: it.streamRef }])
      assert.equal(send(it, 'ping'), false)
      const { reason } = await it.self.receive([{ type: 'gun_error', streamRef: it.streamRef }])
      assert.deepEqual([reason.code, reason.frames], ['badstate', ['ping']])
    })

    test('where there is no WebSocket yet, or any more, it is false, with the frames in a gun_error', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await asking(wire, { opts: { retry: 0 }, wsOpts: { sendHighWaterMark: 0 } })
      const { connPid, self, streamRef } = it
      const come = async (ref: gun.StreamRef | undefined): Promise<unknown> => {
        const { reason } = await self.receive([{ type: 'gun_error', streamRef: ref }])
        assert.equal(reason.code, 'badstate')
        return reason.frames
      }
      assert.equal(gun.wsSend(connPid, streamRef, 'ping'), false)
      assert.deepEqual(await come(streamRef), ['ping'])
      assert.equal(gun.wsSend(connPid, ['text', 'a']), false)
      assert.deepEqual(await come(undefined), [['text', 'a']])
      const request = gun.get(connPid, '/')
      assert.equal(gun.wsSend(connPid, request, 'pong'), false)
      assert.deepEqual(await come(request), ['pong'])
      gun.close(connPid)
      assert.equal(gun.wsSend(connPid, 'ping'), false)
      assert.deepEqual(await come(undefined), ['ping'])
    })

    test('when what is told of a frame closes the connection, wsSend does not throw', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const eventHandler: gun.EventHandler = { wsSendFrameStart: ({ connPid }) => gun.close(connPid) }
      const wsOpts = { sendHighWaterMark: 0 }
      await using it = await upgraded(wire, { opts: { eventHandler }, wsOpts })
      assert.doesNotThrow(() => send(it, ['text', 'too late']))
      assert.deepEqual(await it.story(), ['error of the stream: shutdown', 'DOWN: shutdown'])
    })
  })
}

interface Real extends AsyncDisposable, Pick<Scene, 'self' | 'connPid' | 'streamRef'> {}

/** A WebSocket to a real server. */
async function websocket(
  wire: Wire,
  options: Pick<WebsocketServerOptions, 'ws'> & { onConnection: (socket: WebSocket) => void },
  wsOpts: gun.WsOpts = {},
): Promise<Real> {
  const transport = transportOf(wire)
  const server = await (isH2(wire) ? h2Server : websocketServer)({ transport, ...options })
  const self = createProcess<gun.GunMessage>()
  const connPid = gun.open(server.host, server.port, {
    owner: self,
    protocols: [isH2(wire) ? 'http2' : 'http'],
    ...(transport === 'tls' && { transport, tlsOpts: { ca: certificates.ca } }),
  })
  await self.receive([{ type: 'gun_up' }])
  const streamRef = gun.wsUpgrade(connPid, '/', {}, wsOpts)
  await self.receive([{ type: 'gun_upgrade', streamRef }])
  return {
    self,
    connPid,
    streamRef,
    async [Symbol.asyncDispose]() {
      gun.close(connPid)
      self.exit()
      await server.close()
    },
  }
}
