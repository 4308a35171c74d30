// Receivers that are functions run inside the connection: whatever they do or throw, it stands.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess, setExitHook } from '@holster/process'
import { certificates, type Peer } from '@holster/testing'
import { closePayload, frame, opcodes, receiveFrame, switchingProtocols } from '@holster/testing/frames'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { origin } from '../support/origin.ts'
import { streamEnds } from '../support/stream-ends.ts'

const transports = ['tcp', 'tls'] as const

interface Scene extends AsyncDisposable {
  readonly connPid: gun.ConnPid
  peer(): Promise<Peer>
  /** Why the connection has ended. */
  ended(): Promise<unknown>
}

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
  const ref = self.monitor(connPid)
  await gun.awaitUp(connPid, 10_000)
  return {
    connPid,
    async peer() {
      return (await peers.receive([{ type: 'peer' }], 10_000)).peer
    },
    async ended() {
      return (await self.receive([{ type: 'DOWN', ref }], 10_000)).reason
    },
    async [Symbol.asyncDispose]() {
      gun.close(connPid)
      await connPid[Symbol.asyncDispose]()
      self.exit()
      await server.close()
    },
  }
}

type On = (message: gun.GunMessage) => void

/** A receiver that collects what it gets, in words, and does something at the first of that type. */
function receiver(type: string, act: On = () => {}): { told: string[]; replyTo: On } {
  const told: string[] = []
  let acted = false
  const replyTo = streamEnds.watch(message => {
    const detail = message.type === 'gun_error' ? ` ${message.reason.code}` : ''
    told.push(message.type + detail)
    if (message.type !== type || acted) return
    acted = true
    act(message)
  })
  return { told, replyTo }
}

/** A response in which a message of each type stands alone, then two more requests' worth of it. */
const response =
  'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\nx-t: 1\r\n\r\n'
const frames = Buffer.concat([
  frame({ opcode: opcodes.text, payload: 'a' }),
  frame({ opcode: opcodes.text, payload: 'b' }),
  frame({ opcode: opcodes.close, payload: closePayload(1000) }),
])

