// Subprotocols: which one is asked for and chosen, and what its handler makes of the frames.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess, type Pid } from '@holster/process'
import { closePayload, frame, opcodes, receiveFrame, switchingProtocols } from '@holster/testing/frames'
import { type AnyActorRef, createActor, fromCallback } from 'xstate'
import { defer, eventually, heldUp, NO_CONTENT } from '../support/client.ts'
import { settle } from '../support/flood.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import {
  asking,
  close,
  ping,
  pong,
  type Scene,
  type Setup,
  text,
  upgraded,
  wires,
} from '../support/websocket-scene.ts'

interface Stanza {
  readonly type: 'stanza'
  readonly who: string
  readonly frame: gun.WsFrameIn
}

/** Posts a stanza for each frame that is neither a ping nor a pong. */
function stanzas(who: string): gun.WsHandler<{ replyTo: Pid<Stanza> }, Stanza> {
  return {
    init: replyTo => ({ replyTo }),
    handle(frame, { replyTo }) {
      const name = typeof frame === 'string' ? frame : frame[0]
      if (name === 'ping' || name === 'pong') return 0
      replyTo.send({ type: 'stanza', who, frame })
      return 1
    },
  }
}

const choosing = (name: string): NonNullable<Setup['answer']> => [['Sec-WebSocket-Protocol', name]]

type Owner = Pick<Awaited<ReturnType<typeof upgraded>>, 'self'>

/** What a handler has sent to the owner, which takes other messages as well. */
async function stanza({ self }: Owner): Promise<Stanza> {
  const mailbox = self as unknown as ReturnType<typeof createProcess<Stanza>>
  return mailbox.receive([{ type: 'stanza' }])
}

