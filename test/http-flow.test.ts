// Flow control over HTTP/1.1: so many messages of a body and no more, whatever the peer sends.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as gun from '@holster/gun'
import { eventually } from './support/connect.ts'
import { chunked, type Ends, ends, transports } from './support/http-peer.ts'
import { assertNothingLeft } from './support/leftovers.ts'

const CHUNKED = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'
const NO_CONTENT = 'HTTP/1.1 204 No Content\r\n\r\n'

/** Everything that is sent has been taken from the sockets, as far as it is read at all. */
async function settled({ connPid }: Ends, sent: number): Promise<void> {
  const { socket } = gun.info(connPid)
  await eventually(() => (socket?.bytesRead ?? 0) >= sent, 'all was read')
}

for (const transport of transports) {
  describe(`flow over ${transport}`, () => {
    for (const [name, opts, reqOpts] of [
      ['of a request', {}, { flow: 2 }],
      ['of httpOpts', { httpOpts: { flow: 2 } }, {}],
      ['of a request, which wins over that of httpOpts,', { httpOpts: { flow: 100 } }, { flow: 2 }],
    ] as const) {
      test(`${name} is how many messages of a body come, even of one packet`, async () => {
        await using _left = assertNothingLeft()
        await using it = await ends(transport, opts)
        const streamRef = gun.get(it.connPid, '/', {}, reqOpts)
        const bytes = `${CHUNKED}${chunked('a', 'b', 'c', 'd', 'e')}0\r\n\r\n`
        await it.peer.send(bytes)
        await settled(it, bytes.length)
        assert.deepEqual(await it.waiting(), ['response 200 nofin', 'data a nofin', 'data b nofin'])
        gun.updateFlow(it.connPid, streamRef, 1)
        assert.deepEqual(await it.waiting(), ['data c nofin'])
        gun.updateFlow(it.connPid, streamRef, 10)
        assert.deepEqual(await it.heard(2), ['data d nofin', 'data e fin'])
      })
    }

    test('holds up the responses behind it, and cancelling lets them come', async () => {
      await using _left = assertNothingLeft()
      await using it = await ends(transport)
      const first = gun.get(it.connPid, '/1', {}, { flow: 1 })
      gun.get(it.connPid, '/2')
      const bytes = `${CHUNKED}${chunked('a', 'b', 'c')}0\r\n\r\n${NO_CONTENT}`
      await it.peer.send(bytes)
      await settled(it, bytes.length)
      assert.deepEqual(await it.waiting(), ['response 200 nofin', 'data a nofin'])
      gun.cancel(it.connPid, first)
      assert.deepEqual(await it.heard(1), ['response 204 fin'])
    })

    test('asked for before the response counts too', async () => {
      await using _left = assertNothingLeft()
      await using it = await ends(transport)
      const streamRef = gun.get(it.connPid, '/', {}, { flow: 1 })
      gun.updateFlow(it.connPid, streamRef, 1)
      const bytes = `${CHUNKED}${chunked('a', 'b', 'c')}`
      await it.peer.send(bytes)
      await settled(it, bytes.length)
      assert.deepEqual(await it.waiting(), ['response 200 nofin', 'data a nofin', 'data b nofin'])
    })

    test('asked for while the request is postponed counts too', async () => {
      await using _left = assertNothingLeft()
      await using it = await ends(transport)
      await it.peer.receive(0)
      it.peer.reset()
      assert.match((await it.heard(1)).join(), /^down: /)
      const streamRef = gun.get(it.connPid, '/', {}, { flow: 1 })
      gun.updateFlow(it.connPid, streamRef, 1)
      const peer = await it.next()
      await peer.receiveRequest()
      await peer.send(`${CHUNKED}${chunked('a', 'b')}0\r\n\r\n`)
      assert.deepEqual(await it.heard(4), ['up', 'response 200 nofin', 'data a nofin', 'data b fin'])
    })

    test('that is off is not switched on by updateFlow', async () => {
      await using _left = assertNothingLeft()
      await using it = await ends(transport)
      const streamRef = gun.get(it.connPid, '/')
      gun.updateFlow(it.connPid, streamRef, 1)
      await it.peer.send(`${CHUNKED}${chunked('a', 'b')}0\r\n\r\n`)
      assert.deepEqual(await it.heard(3), ['response 200 nofin', 'data a nofin', 'data b fin'])
    })

    test('holds back the end of the connection as well, and nothing is lost', async () => {
      await using _left = assertNothingLeft()
      await using it = await ends(transport, { retry: 0 })
      const streamRef = gun.get(it.connPid, '/', {}, { flow: 1 })
      it.peer.end(`HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\na`)
      assert.deepEqual(await it.heard(2), ['response 200 nofin', 'data a nofin'])
      gun.updateFlow(it.connPid, streamRef, 1)
      assert.deepEqual(await it.heard(4), [
        'error: closed',
        'down: closed, killed 1',
        'error: closed',
        'DOWN: shutdown',
      ])
    })

    test('lets what has come be handed on when the line breaks', async () => {
      await using _left = assertNothingLeft()
      await using it = await ends(transport, { retry: 0 })
      gun.get(it.connPid, '/', {}, { flow: 1 })
      const bytes = `${CHUNKED}${chunked('a', 'b', 'c')}`
      await it.peer.send(bytes)
      await settled(it, bytes.length)
      assert.deepEqual(await it.waiting(), ['response 200 nofin', 'data a nofin'])
      it.peer.reset()
      // Nobody reads, so nobody notices, until something is sent.
      gun.get(it.connPid, '/2')
      const heard = await it.heard(7)
      assert.deepEqual(heard.slice(0, 2), ['data b nofin', 'data c nofin'])
      assert.match(heard[4] ?? '', /^down: \w+, killed 2$/)
    })
  })
}

test('a body that is not wanted is not read', async () => {
  await using _left = assertNothingLeft()
  await using it = await ends('tcp')
  const streamRef = gun.get(it.connPid, '/', {}, { flow: 1 })
  const size = 64 * 1024 * 1024
  const sent = it.peer.send(
    Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n`), Buffer.alloc(size)]),
  )
  assert.equal((await it.self.receive([{ type: 'gun_response', streamRef }])).status, 200)
  let received = (await it.self.receive([{ type: 'gun_data', streamRef }])).data.length
  assert.ok((gun.info(it.connPid).socket?.bytesRead ?? size) < 1024 * 1024)
  gun.updateFlow(it.connPid, streamRef, 1_000_000)
  for (;;) {
    const { data, isFin } = await it.self.receive([{ type: 'gun_data', streamRef }])
    received += data.length
    if (isFin === 'fin') break
  }
  assert.equal(received, size)
  await sent
})
