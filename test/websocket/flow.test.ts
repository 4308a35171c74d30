// Flow control: a WebSocket hands on as many messages as were asked for, holds the others back, and loses none.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as gun from '@holster/gun'
import { closePayload, frame, opcodes, receiveFrame } from '@holster/testing/frames'
import { createActor, fromTransition } from 'xstate'
import { defer, heldUp } from '../support/client.ts'
import { Deflate } from '../support/deflate.ts'
import {
  arrived,
  compressed,
  DEFLATE,
  isPaused,
  numbers,
  settle,
  take,
  texts,
  until,
} from '../support/flood.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { close, ping, pong, type Scene, text, upgraded, wires } from '../support/websocket-scene.ts'

const { binary, continuation } = opcodes
/** More than one read of a socket brings. */
const LONG = 300_000

function more({ connPid, streamRef }: Scene, increment: number): void {
  gun.updateFlow(connPid, streamRef, increment)
}

const flowOf = ({ connPid, streamRef }: Scene): number | undefined =>
  gun.streamInfo(connPid, streamRef)?.websocket?.flow

/** What the server has got before a frame that is sent now. */
async function answers({ connPid, streamRef, peer }: Scene): Promise<string[]> {
  gun.wsSend(connPid, streamRef, ['text', 'that was all'])
  const seen: string[] = []
  for (;;) {
    const { opcode, payload } = await receiveFrame(peer)
    if (opcode === opcodes.text) return seen
    seen.push(`${opcode} ${payload}`)
  }
}

const told = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, i) => `ws text,${from + i}`)

/** A message, in the frames that make one of it, and what the owner gets. */
const messages: readonly (readonly [what: string, bytes: Buffer, frame: gun.WsFrameIn])[] = [
  ['an empty message', text(''), ['text', '']],
  [
    'a message of many reads',
    frame({ opcode: binary, payload: Buffer.alloc(LONG, 7) }),
    ['binary', Buffer.alloc(LONG, 7)],
  ],
  [
    'a message of many fragments with pings between them',
    Buffer.concat([
      frame({ opcode: opcodes.text, payload: 'a', fin: false }),
      ping(),
      frame({ opcode: continuation, payload: 'b', fin: false }),
      ping(),
      frame({ opcode: continuation, payload: 'c' }),
    ]),
    ['text', 'abc'],
  ],
  ['a compressed message', compressed('a'.repeat(LONG)), ['text', 'a'.repeat(LONG)]],
  [
    'a compressed message of many fragments',
    (() => {
      const bytes = new Deflate().deflate('abc'.repeat(1000))
      return Buffer.concat([
        frame({ opcode: opcodes.text, rsv1: true, payload: bytes.subarray(0, 4), fin: false }),
        frame({ opcode: continuation, payload: bytes.subarray(4, 9), fin: false }),
        frame({ opcode: continuation, payload: bytes.subarray(9) }),
      ])
    })(),
    ['text', 'abc'.repeat(1000)],
  ],
]

