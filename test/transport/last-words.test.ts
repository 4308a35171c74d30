// The last bytes of a peer are heard even where a write to it has failed before they are read.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { constants } from 'node:os'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { certificates, type Peer } from '@holster/testing'
import { PATIENCE } from '../support/client.ts'
import { chunked, ends } from '../support/http-ends.ts'
import { onEachTransport } from '../support/http-scene.ts'
import * as h2 from '../support/http2-frames.ts'
import { scene as h2Scene } from '../support/http2-scene.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { origin } from '../support/origin.ts'
import { close, upgraded } from '../support/websocket-scene.ts'

const TRIES = 10
const TOO_LARGE = 'HTTP/1.1 413 Content Too Large\r\ncontent-length: 2\r\n'
const chunk = Buffer.alloc(100_000)

/** The peer sends its last words and breaks the connection, and nothing of that is read before something was written. */
async function sayAndGo(
  { connPid, peer }: { connPid: gun.ConnPid; peer: Pick<Peer, 'send' | 'reset' | 'socket'> },
  words: string | Uint8Array,
): Promise<void> {
  gun.info(connPid).socket?.pause()
  // A reset drops what Nagle's algorithm holds back.
  peer.socket.setNoDelay(true)
  await peer.send(words as Buffer)
  peer.reset()
}

/** From now on the system refuses what is written, as where a firewall of this machine forbids it, and still reads. */
function failWrites(connPid: gun.ConnPid): void {
  const { socket } = gun.info(connPid)
  const { _handle: handle } = socket as unknown as { readonly _handle: Record<string, () => number> }
  for (const kind of ['v', 'Buffer', 'Latin1String', 'Utf8String', 'AsciiString', 'Ucs2String']) {
    handle[`write${kind}`] = () => -constants.errno.EPERM
  }
}

for (const [what, head, lost] of [
  ['that ends the connection', `${TOO_LARGE}connection: close\r\n`, 'down: normal, killed 0'],
  ['that lets the connection go on', TOO_LARGE, 'down: socket_error, killed 0'],
] as const) {
  onEachTransport(`a response ${what} comes although an upload breaks before it was read`, async on => {
    for (let i = 0; i < TRIES; i++) {
      await using it = await ends(on, { retry: 0 })
      const streamRef = gun.post(it.connPid, '/', { 'content-length': 1e9 })
      await it.peer.receiveRequest()
      await sayAndGo(it, `${head}\r\nno`)
      gun.data(it.connPid, streamRef, 'nofin', chunk)
      assert.deepEqual(await it.heard(2), ['response 413 nofin', 'data no fin'])
      assert.deepEqual(await it.heard(1), [lost])
    }
  })
}

onEachTransport('a body that lasts until the end is never whole where a write has failed', async on => {
  for (let i = 0; i < TRIES; i++) {
    await using it = await ends(on, { retry: 0 })
    const streamRef = gun.post(it.connPid, '/', { 'content-length': 1e9 })
    await it.peer.receiveRequest()
    await sayAndGo(it, 'HTTP/1.1 200 OK\r\n\r\nhel')
    gun.data(it.connPid, streamRef, 'nofin', chunk)
    const told = await it.heard(4)
    assert.deepEqual(told, [
      'response 200 nofin',
      'data hel nofin',
      'error: socket_error',
      'down: socket_error, killed 1',
    ])
  }
})

onEachTransport(
  'a body that lasts until the end is whole where only writes fail, and the peer ends it',
  async on => {
    await using it = await ends(on, { retry: 0 })
    const streamRef = gun.post(it.connPid, '/', { 'content-length': 1e9 })
    await it.peer.receiveRequest()
    failWrites(it.connPid)
    gun.data(it.connPid, streamRef, 'nofin', chunk)
    await turn()
    it.peer.end('HTTP/1.1 413 Content Too Large\r\nconnection: close\r\n\r\nno')
    const told = await it.heard(4)
    assert.deepEqual(told, ['response 413 nofin', 'data no nofin', 'data  fin', 'down: normal, killed 0'])
  },
)

test('a body that lasts until the end is whole where the reset came behind that end, over tcp', async () => {
  for (let i = 0; i < TRIES; i++) {
    await using it = await ends('tcp', { retry: 0 })
    const streamRef = gun.post(it.connPid, '/', { 'content-length': 1e9 })
    await it.peer.receiveRequest()
    gun.info(it.connPid).socket?.pause()
    it.peer.end(`HTTP/1.1 413 Content Too Large\r\nconnection: close\r\n\r\nno`)
    await once(it.peer.socket, 'finish')
    it.peer.reset()
    gun.data(it.connPid, streamRef, 'nofin', chunk)
    const told = await it.heard(4)
    assert.deepEqual(told, ['response 413 nofin', 'data no nofin', 'data  fin', 'down: normal, killed 0'])
  }
})

