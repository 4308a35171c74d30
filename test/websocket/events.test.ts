// The events of a WebSocket, and what streamInfo and info tell of it.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import * as gun from '@holster/gun'
import { createProcess, setExitHook } from '@holster/process'
import { closePayload, frame, opcodes, receiveFrame, switchingProtocols } from '@holster/testing/frames'
import { eventually, NO_CONTENT } from '../support/client.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import {
  asking,
  assertNothingSent,
  close,
  ping,
  pong,
  type Scene,
  text,
  upgraded,
  wires,
} from '../support/websocket-scene.ts'

type Told = readonly [name: string, event: Record<string, unknown>]

/** Remembers each event; a payload is only valid during the call. */
function recorder(): { readonly told: Told[]; readonly eventHandler: gun.EventHandler } {
  const told: Told[] = []
  const record = (name: string) => (event: object) => {
    const copy =
      'payload' in event ? { ...event, payload: Buffer.from(event.payload as Buffer) } : { ...event }
    told.push([name, copy])
  }
  return {
    told,
    eventHandler: {
      wsUpgrade: record('wsUpgrade'),
      wsRecvFrameStart: record('wsRecvFrameStart'),
      wsRecvFrameHeader: record('wsRecvFrameHeader'),
      wsRecvFrameEnd: record('wsRecvFrameEnd'),
      wsSendFrameStart: record('wsSendFrameStart'),
      wsSendFrameEnd: record('wsSendFrameEnd'),
    },
  }
}

const streamOf = ({ connPid, streamRef, self }: Scene) => ({ connPid, streamRef, replyTo: self })

interface Came {
  readonly frameType: string
  readonly payload?: string | Buffer
  readonly isFin?: boolean
  readonly rsv?: number
  readonly closeCode?: number
}

/** The three events of a frame that has come. */
function came(it: Scene, given: Came): Told[] {
  const { frameType, isFin = true, rsv = 0, closeCode } = given
  const stream = streamOf(it)
  const payload = Buffer.from(given.payload ?? '')
  return [
    ['wsRecvFrameStart', stream],
    ['wsRecvFrameHeader', { ...stream, frameType, isFin, rsv, length: payload.length }],
    ['wsRecvFrameEnd', { ...stream, payload, closeCode }],
  ]
}

/** The two events of a frame that was sent. */
function sent(it: Scene, given: gun.WsFrame): Told[] {
  const event = { ...streamOf(it), frame: given }
  return [
    ['wsSendFrameStart', event],
    ['wsSendFrameEnd', event],
  ]
}

const part = (opcode: number, payload: string, fin: boolean) => frame({ opcode, payload, fin })
const handler: gun.WsHandler<undefined, never> = { init: () => undefined, handle: () => 1 }
const big = 'x'.repeat(70_000)