for (const wire of wires) {
  describe(`over ${wire}`, () => {
    test('of many frames in one chunk as many are handed on as were asked for', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(wire, { wsOpts: { flow: 3 } })
      await it.peer.send(texts(500))
      assert.deepEqual(await arrived(it, 3), numbers(3))
      assert.ok(it.isH2 || isPaused(it))
      let from = 3
      for (const count of [1, 2, 7, 100]) {
        assert.equal(flowOf(it), 0)
        more(it, count)
        // Not within the call.
        assert.equal(it.self.messageQueueLength, 0)
        assert.deepEqual(await arrived(it, count), numbers(count, from))
        from += count
      }
      // Asked for in parts before anything can come of it; and more than there is.
      more(it, 300)
      more(it, 200)
      assert.deepEqual(await arrived(it, 387), numbers(387, 113))
      assert.equal(flowOf(it), 113)
      await it.peer.send(texts(200, 500))
      assert.deepEqual(await arrived(it, 113), numbers(113, 500))
    })

    for (const [what, bytes, expected] of messages) {
      test(`${what} counts once`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await upgraded(wire, { wsOpts: { flow: 1, compress: true }, answer: DEFLATE })
        const sending = it.peer.send(Buffer.concat([bytes, bytes, bytes, text('after them')]))
        for (let i = 0; i < 3; i++) {
          assert.deepEqual(await arrived(it, 1), [expected])
          assert.equal(flowOf(it), 0)
          more(it, 1)
        }
        assert.deepEqual(await arrived(it, 1), [['text', 'after them']])
        await sending
      })
    }

    test('pings and pongs that are silenced cost nothing, and pings are answered as they are read', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(wire, { wsOpts: { flow: 1 } })
      await it.peer.send(
        Buffer.concat([ping('a'), pong('b'), ping(), text('0'), ping('c'), text('1'), ping('d')]),
      )
      assert.deepEqual(await arrived(it, 1), [['text', '0']])
      assert.deepEqual(await answers(it), ['10 a', '10 '])
      more(it, 1)
      assert.deepEqual(await arrived(it, 1), [['text', '1']])
      assert.deepEqual(await answers(it), ['10 c'])
      more(it, 1)
      assert.deepEqual(await arrived(it, 0), [])
      assert.deepEqual(await answers(it), ['10 d'])
      assert.equal(flowOf(it), 1)
    })

    test('pings and pongs that are messages count', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(wire, { wsOpts: { flow: 3, silencePings: false } })
      await it.peer.send(Buffer.concat([ping(), pong(), text('0'), ping(), text('1')]))
      assert.deepEqual(await arrived(it, 3), ['ping', 'pong', ['text', '0']])
      assert.deepEqual(await answers(it), ['10 '])
      more(it, 1)
      assert.deepEqual(await arrived(it, 1), ['ping'])
      assert.deepEqual(await answers(it), ['10 '])
      more(it, 1)
      assert.deepEqual(await arrived(it, 1), [['text', '1']])
    })

    test('the number that a handler gives is taken from the flow of its stream, also where less is left', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const handled: gun.WsFrameIn[] = []
      const defaultProtocol: gun.WsHandler = {
        init: () => undefined,
        handle: frame => handled.push(frame),
      }
      await using it = await upgraded(wire, { wsOpts: { flow: 2, defaultProtocol } })
      await it.peer.send(texts(5))
      const assertHandled = async (count: number, left: number): Promise<void> => {
        await until(() => handled.length >= count)
        await settle()
        assert.deepEqual(handled, numbers(count))
        assert.equal(flowOf(it), left)
      }
      // The handler gives 1 for the first message, 2 for the second, and so on.
      await assertHandled(2, -1)
      more(it, 1)
      await assertHandled(2, 0)
      more(it, 1)
      await assertHandled(3, -2)
      more(it, 20)
      await assertHandled(5, 9)
    })

    test('a close frame of the server waits for its turn, and ends the connection', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(wire, { opts: { retry: 0 }, wsOpts: { flow: 2 } })
      await it.peer.send(Buffer.concat([texts(3), close(1000, 'bye')]))
      assert.deepEqual(await arrived(it, 2), numbers(2))
      more(it, 1)
      assert.deepEqual(await arrived(it, 1), numbers(1, 2))
      assert.equal(gun.streamInfo(it.connPid, it.streamRef)?.state, 'running')
      more(it, 1)
      assert.deepEqual((await receiveFrame(it.peer)).payload, closePayload(1000))
      it.peer.end()
      assert.deepEqual(await it.story(), ['ws close,1000,bye', ...it.closed])
    })

    for (const [how, before] of [
      ['takes the last credit', 0],
      ['was held back', 3],
    ] as const) {
      test(`what a server sends behind a close frame that ${how} is read and dropped`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await upgraded(wire, { opts: { retry: 0 }, wsOpts: { flow: 1 } })
        await it.peer.send(Buffer.concat([texts(before), close(1000)]))
        const sending = it.peer.send(Buffer.alloc(LONG))
        if (before > 0) {
          assert.deepEqual(await arrived(it, 1), numbers(1))
          assert.ok(it.isH2 || isPaused(it))
          more(it, before)
        }
        await receiveFrame(it.peer)
        await until(() => !isPaused(it))
        await sending
        it.peer.end()
        assert.deepEqual(await it.story(), [...told(before).slice(1), 'ws close,1000,', ...it.closed])
      })
    }

    test('what a server sends behind a close frame that a mailbox over its mark held back is dropped', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const ownerOptions = { highWaterMark: { messages: 10 } }
      await using it = await upgraded(wire, { opts: { retry: 0 }, ownerOptions })
      await it.peer.send(texts(20))
      await until(heldUp(() => it.isH2 || isPaused(it)))
      const sending = it.peer.send(Buffer.concat([close(1000), Buffer.alloc(LONG)]))
      await settle()
      assert.deepEqual(await take(it, 20), numbers(20))
      await receiveFrame(it.peer)
      await settle()
      await until(() => !isPaused(it))
      await sending
      it.peer.end()
      assert.deepEqual(await it.story(), ['ws close,1000,', ...it.closed])
    })

    test('a close frame that was held back when the server ended ends the connection in order', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(wire, { opts: { retry: 0 }, wsOpts: { flow: 1 } })
      it.peer.end(Buffer.concat([texts(2), close(1000)]))
      assert.deepEqual(await arrived(it, 1), numbers(1))
      more(it, 2)
      assert.deepEqual(await it.story(), [...told(1, 1), 'ws close,1000,', ...it.closed])
    })

    test('when the server ends, what is held back waits for credit, and then the end comes', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(wire, { opts: { retry: 0 }, wsOpts: { flow: 2 } })
      it.peer.end(texts(10))
      assert.deepEqual(await arrived(it, 2), numbers(2))
      more(it, 3)
      assert.deepEqual(await arrived(it, 3), numbers(3, 2))
      assert.equal(gun.streamInfo(it.connPid, it.streamRef)?.state, 'running')
      more(it, 6)
      assert.deepEqual(await it.story(), [...told(5, 5), ...it.ending('closed')])
    })

    test('when the server ends, what a mailbox over its mark holds back is not lost', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const ownerOptions = { highWaterMark: { messages: 100 } }
      await using it = await upgraded(wire, { opts: { retry: 0 }, ownerOptions })
      it.peer.end(texts(30_000))
      for (let from = 0; from < 30_000; ) {
        // As slow as can be: nothing is taken but when nothing more comes.
        await until(() => it.self.messageQueueLength > 0)
        await settle()
        const waiting = Math.min(it.self.messageQueueLength, 30_000 - from)
        assert.deepEqual(await take(it, waiting), numbers(waiting, from))
        from += waiting
      }
      assert.deepEqual(await it.story(), it.ending('closed'))
    })

    test('when the line is reset, what has been read is handed on, and then the end comes', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(wire, { opts: { retry: 0 }, wsOpts: { flow: 2 } })
      await it.peer.send(texts(10))
      assert.deepEqual(await arrived(it, 2), numbers(2))
      it.peer.reset()
      // A socket that is not read says nothing of its end.
      more(it, 9)
      assert.deepEqual(await it.story(), [...told(8, 2), ...it.ending('socket_error')])
    })

    test('when the line is reset while a message is inflated, that and what follows come first', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const wsOpts = { flow: 1, compress: true }
      await using it = await upgraded(wire, { opts: { retry: 0 }, wsOpts, answer: DEFLATE })
      const big = 'x'.repeat(5000)
      await it.peer.send(Buffer.concat([text('0'), compressed(big), text('1'), compressed(big), text('2')]))
      assert.deepEqual(await arrived(it, 1), numbers(1))
      it.peer.reset()
      more(it, 5)
      assert.deepEqual(await it.story(), [
        `ws text,${big}`,
        'ws text,1',
        `ws text,${big}`,
        'ws text,2',
        ...it.ending('socket_error'),
      ])
    })

    for (const [what, leave, code] of [
      ['we close', (it: Scene) => gun.wsSend(it.connPid, it.streamRef, 'close'), undefined],
      ['the owner shuts the connection down', (it: Scene) => gun.shutdown(it.connPid), 1001],
    ] as const) {
      test(`when ${what}, what has come is handed on whatever the credit`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await upgraded(wire, { opts: { retry: 0 }, wsOpts: { flow: 2 } })
        await it.peer.send(texts(10))
        assert.deepEqual(await arrived(it, 2), numbers(2))
        leave(it)
        assert.deepEqual(await arrived(it, 8), numbers(8, 2))
        const { opcode, payload } = await receiveFrame(it.peer)
        assert.deepEqual(
          [opcode, payload],
          [opcodes.close, code === undefined ? Buffer.of() : closePayload(code)],
        )
        // Whatever the server says until it answers, and its answer.
        await it.peer.send(Buffer.concat([texts(10, 10), close(1000)]))
        it.peer.end()
        const heard = await it.story()
        assert.deepEqual(heard.slice(0, 11), [...told(10, 10), 'ws close,1000,'])
        assert.match(
          heard.at(-1) ?? '',
          code !== undefined ? /^DOWN: shutdown$/ : it.isH2 ? /^ws close/ : /^DOWN: normal$/,
        )
      })
    }

    test('when the owner exits, whom the stream replies to gets what has come', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const got: gun.GunMessage[] = []
      const replyTo = (message: gun.GunMessage) => got.push(message)
      await using it = await upgraded(wire, { wsOpts: { flow: 2, replyTo } })
      const frames = () => got.flatMap(message => (message.type === 'gun_ws' ? [message.frame] : []))
      await it.peer.send(texts(10))
      await until(() => got.length >= 3)
      await settle()
      assert.deepEqual(frames(), numbers(2))
      it.self.exit()
      assert.deepEqual((await receiveFrame(it.peer)).payload, closePayload(1001))
      assert.deepEqual(frames(), numbers(10))
      it.peer.end(close(1001))
      await it.connPid[Symbol.asyncDispose]()
      assert.deepEqual(frames(), [...numbers(10), ['close', 1001, '']])
    })

    test('close drops what was held back', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(wire, { wsOpts: { flow: 2 } })
      await it.peer.send(texts(10))
      assert.deepEqual(await arrived(it, 2), numbers(2))
      gun.close(it.connPid)
      assert.deepEqual(await it.story(), ['error of the stream: shutdown', 'DOWN: shutdown'])
      await it.peer.closed
    })

    test('flow of an upgrade wins over that of open', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      for (const [ofOpen, ofUpgrade, count] of [
        [2, undefined, 2],
        [2, 5, 5],
        [5, 2, 2],
        [2, Number.POSITIVE_INFINITY, 10],
      ] as const) {
        const wsOpts = ofUpgrade === undefined ? {} : { flow: ofUpgrade }
        await using it = await upgraded(wire, { opts: { wsOpts: { flow: ofOpen } }, wsOpts })
        await it.peer.send(texts(10))
        assert.deepEqual(await arrived(it, count), numbers(count))
      }
    })

    test('flow and the mark of the mailbox hold back each for itself', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const ownerOptions = { highWaterMark: { messages: 10 } }
      await using it = await upgraded(wire, { wsOpts: { flow: 20 }, ownerOptions })
      await it.peer.send(texts(60))
      await until(() => it.self.messageQueueLength >= 20)
      await settle()
      // Over the mark, credit helps nothing.
      more(it, 20)
      await settle()
      assert.equal(it.self.messageQueueLength, 20)
      assert.deepEqual(await take(it, 14), numbers(14))
      await settle()
      assert.equal(it.self.messageQueueLength, 6)
      // At half the mark it goes on, as far as the credit goes.
      assert.deepEqual(await take(it, 1), numbers(1, 14))
      assert.deepEqual(await arrived(it, 25), numbers(25, 15))
      // Without credit, room in the mailbox helps nothing, nor does an owner that waits.
      const waiting = it.self.receive([{ type: 'gun_ws', frame: ['text', '59'] }])
      await settle()
      assert.equal(it.self.messageQueueLength, 0)
      more(it, 20)
      await waiting
      assert.deepEqual(await arrived(it, 19), numbers(19, 40))
    })
  })
}

