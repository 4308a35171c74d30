// HTTP/2 with the web servers of Debian: nginx, apache and h2o, each with files of its own and a server of HTTP/1.1 behind it.

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import {
  apache,
  type DebianServer,
  h2o,
  needing,
  nginx,
  type Program,
  versionOf,
  type WebServerOptions,
} from '../support/debian-servers.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { type Client, connect, MEGABYTE, PATIENCE, transports } from '../support/proxy-cases.ts'

interface WebServer {
  readonly program: Program
  readonly start: (options: WebServerOptions) => Promise<DebianServer>
  /** The signal that asks it to finish what it has, and to take nothing more. */
  readonly gracefully: NodeJS.Signals
  /** Whether it then finishes a response that waits for a window. */
  readonly finishes: boolean
}

/** Whether apache finishes what waits for a window: 2.4.68 and the versions before it cut that off, and 2.4.71 finishes it. */
function apacheFinishes(): boolean {
  const said = versionOf('apache2', '-v')
  const [, patch] = /Apache\/2\.4\.(\d+)/.exec(said) ?? []
  return patch === undefined || Number(patch) > 68
}

const servers: readonly WebServer[] = [
  { program: 'nginx', start: nginx, gracefully: 'SIGQUIT', finishes: true },
  { program: 'apache2', start: apache, gracefully: 'SIGWINCH', finishes: apacheFinishes() },
  { program: 'h2o', start: h2o, gracefully: 'SIGTERM', finishes: true },
]

const LARGE = Buffer.concat(Array.from({ length: 8 }, () => MEGABYTE))
const files = { 'page.html': 'Hello', 'large.bin': LARGE, empty: '' }

interface Scene extends Client, Pick<WebServer, 'gracefully' | 'finishes'> {
  readonly server: DebianServer
}

/** Answers each request with its own body. */
async function startEcho(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer((request, response) => {
    request.on('error', () => {})
    response.on('error', () => {})
    request.pipe(response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

/** A test for each server and transport, over a connection to a server that runs for this test alone. */
function serving(
  what: string,
  run: (it: Scene) => Promise<void>,
  options: Pick<WebServerOptions, 'maxConcurrentStreams'> = {},
): void {
  for (const { program, start, gracefully, finishes } of servers) {
    for (const transport of transports) {
      test(`${what}, from ${program} over ${transport}`, needing(program), async () => {
        await using _left = assertNothingLeft()
        await using _calm = collectWarnings()
        await using echo = await startEcho()
        await using server = await start({ transport, backendPort: echo.port, files, ...options })
        await using client = await connect(server, transport)
        await run({ ...client, server, gracefully, finishes })
      })
    }
  }
}

serving('files are served, or are not there', async ({ connPid, whole }) => {
  const { status, headers, body } = await whole(gun.get(connPid, '/page.html'))
  assert.deepEqual([status, headers['content-length'], String(body)], [200, '5', 'Hello'])
  assert.equal((await whole(gun.get(connPid, '/missing'))).status, 404)
  assert.equal((await whole(gun.get(connPid, '/empty'))).body.length, 0)
  const head = await whole(gun.head(connPid, '/large.bin'))
  assert.deepEqual([head.status, head.headers['content-length'], head.body.length], [200, '8000000', 0])
})

serving('eight megabytes come down, three times at once', async ({ connPid, whole }) => {
  const streamRefs = [1, 2, 3].map(() => gun.get(connPid, '/large.bin'))
  for (const streamRef of streamRefs) {
    const { status, body } = await whole(streamRef)
    assert.ok(status === 200 && body.equals(LARGE))
  }
})

serving('a megabyte goes up whole or in parts, and comes back', async ({ connPid, whole }) => {
  const up = gun.put(connPid, '/echo', {}, MEGABYTE)
  const parts = gun.post(connPid, '/echo', { 'content-length': String(MEGABYTE.length) })
  for (let at = 0; at < MEGABYTE.length; at += 50_000) {
    const isLast = at + 50_000 >= MEGABYTE.length
    gun.data(connPid, parts, isLast ? 'fin' : 'nofin', MEGABYTE.subarray(at, at + 50_000))
  }
  for (const streamRef of [up, parts]) {
    const { status, body } = await whole(streamRef)
    assert.ok(status === 200 && body.equals(MEGABYTE))
  }
})

serving(
  'two hundred requests share a connection that allows for twenty',
  async ({ connPid, whole }) => {
    const streamRefs = Array.from({ length: 200 }, (_, i) => gun.post(connPid, '/echo', {}, `body ${i}`))
    for (const [i, streamRef] of streamRefs.entries()) {
      assert.equal(String((await whole(streamRef)).body), `body ${i}`)
    }
  },
  { maxConcurrentStreams: 20 },
)

serving('a download that is cancelled half way leaves the connection as it was', async it => {
  const { connPid, self, whole, next } = it
  for (let i = 0; i < 5; i++) {
    const streamRef = gun.get(connPid, '/large.bin', {}, { flow: 3 })
    assert.equal(await next(streamRef), 'response 200 nofin')
    gun.cancel(connPid, streamRef)
    gun.flush(streamRef)
    // apache 2.4.68 loses what it reads together with a reset of a response that waits for a window.
    await self.receive([{ type: 'gun_notify', event: 'ping_ack', streamRef: gun.ping(connPid) }], PATIENCE)
  }
  assert.equal(String((await whole(gun.get(connPid, '/page.html'))).body), 'Hello')
})

serving('a download that nobody reads waits, and the others go on', async ({ connPid, whole, next }) => {
  const slow = gun.get(connPid, '/large.bin', {}, { flow: 1 })
  assert.equal(await next(slow), 'response 200 nofin')
  for (let i = 0; i < 20; i++) {
    assert.equal(String((await whole(gun.get(connPid, '/page.html'))).body), 'Hello')
  }
  gun.updateFlow(connPid, slow, 1_000_000)
  const { body } = await gun.awaitBody(connPid, slow)
  assert.ok(LARGE.equals(body))
})

serving('fields come back as they were, often, and changing', async ({ connPid, whole }) => {
  for (let i = 0; i < 100; i++) {
    const headers = {
      'x-same': 'one',
      'x-changing': `${i}`,
      cookie: `a=${i}; b=2`,
      authorization: `Basic ${i}`,
    }
    assert.equal((await whole(gun.get(connPid, `/page.html?${i}`, headers))).status, 200)
  }
})

serving('it answers a ping', async ({ connPid, self }) => {
  const streamRef = gun.ping(connPid)
  await self.receive([{ type: 'gun_notify', event: 'ping_ack', streamRef }], PATIENCE)
})

serving('a server that shuts down ends what has begun', async it => {
  const { connPid, server, gracefully, finishes, whole, end } = it
  assert.equal((await whole(gun.get(connPid, '/page.html'))).status, 200)
  const streamRef = gun.get(connPid, '/large.bin', {}, { flow: 1 })
  const head = await gun.await(connPid, streamRef, PATIENCE)
  assert.equal(head.type, 'gun_response')
  server.signal(gracefully)
  gun.updateFlow(connPid, streamRef, 1_000_000)
  const rest = gun.awaitBody(connPid, streamRef, PATIENCE)
  if (finishes) assert.ok(LARGE.equals((await rest).body))
  else await assert.rejects(rest)
  assert.match((await end()).join(), /DOWN/)
})