for (const wire of wires) {
  describe(`an eventHandler over ${wire}`, () => {
    test('is told of an upgrade as it is asked for, with its options, whatever the answer', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const { told, eventHandler } = recorder()
      const opts = { eventHandler, wsOpts: { keepalive: 5000, flow: 1 } }
      await using other = createProcess<gun.GunMessage>()
      await using it = await asking(wire, { opts, wsOpts: { flow: 2, replyTo: other } })
      const asked = {
        ...streamOf(it),
        replyTo: other,
        opts: { keepalive: 5000, flow: 2, replyTo: other },
      }
      assert.deepEqual(told, [['wsUpgrade', asked]])
      await it.peer.send(NO_CONTENT)
      await gun.await(it.connPid, it.streamRef)
      assert.equal(told.length, 1)
    })

    test('is told of an upgrade again when it is repeated', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const { told, eventHandler } = recorder()
      const wsOpts = { reupgrade: true }
      await using it = await upgraded(wire, { opts: { eventHandler }, wsOpts })
      it.lose()
      const peer = await it.next()
      await peer.receiveRequest()
      const asked: Told = ['wsUpgrade', { ...streamOf(it), opts: wsOpts }]
      assert.deepEqual(told, [asked, asked])
    })

    for (const how of ['whole', 'bytes'] as const) {
      test(`is told of the start, header and end of each frame, ${how === 'whole' ? 'whole' : 'byte by byte'}`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        const { told, eventHandler } = recorder()
        await using it = await upgraded(wire, { opts: { eventHandler, retry: 0 } })
        told.length = 0
        const { text: opcode, binary, continuation } = opcodes
        await it.peer.send(
          Buffer.concat([
            part(opcode, 'é', true),
            part(binary, '', true),
            part(opcode, 'a', false),
            pong('b'),
            part(continuation, '', false),
            part(continuation, 'cd', false),
            part(continuation, 'e', true),
            pong(),
            close(3000, 'bye'),
          ]),
          how,
        )
        await receiveFrame(it.peer)
        assert.deepEqual(told, [
          ...came(it, { frameType: 'text', payload: 'é' }),
          ...came(it, { frameType: 'binary' }),
          ...came(it, { frameType: 'fragment', payload: 'a', isFin: false }),
          ...came(it, { frameType: 'pong', payload: 'b' }),
          ...came(it, { frameType: 'fragment', isFin: false }),
          ...came(it, { frameType: 'fragment', payload: 'cd', isFin: false }),
          ...came(it, { frameType: 'fragment', payload: 'e' }),
          ...came(it, { frameType: 'pong' }),
          ...came(it, { frameType: 'close', payload: closePayload(3000, 'bye'), closeCode: 3000 }),
          ...sent(it, ['close', 3000, '']),
        ])
      })
    }

    test('is told of a frame when it comes, its header before its payload', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const { told, eventHandler } = recorder()
      await using it = await upgraded(wire, { opts: { eventHandler } })
      told.length = 0
      const bytes = text(big)
      await it.peer.send(Buffer.concat([text('1'), bytes.subarray(0, 1)]))
      assert.deepEqual(await it.heard(1), ['ws text,1'])
      assert.deepEqual(told.splice(0), [
        ...came(it, { frameType: 'text', payload: '1' }),
        ['wsRecvFrameStart', streamOf(it)],
      ])
      const seen = (name: string) => eventually(() => told.some(([each]) => each === name), `no ${name} came`)
      await it.peer.send(bytes.subarray(1, 11))
      await seen('wsRecvFrameHeader')
      await it.peer.send(bytes.subarray(11))
      assert.deepEqual(await it.heard(1), [`ws text,${big}`])
      assert.deepEqual(
        [['wsRecvFrameStart', streamOf(it)], ...told],
        came(it, { frameType: 'text', payload: big }),
      )
    })

    test('is told of a ping and then of the pong that answers it', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const { told, eventHandler } = recorder()
      await using it = await upgraded(wire, { opts: { eventHandler } })
      told.length = 0
      await it.peer.send(Buffer.concat([ping(), ping('a')]))
      for (let n = 0; n < 2; n++) await receiveFrame(it.peer)
      assert.deepEqual(told, [
        ...came(it, { frameType: 'ping' }),
        ...sent(it, 'pong'),
        ...came(it, { frameType: 'ping', payload: 'a' }),
        ...sent(it, ['pong', Buffer.from('a')]),
      ])
    })

    test('is told of frames that were given, and not of those that come back', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const { told, eventHandler } = recorder()
      await using it = await upgraded(wire, { opts: { eventHandler } })
      told.length = 0
      const frames: gun.WsFrame[] = [['text', 'a'], ['binary', Buffer.of(1)], 'ping', ['close', 4000, 'b']]
      gun.wsSend(it.connPid, it.streamRef, [...frames, ['text', 'too late']])
      assert.deepEqual(
        told,
        frames.flatMap(given => sent(it, given)),
      )
    })

    test('is told of compressed frames as they are on the wire, and of given ones as they were given', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const { told, eventHandler } = recorder()
      await using it = await upgraded(wire, {
        opts: { eventHandler },
        wsOpts: { compress: { threshold: 0 } },
        answer: [['sec-websocket-extensions', 'permessage-deflate; server_no_context_takeover']],
      })
      told.length = 0
      // zlib ends with a block that the sender leaves out (RFC 7692 section 7.2.1).
      const payload = deflateRawSync(big, { finishFlush: 2 }).subarray(0, -4)
      await it.peer.send(frame({ opcode: opcodes.text, payload, rsv1: true }))
      assert.deepEqual(await it.heard(1), [`ws text,${big}`])
      assert.deepEqual(told.splice(0), came(it, { frameType: 'text', payload, rsv: 4 }))
      gun.wsSend(it.connPid, it.streamRef, ['text', big])
      assert.ok((await receiveFrame(it.peer)).rsv1)
      assert.deepEqual(told, sent(it, ['text', big]))
    })

    test('is told of the bytes of a frame in pieces once, when they are all there', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const { told, eventHandler } = recorder()
      await using it = await upgraded(wire, { opts: { eventHandler } })
      told.length = 0
      const { text: opcode, continuation } = opcodes
      const bytes = Buffer.concat([part(opcode, big, false), part(continuation, big, true)])
      for (let at = 0; at < bytes.length; at += 9_999) await it.peer.send(bytes.subarray(at, at + 9_999))
      assert.deepEqual(await it.heard(1), [`ws text,${big}${big}`])
      assert.deepEqual(told, [
        ...came(it, { frameType: 'fragment', payload: big, isFin: false }),
        ...came(it, { frameType: 'fragment', payload: big }),
      ])
    })

    for (const [what, close, end] of [
      ['of a close', ['close', 4000, 'a'], (it: Scene) => gun.wsSend(it.connPid, ['close', 4000, 'a'])],
      ['of the close of a shutdown', ['close', 1001, ''], (it: Scene) => gun.shutdown(it.connPid)],
      [
        'of the close that answers a wrong frame',
        ['close', 1002, ''],
        (it: Scene) => it.peer.send(frame({ opcode: 3 })),
      ],
      [
        'of the close that answers text that is not UTF-8',
        ['close', 1007, ''],
        (it: Scene) => it.peer.send(frame({ opcode: opcodes.text, payload: Buffer.of(0xff) })),
      ],
    ] as const) {
      test(`is told ${what}`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        const { told, eventHandler } = recorder()
        await using it = await upgraded(wire, { opts: { eventHandler } })
        told.length = 0
        await end(it)
        await receiveFrame(it.peer)
        const ofSending = told.filter(([name]) => name.startsWith('wsSend'))
        assert.deepEqual(ofSending, sent(it, close))
      })
    }

    test('is told of the start alone of a frame that is wrong from its first bytes on', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const { told, eventHandler } = recorder()
      await using it = await upgraded(wire, { opts: { eventHandler, retry: 0 } })
      told.length = 0
      await it.peer.send(frame({ opcode: 3 }))
      assert.deepEqual(await it.story(), it.ending('badframe'))
      assert.deepEqual(told, [['wsRecvFrameStart', streamOf(it)], ...sent(it, ['close', 1002, ''])])
    })

    test('may want to know of some events only, and is called as a method', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      class Counter implements gun.EventHandler {
        #count = 0
        get count(): number {
          return this.#count
        }
        wsRecvFrameEnd(): void {
          this.#count++
        }
      }
      const counter = new Counter()
      await using it = await upgraded(wire, { opts: { eventHandler: counter } })
      await it.peer.send(Buffer.concat([text('a'), text('b')]))
      await it.heard(2)
      assert.equal(counter.count, 2)
    })

    test('that closes the connection over a frame is the last to hear of that frame', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const eventHandler: gun.EventHandler = {
        wsRecvFrameHeader: ({ connPid }) => gun.close(connPid),
      }
      await using it = await upgraded(wire, { opts: { eventHandler } })
      await it.peer.send(Buffer.concat([text('a'), text('b')]))
      assert.deepEqual(await it.story(), ['error of the stream: shutdown', 'DOWN: shutdown'])
    })

    for (const name of ['wsSendFrameStart', 'wsSendFrameEnd'] as const) {
      test(`that closes the connection as it is told ${name} of a pong gets nothing of the ping`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        const eventHandler: gun.EventHandler = {
          [name]: ({ connPid }: gun.WsSendFrameEvent) => gun.close(connPid),
        }
        await using it = await upgraded(wire, { opts: { eventHandler }, wsOpts: { silencePings: false } })
        await it.peer.send(ping('a'))
        assert.deepEqual(await it.story(), ['error of the stream: shutdown', 'DOWN: shutdown'])
      })
    }

    test('that throws is reported each time, and changes nothing', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const boom = new Error('boom')
      const names: string[] = []
      const eventHandler = new Proxy<gun.EventHandler>(
        {},
        {
          get: (_, name) =>
            String(name).startsWith('ws')
              ? () => {
                  names.push(String(name))
                  throw boom
                }
              : undefined,
        },
      )
      const reports: unknown[] = []
      const previous = setExitHook((pid, reason) => reports.push([pid, reason]))
      try {
        await using it = await upgraded(wire, { opts: { eventHandler, retry: 0 } })
        await it.peer.send(Buffer.concat([text('a'), ping('b')]))
        assert.deepEqual(await it.heard(1), ['ws text,a'])
        assert.equal(String((await receiveFrame(it.peer)).payload), 'b')
        gun.wsSend(it.connPid, it.streamRef, 'close')
        assert.equal((await receiveFrame(it.peer)).opcode, opcodes.close)
        it.peer.end(close())
        assert.deepEqual(await it.story(), ['ws close', ...it.closed])
        const each = ['wsRecvFrameStart', 'wsRecvFrameHeader', 'wsRecvFrameEnd']
        const both = ['wsSendFrameStart', 'wsSendFrameEnd']
        const isOfFrames = (name: string) => name.startsWith('ws')
        assert.deepEqual(names.filter(isOfFrames), ['wsUpgrade', ...each, ...each, ...both, ...both, ...each])
        assert.deepEqual(
          reports,
          names.map(() => [it.connPid, boom]),
        )
      } finally {
        setExitHook(previous)
      }
    })
  })

  describe(`streamInfo and info over ${wire}`, () => {
    test('tell of an upgrade that is being answered, of the WebSocket, and of its end', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const setup = {
        wsOpts: { flow: 3, compress: true, protocols: [['xmpp', handler]] as const },
        opts: { retry: 0 },
      }
      await using it = await asking(wire, setup)
      const { connPid, streamRef } = it
      const known = { ref: streamRef, replyTo: it.self, intermediaries: [] }
      // Over HTTP/2 it is one stream of a connection that does not become something else.
      const tells = (stateName: string, protocol: string | undefined) => {
        const info = gun.info(connPid)
        const expected = it.isH2 ? ['connected', 'http2'] : [stateName, protocol]
        assert.deepEqual([info.stateName, info.protocol], expected)
      }
      const request = {
        method: it.isH2 ? 'CONNECT' : 'GET',
        path: '/',
        state: 'sent',
        isPostponed: false,
        givenBytes: 0,
        isComplete: true,
        response: 'due',
        isHandled: false,
        flow: Number.POSITIVE_INFINITY,
      }
      assert.deepEqual(gun.streamInfo(connPid, streamRef), { ...known, state: 'running', request })
      tells('connected', 'http')
      const extensions = 'permessage-deflate; client_max_window_bits=10'
      await it.peer.send(
        switchingProtocols(it.request, [
          ['sec-websocket-extensions', extensions],
          ['sec-websocket-protocol', 'xmpp'],
        ]),
      )
      assert.deepEqual(await it.heard(1), ['upgrade'])
      const websocket = { subprotocol: 'xmpp', extensions, bufferedBytes: 0, flow: 3 }
      assert.deepEqual(gun.streamInfo(connPid, streamRef), { ...known, state: 'running', websocket })
      tells('connected_ws_only', 'ws')
      // The handler takes one for this, and one for the ping.
      await it.peer.send(text('hello'))
      await assertNothingSent(it.peer)
      gun.updateFlow(connPid, streamRef, 5)
      gun.wsSend(connPid, streamRef, ['text', 'hello'])
      assert.deepEqual(gun.streamInfo(connPid, streamRef)?.websocket, {
        ...websocket,
        bufferedBytes: 6 + 'hello'.length,
        flow: 3 - 2 + 5,
      })
      gun.wsSend(connPid, streamRef, 'close')
      assert.equal(gun.streamInfo(connPid, streamRef)?.state, 'stopping')
      tells('closing', 'ws')
      for (const opcode of [opcodes.text, opcodes.close]) {
        assert.equal((await receiveFrame(it.peer)).opcode, opcode)
      }
      it.peer.end(close())
      await it.story()
      tells('terminated', undefined)
      if (it.isH2) {
        assert.equal(gun.streamInfo(connPid, streamRef), undefined)
        return
      }
      assert.throws(() => gun.streamInfo(connPid, streamRef), {
        name: 'GunError',
        code: 'badstate',
        message: `${connPid} is not connected: it is terminated`,
      })
    })

    test('tell of nothing but what is open', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await asking(wire)
      const { connPid, streamRef } = it
      const waiting = gun.get(connPid, '/waits')
      assert.equal(gun.streamInfo(connPid, waiting)?.state, 'running')
      await it.peer.send(NO_CONTENT)
      await gun.await(connPid, streamRef)
      assert.equal(gun.streamInfo(connPid, streamRef), undefined)
      let peer = it.isH2 ? await it.next() : it.peer
      await peer.receiveRequest()
      await peer.send(NO_CONTENT)
      await gun.await(connPid, waiting)
      const second = gun.wsUpgrade(connPid, '/')
      if (it.isH2) peer = await it.next()
      await peer.send(switchingProtocols(await peer.receiveRequest()))
      await gun.await(connPid, second)
      for (const ref of [streamRef, waiting]) assert.equal(gun.streamInfo(connPid, ref), undefined)
      assert.equal(gun.streamInfo(connPid, second)?.ref, second)
      it.lose()
      await it.self.receive([{ type: 'gun_up' }])
      assert.equal(gun.streamInfo(connPid, second), undefined)
    })

    test('take handles of theirs only', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await upgraded(wire)
      await using other = await upgraded(wire)
      const wrong = (connPid: unknown, streamRef: unknown, message: RegExp) =>
        assert.throws(() => gun.streamInfo(connPid as gun.ConnPid, streamRef as gun.StreamRef), {
          name: 'TypeError',
          message,
        })
      wrong(it.connPid, other.streamRef, /^streamRef #Stream<\d+> does not belong to #Conn<\d+>$/)
      wrong(it.connPid, undefined, /^streamRef must be a handle that a request or wsUpgrade returned$/)
      wrong(it.connPid, '#Stream<1>', /^streamRef must be/)
      wrong(it.connPid, it.connPid, /^streamRef must be/)
      wrong(it.streamRef, it.streamRef, /connPid/)
      wrong(undefined, it.streamRef, /connPid/)
    })
  })
}
