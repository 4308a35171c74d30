// Flow control: so many messages of a body and no more, whatever the peer sends.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as gun from '@holster/gun'
import { connect, PATIENCE } from '../support/client.ts'
import { settle } from '../support/flood.ts'
import { httpEnds } from '../support/http-ends.ts'
import {
  type Answer,
  httpServer,
  lineName,
  lines,
  NOTHING,
  nameOf,
  parts,
  versions,
} from '../support/http-server.ts'
import { assertNothingLeft } from '../support/leftovers.ts'

const inParts = (...body: string[]): Answer => ({ status: 200, body })

for (const line of lines) {
  const { version } = line

  describe(`flow over ${lineName(line)}`, () => {
    for (const [name, opts, reqOpts] of [
      ['of a request', {}, { flow: 2 }],
      ['of httpOpts', { httpOpts: { flow: 2 } }, {}],
      ['of a request, which wins over that of httpOpts,', { httpOpts: { flow: 100 } }, { flow: 2 }],
    ] as const) {
      test(`${name} is how many messages of a body come, even of one packet`, async () => {
        await using _left = assertNothingLeft()
        await using it = await httpEnds(line, opts)
        const streamRef = gun.get(it.connPid, '/', {}, reqOpts)
        await it.peer.serve(inParts('a', 'b', 'c', 'd', 'e'))
        await it.peer.settled(it.connPid)
        assert.deepEqual(await it.waiting(), ['response 200 nofin', 'data a nofin', 'data b nofin'])
        gun.updateFlow(it.connPid, streamRef, 1)
        assert.deepEqual(await it.heard(1), ['data c nofin'])
        await settle()
        assert.deepEqual(await it.waiting(), [])
        gun.updateFlow(it.connPid, streamRef, 10)
        const rest = parts('d', 'e')
        assert.deepEqual(await it.heard(rest.length), rest)
      })
    }

    test('holds up the responses behind it in HTTP/1.1 only, and cancelling lets them come', async () => {
      await using _left = assertNothingLeft()
      await using it = await httpEnds(line)
      const first = gun.get(it.connPid, '/1', {}, { flow: 1 })
      gun.get(it.connPid, '/2')
      const [one, two] = [await it.peer.request(), await it.peer.request()]
      // In one piece, of which all is read.
      await it.peer.send(Buffer.concat([one.encode(inParts('a', 'b', 'c')), two.encode(NOTHING)]))
      await it.peer.settled(it.connPid)
      const begun = ['response 200 nofin', 'data a nofin']
      const behind = 'response 204 fin'
      assert.deepEqual(await it.waiting(), version === 'http' ? begun : [...begun, behind])
      gun.cancel(it.connPid, first)
      if (version === 'http') assert.deepEqual(await it.heard(1), [behind])
      else {
        await it.peer.settled(it.connPid)
        assert.deepEqual(await it.waiting(), [])
      }
    })

    test('asked for before the response counts too', async () => {
      await using _left = assertNothingLeft()
      await using it = await httpEnds(line)
      const streamRef = gun.get(it.connPid, '/', {}, { flow: 1 })
      gun.updateFlow(it.connPid, streamRef, 1)
      const asked = await it.peer.request()
      await it.peer.send(asked.encode({ ...inParts('a', 'b', 'c'), isCutOff: true }))
      await it.peer.settled(it.connPid)
      assert.deepEqual(await it.waiting(), ['response 200 nofin', 'data a nofin', 'data b nofin'])
    })

    test('asked for while the request is postponed counts too', async () => {
      await using _left = assertNothingLeft()
      await using it = await httpEnds(line)
      it.peer.reset()
      assert.match((await it.heard(1)).join(), /^down: /)
      const streamRef = gun.get(it.connPid, '/', {}, { flow: 1 })
      gun.updateFlow(it.connPid, streamRef, 1)
      const peer = await it.next()
      await peer.serve(inParts('a', 'b', 'c'))
      await peer.settled(it.connPid)
      assert.deepEqual(await it.waiting(), ['up', 'response 200 nofin', 'data a nofin', 'data b nofin'])
    })

    test('that is off is not switched on by updateFlow', async () => {
      await using _left = assertNothingLeft()
      await using it = await httpEnds(line)
      const streamRef = gun.get(it.connPid, '/')
      gun.updateFlow(it.connPid, streamRef, 1)
      await it.peer.serve(inParts('a', 'b'))
      const heard = ['response 200 nofin', ...parts('a', 'b')]
      assert.deepEqual(await it.heard(heard.length), heard)
    })

    test('holds back the end of the connection as well, and nothing is lost', async () => {
      await using _left = assertNothingLeft()
      await using it = await httpEnds(line, { retry: 0 })
      const streamRef = gun.get(it.connPid, '/', {}, { flow: 1 })
      const asked = await it.peer.request()
      await asked.head(200, [['content-length', '3']])
      await asked.data('a')
      it.peer.end()
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
      await using it = await httpEnds(line, { retry: 0 })
      gun.get(it.connPid, '/', {}, { flow: 1 })
      const asked = await it.peer.request()
      await it.peer.send(asked.encode({ ...inParts('a', 'b', 'c'), isCutOff: true }))
      await it.peer.settled(it.connPid)
      assert.deepEqual(await it.waiting(), ['response 200 nofin', 'data a nofin'])
      it.peer.reset()
      // Over HTTP/1.1 nobody reads, so nobody notices, until something is sent.
      if (version === 'http') gun.get(it.connPid, '/2')
      const killed = version === 'http' ? 2 : 1
      const heard = await it.heard(5 + killed)
      assert.deepEqual(heard.slice(0, 2), ['data b nofin', 'data c nofin'])
      assert.match(heard[2 + killed] ?? '', new RegExp(`^down: \\w+, killed ${killed}$`))
    })
  })
}

for (const version of versions) {
  test(`a body that is not wanted is not read, over ${nameOf(version)}`, async () => {
    await using _left = assertNothingLeft()
    const size = 64 * 1024 * 1024
    const line = { version, transport: 'tcp' } as const
    await using server = await httpServer(line, (_, response) => {
      response.writeHead(200, { 'content-length': size })
      response.end(Buffer.alloc(size))
    })
    await using client = await connect(server, line)
    const { owner, connPid } = client
    const streamRef = gun.get(connPid, '/', {}, { flow: 1 })
    assert.equal((await owner.receive([{ type: 'gun_response', streamRef }], PATIENCE)).status, 200)
    let received = (await owner.receive([{ type: 'gun_data', streamRef }], PATIENCE)).data.length
    await settle()
    // Over HTTP/2 a window is filled, and what frames it comes on top.
    assert.ok((gun.info(connPid).socket?.bytesRead ?? size) < (version === 'http' ? 1 : 2) * 1024 * 1024)
    gun.updateFlow(connPid, streamRef, 1_000_000)
    for (let isFin: gun.IsFin = 'nofin'; isFin === 'nofin'; ) {
      const message = await owner.receive([{ type: 'gun_data', streamRef }], PATIENCE)
      received += message.data.length
      isFin = message.isFin
    }
    assert.equal(received, size)
  })
}
