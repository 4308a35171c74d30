/** A fake clock lets timeouts pass as a test says, and stops nothing else: sockets, mailboxes and ends go on. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { acceptUpgrade, type HttpServerOptions, startHttpServer, startServer } from '@holster/testing'
import { connect } from '../support/client.ts'
import { assertNothingLeft } from '../support/leftovers.ts'

const apis = ['setTimeout', 'setInterval', 'setImmediate', 'Date'] as const

const servers: Record<string, HttpServerOptions> = {
  'HTTP/1.1 over tcp': {},
  'HTTP/1.1 over tls': { transport: 'tls', protocol: 'http' },
  'HTTP/1.1 over a Unix socket': { transport: 'unix' },
  'HTTP/2 over tcp': { protocol: 'http2' },
  'HTTP/2 over tls': { transport: 'tls', protocol: 'http2' },
}

for (const [name, options] of Object.entries(servers)) {
  test(`requests are answered while a fake clock stands still: ${name}`, async t => {
    await using _left = assertNothingLeft()
    await using server = await startHttpServer(
      async request => new Response(await request.arrayBuffer()),
      options,
    )
    t.mock.timers.enable({ apis: [...apis] })
    const { transport = 'tcp', protocol = 'http' } = options
    await using client = await connect(server, { version: protocol, transport })
    const body = 'x'.repeat(500_000)
    const streams = [1, 2, 3].map(() => gun.post(client.connPid, '/', {}, body))
    for (const streamRef of streams) {
      const response = await gun.awaitResponse(client.connPid, streamRef)
      assert.equal(response.body?.length, body.length)
    }
  })
}

test('a WebSocket echoes and closes in order while a fake clock stands still', async t => {
  await using _left = assertNothingLeft()
  await using server = await startServer(async peer => {
    const socket = await acceptUpgrade(peer)
    for await (const frame of socket) await socket.send(frame)
  })
  t.mock.timers.enable({ apis: [...apis] })
  // Jest fakes microtasks as well. The body of a Response needs them, so that the requests above have Node's own.
  t.mock.method(globalThis, 'queueMicrotask', () => {})
  await using client = await connect(server)
  const { connPid, owner } = client
  owner.monitor(connPid)
  const streamRef = gun.wsUpgrade(connPid, '/')
  await gun.await(connPid, streamRef)
  const texts = Array.from({ length: 100 }, (_, number) => `${number}`.repeat(1000))
  for (const text of texts) gun.wsSend(connPid, streamRef, ['text', text])
  for (const text of texts) {
    const { frame } = await owner.receive([{ type: 'gun_ws', streamRef }])
    assert.deepEqual(frame, ['text', text])
  }
  gun.shutdown(connPid)
  const { reason } = await owner.receive([{ type: 'DOWN', pid: connPid }])
  assert.equal(reason, 'shutdown')
})