onEachTransport('a connection on which a write fails ends although the peer says nothing', async on => {
  await using it = await ends(on, { retry: 0 })
  failWrites(it.connPid)
  gun.get(it.connPid, '/sent')
  await turn()
  const waiting = gun.get(it.connPid, '/too-late')
  const refused = await it.self.receive([{ type: 'gun_error', streamRef: waiting }])
  assert.equal(refused.reason.code, 'closing')
  assert.deepEqual(await it.heard(2), ['error: socket_error', 'down: socket_error, killed 1'])
})

onEachTransport('what is asked for once a write has failed is asked of the next connection', async on => {
  await using it = await ends(on)
  failWrites(it.connPid)
  gun.get(it.connPid, '/lost')
  await turn()
  gun.get(it.connPid, '/found')
  const peer = await it.next()
  assert.equal((await peer.receiveRequest()).path, '/found')
})

onEachTransport(
  'a request that waits as a write fails is not begun behind the response before it',
  async on => {
    await using it = await ends(on, { retry: 0, httpOpts: { pipelining: 1 } })
    const first = gun.get(it.connPid, '/')
    const second = gun.get(it.connPid, '/waits')
    await it.peer.receiveRequest()
    failWrites(it.connPid)
    gun.info(it.connPid).socket?.write('x')
    await turn()
    it.peer.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
    assert.equal((await it.self.receive([{ streamRef: first }])).type, 'gun_response')
    const told = await it.self.receive([{ type: 'gun_error', streamRef: second }])
    assert.match(told.reason.message, /before the request was sent/)
  },
)

onEachTransport('what flow holds back is handed on, too, before the error', async on => {
  await using it = await ends(on, { retry: 0, httpOpts: { flow: 1 } })
  const streamRef = gun.post(it.connPid, '/', { 'content-length': 1e9 })
  await it.peer.receiveRequest()
  await it.peer.send(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunked('a', 'b')}`)
  assert.deepEqual(await it.heard(2), ['response 200 nofin', 'data a nofin'])
  await sayAndGo(it, chunked('c', 'd'))
  gun.data(it.connPid, streamRef, 'nofin', chunk)
  const told = await it.heard(5)
  assert.deepEqual(told, [
    'data b nofin',
    'data c nofin',
    'data d nofin',
    'error: socket_error',
    'down: socket_error, killed 1',
  ])
})

onEachTransport('a response over HTTP/2 comes although an upload breaks before it was read', async on => {
  for (let i = 0; i < TRIES; i++) {
    await using it = await h2Scene({ transport: on, opts: { retry: 0 } })
    const streamRef = gun.post(it.connPid, '/', {})
    const { streamId } = await it.peer.request()
    const frames = [h2.headers(streamId, [[':status', '413']]), h2.data(streamId, 'no', { endStream: true })]
    await sayAndGo({ ...it, peer: it.peer.peer }, Buffer.concat(frames))
    gun.data(it.connPid, streamRef, 'nofin', chunk.subarray(0, 10_000))
    assert.deepEqual(await it.story(streamRef), ['response 413 nofin', 'data no fin'])
    assert.match((await it.heard(1)).join(), /^down connection_error/)
  }
})

for (const wire of ['tcp', 'tls'] as const) {
  test(`the close frame of a WebSocket comes although a frame cannot be sent before it was read, over ${wire}`, async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    for (let i = 0; i < TRIES; i++) {
      await using it = await upgraded(wire, { opts: { retry: 0 } })
      await sayAndGo(it, close(1009, 'too big'))
      gun.wsSend(it.connPid, it.streamRef, ['binary', chunk])
      assert.deepEqual(await it.heard(1), ['ws close,1009,too big'])
    }
  })
}

for (const transport of ['tcp', 'tls'] as const) {
  test(`413 is heard by each of many uploads that go on regardless, over ${transport}`, async () => {
    await using _left = assertNothingLeft()
    await using _calm = collectWarnings()
    await using server = await origin(
      async peer => {
        await peer.receiveRequest()
        // Much of the body is unread then, so that to close resets the connection.
        peer.end(`${TOO_LARGE}connection: close\r\n\r\nno`)
        peer.socket.destroySoon()
      },
      { transport },
    )
    for (let i = 0; i < 3 * TRIES; i++) {
      await using self = createProcess<gun.GunMessage>()
      const connPid = gun.open('localhost', server.port, {
        owner: self,
        retry: 0,
        transport,
        tlsOpts: { ca: certificates.ca },
        protocols: ['http'],
      })
      await gun.awaitUp(connPid, PATIENCE)
      const streamRef = gun.post(connPid, '/', { 'content-length': 1e9 })
      let isOver = false
      const pump = () => {
        for (let parts = 0; parts < 4 && !isOver; parts++) gun.data(connPid, streamRef, 'nofin', chunk)
        if (!isOver) setImmediate(pump)
      }
      pump()
      try {
        const response = await gun.await(connPid, streamRef, PATIENCE)
        assert.ok(response.type === 'gun_response')
        assert.equal(response.status, 413)
      } finally {
        isOver = true
        gun.close(connPid)
      }
      self.monitor(connPid)
      await self.receive([{ type: 'DOWN' }], PATIENCE)
    }
  })
}
