// HTTP/2 with the server of node:http2, an implementation that is not ours.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import http2 from 'node:http2'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { certificates, type Transport } from '@holster/testing'
import { PATIENCE } from '../support/client.ts'
import { onEachTransport } from '../support/http-scene.ts'
import { type H2ServerOptions, h2Server } from '../support/http2-server.ts'
import { assertNothingLeft } from '../support/leftovers.ts'

async function withServer(
  transport: Transport,
  options: H2ServerOptions,
  opts: gun.Opts,
  run: (connPid: gun.ConnPid, owner: ReturnType<typeof createProcess<gun.GunMessage>>) => Promise<void>,
): Promise<void> {
  await using server = await h2Server({ transport, ...options })
  const owner = createProcess<gun.GunMessage>()
  const all: gun.Opts = {
    owner,
    transport: transport === 'tls' ? 'tls' : 'tcp',
    tlsOpts: { ca: certificates.ca },
    protocols: ['http2'],
    ...opts,
  }
  const connPid =
    server.path === undefined ? gun.open('localhost', server.port, all) : gun.openUnix(server.path, all)
  try {
    assert.equal(await gun.awaitUp(connPid, PATIENCE), 'http2')
    await run(connPid, owner)
  } finally {
    gun.close(connPid)
    await connPid[Symbol.asyncDispose]()
    owner.exit()
  }
}

const echo: H2ServerOptions['onRequest'] = (request, response) => {
  response.writeHead(200)
  request.pipe(response)
}

onEachTransport('two hundred bodies at once come back as they went', async transport => {
  await withServer(
    transport,
    { onRequest: echo, settings: { maxConcurrentStreams: 50 } },
    { http2Opts: { notifySettingsChanged: true } },
    async (connPid, owner) => {
      // Until the server has stated its limit a hundred may begin, of which it would refuse some.
      await owner.receive([{ type: 'gun_notify' }], PATIENCE)
      const bodies = Array.from({ length: 200 }, (_, i) => Buffer.alloc(5000 + i * 100, `${i} `))
      const streamRefs = bodies.map(body => gun.post(connPid, '/', {}, body))
      for (const [i, streamRef] of streamRefs.entries()) {
        const response = await gun.await(connPid, streamRef, PATIENCE)
        assert.ok(response.type === 'gun_response' && response.status === 200)
        const { body } = await gun.awaitBody(connPid, streamRef, PATIENCE)
        assert.ok(Buffer.from(body).equals(bodies[i] as Buffer))
      }
    },
  )
})

onEachTransport('5 MB go up and come down', async transport => {
  await withServer(transport, { onRequest: echo }, {}, async connPid => {
    const body = Buffer.alloc(5_000_000, 'abcdefghijklmnopqrstuvwxyz0')
    const streamRef = gun.put(connPid, '/', {}, body)
    await gun.await(connPid, streamRef, PATIENCE)
    const { body: echoed } = await gun.awaitBody(connPid, streamRef, 30_000)
    assert.ok(Buffer.from(echoed).equals(body))
  })
})

onEachTransport('content handlers decode what comes', async transport => {
  const onRequest: H2ServerOptions['onRequest'] = (_request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' })
    response.end(gzipSync('Hello'.repeat(10_000)))
  }
  await withServer(
    transport,
    { onRequest },
    { http2Opts: { contentHandlers: [gun.decode()] } },
    async connPid => {
      const streamRef = gun.get(connPid, '/', { 'accept-encoding': 'gzip' })
      await gun.await(connPid, streamRef, PATIENCE)
      const { body } = await gun.awaitBody(connPid, streamRef, PATIENCE)
      assert.equal(Buffer.from(body).toString(), 'Hello'.repeat(10_000))
    },
  )
})

onEachTransport('pushes of a real server are told of, and 100 Continue is waited for', async transport => {
  const onRequest: H2ServerOptions['onRequest'] = (request, response) => {
    if (request.method === 'POST') return echo(request, response)
    response.stream.pushStream({ ':path': '/pushed' }, (_error, push) => {
      push.on('error', () => {})
      push.respond({ ':status': 200 })
      push.end('pushed')
    })
    response.end('asked')
  }
  await withServer(transport, { onRequest }, {}, async (connPid, owner) => {
    const streamRef = gun.get(connPid, '/')
    const { newStreamRef } = await owner.receive([{ type: 'gun_push', streamRef }], PATIENCE)
    for (const [ref, text] of [
      [streamRef, 'asked'],
      [newStreamRef, 'pushed'],
    ] as const) {
      await owner.receive([{ type: 'gun_response', streamRef: ref }], PATIENCE)
      let body = ''
      for (let isFin = 'nofin'; isFin === 'nofin'; ) {
        const part = await owner.receive([{ type: 'gun_data', streamRef: ref }], PATIENCE)
        body += part.data
        isFin = part.isFin
      }
      assert.equal(body, text)
    }
    const expecting = gun.post(connPid, '/', { expect: '100-continue' }, 'body')
    const inform = await owner.receive([{ streamRef: expecting }], PATIENCE)
    assert.ok(inform.type === 'gun_inform' && inform.status === 100)
    await owner.receive([{ type: 'gun_response', streamRef: expecting }], PATIENCE)
  })
})

test(':authority has IPv6 in brackets', async () => {
  await using _left = assertNothingLeft()
  const server = http2.createServer((request, response) => response.end(request.authority))
  server.listen(0, '::1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const owner = createProcess<gun.GunMessage>()
  const connPid = gun.open('::1', port, { owner, protocols: ['http2'] })
  await gun.awaitUp(connPid, PATIENCE)
  const streamRef = gun.get(connPid, '/')
  await gun.await(connPid, streamRef, PATIENCE)
  assert.equal(String((await gun.awaitBody(connPid, streamRef, PATIENCE)).body), `[::1]:${port}`)
  gun.close(connPid)
  await connPid[Symbol.asyncDispose]()
  owner.exit()
  server.close()
  await once(server, 'close')
})