for (const wire of wires) {
  describe(`the subprotocol over ${wire}`, () => {
    const protocols = [
      ['xmpp', stanzas('xmpp')],
      ['mqtt', stanzas('mqtt')],
    ] as const

    for (const [what, headers, wsOpts, expected] of [
      ['not at all', {}, {}, undefined],
      ['not at all', {}, { protocols: [] }, undefined],
      ['in the order of protocols', {}, { protocols }, 'xmpp, mqtt'],
      ['with plain headers', { 'Sec-WebSocket-Protocol': ['a', 'b, c'] }, {}, 'a, b, c'],
      [
        'with protocols, then plain headers',
        { 'Sec-WebSocket-Protocol': 'a' },
        { protocols },
        'xmpp, mqtt, a',
      ],
      [
        'once where both name it (RFC 6455 section 4.1)',
        { 'Sec-WebSocket-Protocol': 'mqtt, a, a' },
        { protocols },
        'xmpp, mqtt, a',
      ],
    ] as const) {
      test(`is asked for ${what}: ${expected}`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await asking(wire, { headers, wsOpts })
        const sent = it.request.headers.filter(([name]) => name === 'sec-websocket-protocol')
        assert.deepEqual(
          sent.map(([, value]) => value),
          expected === undefined ? [] : [expected],
        )
      })
    }

    for (const [what, wsOpts, answer, who] of [
      ['the first that was asked for', { protocols }, choosing('xmpp'), 'xmpp'],
      ['another that was asked for', { protocols }, choosing('mqtt'), 'mqtt'],
      ['one from a plain header', { protocols }, choosing('plain'), undefined],
      ['none', { protocols }, [], undefined],
      ['none', { protocols, defaultProtocol: stanzas('default') }, [], 'default'],
      [
        'one from a plain header',
        { protocols, defaultProtocol: stanzas('default') },
        choosing('plain'),
        'default',
      ],
      ['one of several', { protocols, defaultProtocol: stanzas('default') }, choosing('mqtt'), 'mqtt'],
      ['none of none', { defaultProtocol: stanzas('default') }, [], 'default'],
    ] as const) {
      const handler = who === undefined ? 'the built-in handler' : `the handler ${who}`
      test(`that the server chose, ${what}, with ${Object.keys(wsOpts)}, selects ${handler}`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        const headers = { 'sec-websocket-protocol': 'plain' }
        await using it = await upgraded(wire, { headers, wsOpts, answer })
        assert.equal(gun.streamInfo(it.connPid, it.streamRef)?.websocket?.subprotocol, answer[0]?.[1])
        await it.peer.send(text('hello'))
        if (who === undefined) {
          assert.deepEqual(await it.heard(1), ['ws text,hello'])
        } else {
          assert.deepEqual(await stanza(it), { type: 'stanza', who, frame: ['text', 'hello'] })
        }
        assert.equal(it.self.messageQueueLength, 0)
      })
    }

    for (const chosen of ['soap', 'XMPP', 'xmpp, mqtt', '']) {
      test(`must be one that was asked for, not ${JSON.stringify(chosen)}`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        const init = () => assert.fail('init was called')
        const wsOpts = {
          protocols: [['xmpp', { ...stanzas(''), init }] as const],
          defaultProtocol: { ...stanzas(''), init },
        }
        await using it = await asking(wire, { wsOpts, opts: { retry: 0 } })
        it.peer.send(switchingProtocols(it.request, choosing(chosen)))
        const { reason } = await it.self.receive([{ type: 'gun_error', streamRef: it.streamRef }])
        assert.match(reason.message, new RegExp(`the subprotocol "${chosen}" was not asked for`))
        assert.deepEqual(await it.story(), it.ending('bad_upgrade', 'http').slice(1))
      })
    }

    test('comes from open, unless the upgrade says otherwise', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const opts = { wsOpts: { protocols: [['open', stanzas('open')] as const], userOpts: 'open' } }
      await using it = await asking(wire, { opts, wsOpts: { protocols } })
      assert.equal(it.request.header('sec-websocket-protocol'), 'xmpp, mqtt')
      await using other = await asking(wire, { opts })
      assert.equal(other.request.header('sec-websocket-protocol'), 'open')
    })
  })

  describe(`a handler over ${wire}`, () => {
    test('begins with the stream, the headers and all options, before gun_upgrade is sent', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const userOpts = { room: 1 }
      const begun = defer<readonly [gun.StreamRef, gun.Headers, gun.WsOpts, number]>()
      const handler: gun.WsHandler<undefined, Stanza> = {
        init(replyTo, streamRef, headers, opts) {
          begun.resolve([streamRef, headers, opts, it.self.messageQueueLength])
          replyTo.send({ type: 'stanza', who: 'init', frame: 'ping' })
          return undefined
        },
        handle: () => 0,
      }
      const wsOpts: gun.WsOpts = { protocols: [['xmpp', handler]], userOpts, flow: 7 }
      await using it = await asking(wire, {
        wsOpts,
        opts: { wsOpts: { userOpts: 'lost', keepalive: 5000 } },
      })
      await it.peer.send(
        switchingProtocols(it.request, [...choosing('xmpp'), ['X-Room', 'b'], ['X-Room', 'a']]),
      )
      const [streamRef, headers, opts, waiting] = await begun.promise
      assert.equal(streamRef, it.streamRef)
      assert.deepEqual(headers.slice(-3), [
        ['sec-websocket-protocol', 'xmpp'],
        ['x-room', 'b'],
        ['x-room', 'a'],
      ])
      assert.equal(opts.userOpts, userOpts)
      assert.deepEqual(opts, { ...wsOpts, keepalive: 5000 })
      assert.equal(waiting, 0)
      assert.deepEqual(await it.heard(2), ['stanza', 'upgrade'])
    })

    test('gets every frame in order, with its state', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const state: { frames: gun.WsFrameIn[] } = { frames: [] }
      const handler: gun.WsHandler<typeof state, never> = {
        init: () => state,
        handle: (frame, { frames }) => frames.push(frame) * 0,
      }
      await using it = await upgraded(wire, { wsOpts: { defaultProtocol: handler }, opts: { retry: 0 } })
      const part = (opcode: number, payload: string, fin: boolean) => frame({ opcode, payload, fin })
      await it.peer.send(
        Buffer.concat([
          text('a'),
          frame({ opcode: opcodes.binary, payload: 'b' }),
          part(opcodes.text, 'c', false),
          ping(),
          ping('d'),
          part(opcodes.continuation, 'e', true),
          pong(),
          pong('f'),
          close(1000, 'g'),
        ]),
      )
      for (const expected of ['', 'd']) assert.equal(String((await receiveFrame(it.peer)).payload), expected)
      it.peer.end()
      assert.deepEqual(await it.story(), it.closed)
      assert.deepEqual(state.frames, [
        ['text', 'a'],
        ['binary', Buffer.from('b')],
        'ping',
        ['ping', Buffer.from('d')],
        ['text', 'ce'],
        'pong',
        ['pong', Buffer.from('f')],
        ['close', 1000, 'g'],
      ])
    })

    test('gets a close without a code, too, before the answer leaves', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const handler: gun.WsHandler<gun.StreamRef, never> = {
        init: (_replyTo, streamRef) => streamRef,
        handle(frame, streamRef) {
          if (frame === 'close') gun.wsSend(it.connPid, streamRef, ['text', 'last words'])
          return 0
        },
      }
      await using it = await upgraded(wire, { wsOpts: { defaultProtocol: handler }, opts: { retry: 0 } })
      await it.peer.send(close())
      assert.equal(String((await receiveFrame(it.peer)).payload), 'last words')
      assert.equal((await receiveFrame(it.peer)).opcode, opcodes.close)
    })

    const receivers: [string, () => { replyTo: gun.ReplyTo; taken: () => Promise<unknown[]> }][] = [
      [
        'a process',
        () => {
          const replyTo = createProcess<gun.GunMessage>()
          const taken = async () => [await replyTo.receive([{}]), await replyTo.receive([{}])]
          return { replyTo, taken }
        },
      ],
      [
        'a function',
        () => {
          const messages: gun.GunMessage[] = []
          const both = defer<gun.GunMessage[]>()
          const replyTo = (message: gun.GunMessage) => {
            if (messages.push(message) === 2) both.resolve(messages)
          }
          return { replyTo, taken: () => both.promise }
        },
      ],
      [
        'an actor',
        () => {
          const messages: unknown[] = []
          const both = defer<unknown[]>()
          const logic = fromCallback(({ receive }) => {
            receive(message => {
              if (messages.push(message) === 2) both.resolve(messages)
            })
          })
          const replyTo: AnyActorRef = createActor(logic).start()
          return { replyTo, taken: () => both.promise }
        },
      ],
    ]
    for (const [what, make] of receivers) {
      test(`replies to ${what} as the stream does`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        const { replyTo, taken } = make()
        const wsOpts = { protocols: [['xmpp', stanzas('xmpp')] as const], replyTo }
        await using it = await upgraded(wire, { wsOpts, answer: choosing('xmpp') })
        await it.peer.send(text('hello'))
        const [upgrade, message] = await taken()
        assert.equal((upgrade as gun.GunMessage).type, 'gun_upgrade')
        assert.deepEqual(message, { type: 'stanza', who: 'xmpp', frame: ['text', 'hello'] })
        assert.equal(it.self.messageQueueLength, 0)
      })
    }

    test('takes of the flow as many messages as it says it has sent', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const handled: number[] = []
      const handler: gun.WsHandler<undefined, never> = {
        init: () => undefined,
        handle(frame) {
          const count = Number(frame[1])
          handled.push(count)
          return count
        },
      }
      await using it = await upgraded(wire, { wsOpts: { defaultProtocol: handler, flow: 5 } })
      const credit = () => gun.streamInfo(it.connPid, it.streamRef)?.websocket?.flow
      const all = [0, 3, 0, 1, 3, 0, 1, 2]
      const handles = (count: number, left: number) =>
        eventually(
          () => handled.length === count && credit() === left,
          `never ${count} handled, ${left} left`,
        )
      await it.peer.send(Buffer.concat(all.map(count => text(`${count}`))))
      await handles(5, -2)
      gun.updateFlow(it.connPid, it.streamRef, 2)
      assert.equal(credit(), 0)
      gun.updateFlow(it.connPid, it.streamRef, 1)
      await handles(7, 0)
      gun.updateFlow(it.connPid, it.streamRef, 1)
      await handles(8, -1)
      assert.deepEqual(handled, all)
    })

    test("fills its receiver's mailbox up to the mark by the bytes of the frames", async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(wire, {
        wsOpts: { defaultProtocol: stanzas('') },
        ownerOptions: { highWaterMark: { bytes: 1000 } },
      })
      const isPaused = () => gun.info(it.connPid).socket?.isPaused() ?? false
      const held = () => eventually(heldUp(isPaused), 'reading was never held up')
      // Exactly the mark is not past it.
      await it.peer.send(Buffer.concat([text('a'.repeat(500)), text('b'.repeat(500)), ping('read')]))
      await receiveFrame(it.peer)
      assert.equal(it.self.messageQueueLength, 2)
      assert.equal(isPaused(), false)
      await it.peer.send(text('c'))
      // A stream that is held up lets the socket be read.
      await (it.isH2 ? settle() : held())
      for (let n = 0; n < 2; n++) await stanza(it)
      await eventually(() => !isPaused(), 'reading never went on')
      assert.deepEqual((await stanza(it)).frame, ['text', 'c'])
    })

    const boom = new Error('boom')
    for (const [what, thrown, said] of [
      ['an error', boom, /failed: boom$/],
      ['a string', 'boom', /failed: 'boom'$/],
      ['nothing', undefined, /failed: undefined$/],
      ['a symbol', Symbol('boom'), /failed: Symbol\(boom\)$/],
      ['an object without a prototype', Object.create(null), /failed: \[Object: null prototype\] \{\}$/],
    ] as const) {
      const fail = (): never => {
        throw thrown
      }
      test(`that throws ${what} as it begins fails the upgrade`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        const defaultProtocol = { init: fail, handle: () => 0 }
        await using it = await asking(wire, { wsOpts: { defaultProtocol }, opts: { retry: 0 } })
        await it.peer.send(switchingProtocols(it.request))
        const { reason } = await it.self.receive([{ type: 'gun_error', streamRef: it.streamRef }])
        assert.deepEqual(
          [reason.code, reason.kind],
          ['handler_error', it.isH2 ? 'stream_error' : 'connection_error'],
        )
        assert.equal(reason.cause, thrown)
        assert.match(reason.message, said)
        assert.deepEqual(await it.story(), it.ending('handler_error', 'http').slice(1))
      })

      test(`that throws ${what} over a frame closes with 1011, and hears of nothing more`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        let calls = 0
        const defaultProtocol: gun.WsHandler<undefined, never> = {
          init: () => undefined,
          handle: () => (++calls === 1 ? 0 : fail()),
        }
        await using it = await upgraded(wire, { wsOpts: { defaultProtocol }, opts: { retry: 0 } })
        await it.peer.send(Buffer.concat(['1', '2', '3'].map(text)))
        const { reason } = await it.self.receive([{ type: 'gun_error', streamRef: it.streamRef }])
        assert.deepEqual(
          [reason.code, reason.kind],
          ['handler_error', it.isH2 ? 'stream_error' : 'connection_error'],
        )
        assert.equal(reason.cause, thrown)
        assert.match(reason.message, said)
        const { opcode, payload } = await receiveFrame(it.peer)
        assert.deepEqual([opcode, payload], [opcodes.close, closePayload(1011)])
        assert.deepEqual(await it.story(), it.ending('handler_error').slice(1))
        assert.equal(calls, 2)
      })
    }

    test('that throws over a close frame is told of, too', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const defaultProtocol: gun.WsHandler<undefined, never> = {
        init: () => undefined,
        handle() {
          throw boom
        },
      }
      await using it = await upgraded(wire, { wsOpts: { defaultProtocol }, opts: { retry: 0 } })
      await it.peer.send(close(1000))
      assert.deepEqual((await receiveFrame(it.peer)).payload, closePayload(1011))
      assert.deepEqual(await it.story(), it.ending('handler_error'))
    })

    test('that has failed is not the end of the connection', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const defaultProtocol = {
        init() {
          throw boom
        },
        handle: () => 0,
      }
      await using it = await asking(wire, { wsOpts: { defaultProtocol } })
      await it.peer.send(switchingProtocols(it.request))
      assert.deepEqual(await it.heard(1), ['error of the stream: handler_error'])
      if (!it.isH2) {
        assert.deepEqual(await it.heard(2), ['down http: handler_error, killed 1', 'up'])
        return
      }
      const streamRef = gun.get(it.connPid, '/')
      const peer = await it.next()
      await peer.send(NO_CONTENT)
      await it.self.receive([{ type: 'gun_response', streamRef }])
    })

    for (const [what, given] of [
      ['nothing', undefined],
      ['null', null],
      ['a string', '1'],
      ['a bigint', 1n],
      ['a boolean', true],
      ['a promise', Promise.resolve(1)],
      ['not a number', Number.NaN],
      ['less than none', -1],
      ['half a message', 0.5],
      ['no end of messages', Number.POSITIVE_INFINITY],
    ] as const) {
      test(`must give a number of messages, not ${what}`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        const defaultProtocol = { init: () => undefined, handle: () => given as number }
        await using it = await upgraded(wire, { wsOpts: { defaultProtocol }, opts: { retry: 0 } })
        await it.peer.send(text('a'))
        const { reason } = await it.self.receive([{ type: 'gun_error', streamRef: it.streamRef }])
        assert.equal(reason.code, 'handler_error')
        assert.match(reason.message, /handle must give a number of messages, not /)
        assert.ok(reason.cause instanceof TypeError)
        assert.deepEqual((await receiveFrame(it.peer)).payload, closePayload(1011))
        assert.deepEqual(await it.story(), it.ending('handler_error').slice(1))
      })
    }

    for (const [what, end, told] of [
      [
        'end the connection',
        ({ connPid }: Scene) => gun.close(connPid),
        () => ['error of the stream: shutdown', 'DOWN: shutdown'],
      ],
      [
        'close it',
        ({ connPid, streamRef }: Scene) => gun.wsSend(connPid, streamRef, ['close', 4000, '']),
        (it: Scene) => it.closed,
      ],
    ] as const) {
      test(`may ${what} from within, whatever is left of the flow`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        const defaultProtocol: gun.WsHandler<undefined, never> = {
          init: () => undefined,
          handle(frame) {
            if (frame[0] === 'text') end(it)
            return 1
          },
        }
        await using it = await upgraded(wire, { wsOpts: { defaultProtocol, flow: 1 } })
        it.peer.end(Buffer.concat([text('end'), close(4000)]))
        assert.deepEqual(await it.story(), told(it))
      })
    }
  })
}