for (const transport of transports) {
  describe(`a receiver that is a function, over ${transport},`, () => {
    for (const [type, before] of [
      ['gun_inform', []],
      ['gun_response', ['gun_inform']],
      ['gun_data', ['gun_inform', 'gun_response']],
      ['gun_trailers', ['gun_inform', 'gun_response', 'gun_data', 'gun_data']],
    ] as const) {
      test(`may close the connection in ${type}`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await scene(transport)
        const { told, replyTo } = receiver(type, () => gun.close(it.connPid))
        gun.get(it.connPid, '/', {}, { replyTo })
        const other = receiver('')
        gun.get(it.connPid, '/', {}, { replyTo: other.replyTo })
        const peer = await it.peer()
        await peer.receiveRequest()
        await peer.send(`HTTP/1.1 103 Early Hints\r\n\r\n${response}${response}`)
        assert.equal(await it.ended(), 'shutdown')
        // A stream whose last message is being delivered is over.
        assert.deepEqual(told, [...before, type, ...(type === 'gun_trailers' ? [] : ['gun_error shutdown'])])
        assert.deepEqual(other.told, ['gun_error shutdown'])
      })

      test(`may shut the connection down in ${type}`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await scene(transport)
        const { told, replyTo } = receiver(type, () => gun.shutdown(it.connPid))
        gun.get(it.connPid, '/', {}, { replyTo })
        const peer = await it.peer()
        await peer.receiveRequest()
        await peer.send(`HTTP/1.1 103 Early Hints\r\n\r\n${response}`)
        assert.equal(await it.ended(), 'shutdown')
        assert.deepEqual(told, ['gun_inform', 'gun_response', 'gun_data', 'gun_data', 'gun_trailers'])
      })
    }

    for (const [type, after] of [
      ['gun_upgrade', []],
      ['gun_ws', ['gun_ws']],
    ] as const) {
      test(`may close the connection in ${type}`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await scene(transport)
        const { told, replyTo } = receiver(type, () => gun.close(it.connPid))
        gun.wsUpgrade(it.connPid, '/', {}, { replyTo })
        const peer = await it.peer()
        const head = switchingProtocols(await peer.receiveRequest())
        await peer.send(Buffer.concat([Buffer.from(head), frames]))
        assert.equal(await it.ended(), 'shutdown')
        assert.deepEqual(told, ['gun_upgrade', ...after, 'gun_error shutdown'])
      })

      test(`may shut the connection down in ${type}`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await scene(transport)
        const { told, replyTo } = receiver(type, () => gun.shutdown(it.connPid))
        gun.wsUpgrade(it.connPid, '/', {}, { replyTo })
        const peer = await it.peer()
        const head = switchingProtocols(await peer.receiveRequest())
        await peer.send(Buffer.concat([Buffer.from(head), frames]))
        assert.deepEqual((await receiveFrame(peer)).payload, closePayload(1001))
        peer.end()
        assert.equal(await it.ended(), 'shutdown')
        assert.deepEqual(told, ['gun_upgrade', 'gun_ws', 'gun_ws', 'gun_ws'])
      })

      test(`may send in ${type}`, async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using it = await scene(transport)
        const { told, replyTo } = receiver(type, () => {
          gun.wsSend(it.connPid, streamRef, [['text', 'at once'], 'close'])
        })
        const streamRef = gun.wsUpgrade(it.connPid, '/', {}, { replyTo })
        const peer = await it.peer()
        const head = switchingProtocols(await peer.receiveRequest())
        await peer.send(Buffer.concat([Buffer.from(head), frames]))
        assert.deepEqual(String((await receiveFrame(peer)).payload), 'at once')
        assert.equal((await receiveFrame(peer)).opcode, opcodes.close)
        peer.end()
        assert.equal(await it.ended(), 'normal')
        assert.deepEqual(told, ['gun_upgrade', 'gun_ws', 'gun_ws', 'gun_ws'])
      })
    }

    test('may ask for more in gun_response, also when that was the last of its connection', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await scene(transport)
      const second = receiver('')
      const first = receiver('gun_response', () => gun.get(it.connPid, '/2', {}, { replyTo: second.replyTo }))
      gun.get(it.connPid, '/1', {}, { replyTo: first.replyTo })
      const peer = await it.peer()
      await peer.receiveRequest()
      await peer.send('HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n')
      const next = await it.peer()
      assert.equal((await next.receiveRequest()).path, '/2')
      assert.deepEqual([first.told, second.told], [['gun_response'], []])
    })

    test('may close the connection in gun_error, when it is lost', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await scene(transport)
      const { told, replyTo } = receiver('gun_error', () => gun.close(it.connPid))
      gun.get(it.connPid, '/', {}, { replyTo })
      const other = receiver('')
      gun.get(it.connPid, '/', {}, { replyTo: other.replyTo })
      const peer = await it.peer()
      await peer.receiveRequest()
      peer.end()
      assert.equal(await it.ended(), 'shutdown')
      assert.deepEqual([told, other.told], [['gun_error closed'], ['gun_error closed']])
    })

    test('that throws each time gets everything all the same, and each error goes to the exit hook', async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using it = await scene(transport)
      const reported: unknown[] = []
      const previous = setExitHook((pid, reason) => {
        assert.equal(pid, it.connPid)
        reported.push(reason)
      })
      try {
        const types: string[] = []
        const replyTo = (message: gun.GunMessage): never => {
          types.push(message.type)
          throw new Error(message.type)
        }
        gun.get(it.connPid, '/', {}, { replyTo })
        gun.wsUpgrade(it.connPid, '/', {}, { replyTo })
        const peer = await it.peer()
        await peer.receiveRequest()
        await peer.send(response)
        const head = switchingProtocols(await peer.receiveRequest())
        await peer.send(Buffer.concat([Buffer.from(head), frames]))
        await receiveFrame(peer)
        const expected = ['gun_response', 'gun_data', 'gun_data', 'gun_trailers', 'gun_upgrade']
        assert.deepEqual(types, [...expected, 'gun_ws', 'gun_ws', 'gun_ws'])
        assert.deepEqual(
          reported.map(reason => reason instanceof Error && reason.message),
          types,
        )
      } finally {
        setExitHook(previous)
      }
    })

    test('that throws makes Node warn, unless there is a hook', async () => {
      await using _left = assertNothingLeft()
      await using calm = collectWarnings()
      await using it = await scene(transport)
      const replyTo = () => {
        throw new Error('mine')
      }
      gun.get(it.connPid, '/', {}, { replyTo })
      const peer = await it.peer()
      await peer.receiveRequest()
      await peer.send('HTTP/1.1 204 No Content\r\n\r\n')
      const streamRef = gun.get(it.connPid, '/')
      await peer.receiveRequest()
      await peer.send('HTTP/1.1 204 No Content\r\n\r\n')
      await gun.await(it.connPid, streamRef, 10_000)
      const { warnings, rejections, exceptions } = await calm.take()
      assert.deepEqual([rejections, exceptions], [[], []])
      assert.equal(warnings.length, 1)
      assert.match(String(warnings[0]), /mine/)
    })
  })
}