describe('updateFlow', () => {
  test('takes whole numbers of at least 1', async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using it = await upgraded('tcp', { wsOpts: { flow: 1 } })
    for (const wrong of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '1', undefined, null, 1n]) {
      assert.throws(() => more(it, wrong as number), RangeError, String(wrong))
    }
    assert.equal(flowOf(it), 1)
  })

  test('does nothing where flow is off', async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using it = await upgraded('tcp')
    more(it, 1)
    assert.equal(flowOf(it), Number.POSITIVE_INFINITY)
    await it.peer.send(texts(10))
    assert.deepEqual(await arrived(it, 10), numbers(10))
  })

  test('does nothing for another stream, nor for one that has ended', async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using it = await upgraded('tcp', { opts: { retry: 0 }, wsOpts: { flow: 1 } })
    const other = gun.get(it.connPid, '/')
    assert.deepEqual(await it.heard(1), ['error of another stream: badstate'])
    gun.updateFlow(it.connPid, other, 5)
    await it.peer.send(texts(3))
    assert.deepEqual(await arrived(it, 1), numbers(1))
    gun.close(it.connPid)
    await it.story()
    more(it, 5)
    assert.deepEqual(await arrived(it, 0), [])
  })

  const COUNT = 100_000
  const flood = (): Buffer => {
    const bytes = Buffer.alloc(COUNT * 6)
    for (let n = 0; n < COUNT; n++) {
      bytes.writeUInt16BE(0x8204, n * 6)
      bytes.writeUInt32BE(n, n * 6 + 2)
    }
    return bytes
  }
  const numberOf = (frame: gun.WsFrameIn): number => (frame[1] as Buffer).readUInt32BE()

  /** A receiver that asks for the next message as it gets one. */
  function greedy(): { receive: (message: gun.GunMessage) => void; all: Promise<void> } {
    const all = defer<void>()
    let next = 0
    let depth = 0
    const receive = (message: gun.GunMessage): void => {
      if (message.type !== 'gun_ws') return
      depth++
      if (depth > 1 || numberOf(message.frame) !== next) {
        all.reject(new Error(`${numberOf(message.frame)} came in place of ${next}, ${depth} deep`))
      }
      if (++next === COUNT) all.resolve()
      gun.updateFlow(message.connPid, message.streamRef, 1)
      depth--
    }
    return { receive, all: all.promise }
  }

  for (const [what, make] of [
    ['a function', (receive: gun.Receiver) => receive],
    ['an object', (receive: gun.Receiver) => ({ send: receive })],
    [
      'an xstate actor',
      (receive: gun.Receiver) =>
        createActor(
          fromTransition((state, message: gun.GunMessage) => {
            receive(message)
            return state
          }, 0),
        ).start(),
    ],
  ] as const) {
    test(`within ${what} that gets one message at a time does not recurse`, async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const { receive, all } = greedy()
      await using it = await upgraded('tcp', { wsOpts: { flow: 1, replyTo: make(receive) } })
      await it.peer.send(flood())
      await all
    })
  }

  test('of a process that gets one message at a time brings all of them, in order', async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using it = await upgraded('tcp', { wsOpts: { flow: 1 } })
    const sending = it.peer.send(flood())
    for (let n = 0; n < COUNT; n++) {
      const { frame } = await it.self.receive([{ type: 'gun_ws' }])
      assert.equal(numberOf(frame), n)
      assert.equal(it.self.messageQueueLength, 0)
      more(it, 1)
    }
    await sending
  })
})
