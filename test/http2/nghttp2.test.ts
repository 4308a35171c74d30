// HTTP/2 with the programs of nghttp2: the proxy nghttpx and the server nghttpd.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { type DebianServer, type NghttpdOptions, needing, nghttpd } from '../support/debian-servers.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import {
  type Client,
  connect,
  MEGABYTE,
  PATIENCE,
  requestsThrough,
  through,
  transports,
  webSocketsThrough,
} from '../support/proxy-cases.ts'

const gracefully = 'SIGQUIT'

// Without tls it takes HTTP/2 whatever it is told to speak.
requestsThrough('nghttpx', { gracefully, cutShort: 'stream_reset', old: ['tls'] })
webSocketsThrough('nghttpx', { gracefully })

through('nghttpx', 'what early hints say will be needed is pushed', async ({ connPid, self, whole }) => {
  const streamRef = gun.get(connPid, '/early')
  const push = await self.receive([{ type: 'gun_push', streamRef }], PATIENCE)
  assert.deepEqual([push.method, new URL(push.uri).pathname], ['GET', '/style.css'])
  assert.equal(String((await whole(push.newStreamRef)).body), 'body {}')
  assert.equal(String((await whole(streamRef)).body), 'late')
})

// nghttpd.

interface Scene extends Client {
  readonly server: DebianServer
}

interface FilesOptions extends Omit<NghttpdOptions, 'transport'> {
  readonly http2Opts?: gun.Http2Opts
}

const page = { 'page.html': 'Hello', 'style.css': 'body {}', 'large.bin': MEGABYTE, empty: '' }

function serving(what: string, run: (it: Scene) => Promise<void>, options: FilesOptions = {}): void {
  const { http2Opts, files = page, args } = options
  for (const transport of transports) {
    test(`${what}, from nghttpd over ${transport}`, needing('nghttpd'), async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using server = await nghttpd({ transport, files, ...(args && { args }) })
      await using client = await connect(server, transport, http2Opts)
      await run({ ...client, server })
    })
  }
}

serving('files are served, or are not there', async ({ connPid, whole, next, self }) => {
  const { status, headers, body } = await whole(gun.get(connPid, '/page.html'))
  assert.deepEqual([status, headers['content-length'], String(body)], [200, '5', 'Hello'])
  const { 'last-modified': since = '' } = headers
  assert.equal((await whole(gun.get(connPid, '/page.html', { 'if-modified-since': since }))).status, 304)
  assert.equal(await next(gun.head(connPid, '/page.html')), 'response 200 fin')
  assert.equal((await whole(gun.get(connPid, '/empty'))).body.length, 0)
  assert.ok((await whole(gun.get(connPid, '/large.bin'))).body.equals(MEGABYTE))
  const missing = await whole(gun.get(connPid, '/missing'))
  assert.equal(missing.status, 404)
  assert.match(String(missing.body), /404/)
  assert.equal(self.messageQueueLength, 0)
})

serving(
  'trailers follow a body, in frames with padding and without a length',
  async ({ connPid, whole }) => {
    for (const [path, content] of Object.entries(page)) {
      const { headers, body, trailers } = await whole(gun.get(connPid, `/${path}`))
      assert.equal(headers['content-length'], undefined)
      assert.ok(body.equals(Buffer.from(content)), path)
      assert.deepEqual(trailers, [['x-sum', 'abc']], path)
    }
  },
  { args: ['--trailer=x-sum: abc', '--padding=255', '--no-content-length'] },
)

serving(
  'an error that is compressed is decoded',
  async ({ connPid, whole }) => {
    const { status, body } = await whole(gun.get(connPid, '/missing', { 'accept-encoding': 'gzip' }))
    assert.equal(status, 404)
    assert.match(String(body), /404/)
  },
  { args: ['--error-gzip'], http2Opts: { contentHandlers: [gun.decode()] } },
)

const pushes = ['--push=/page.html=/style.css,/large.bin']

serving(
  'what is pushed comes besides what was asked for',
  async ({ connPid, self, whole }) => {
    const streamRef = gun.get(connPid, '/page.html')
    const pushed = new Map<string, gun.StreamRef>()
    for (const _ of [1, 2]) {
      const { uri, newStreamRef } = await self.receive([{ type: 'gun_push', streamRef }], PATIENCE)
      pushed.set(new URL(uri).pathname, newStreamRef)
    }
    assert.deepEqual([...pushed.keys()].sort(), ['/large.bin', '/style.css'])
    assert.equal(String((await whole(streamRef)).body), 'Hello')
    assert.equal(String((await whole(pushed.get('/style.css') as gun.StreamRef)).body), 'body {}')
    assert.ok((await whole(pushed.get('/large.bin') as gun.StreamRef)).body.equals(MEGABYTE))
  },
  { args: pushes },
)

serving(
  'a push that is cancelled holds up nothing else',
  async ({ connPid, self, whole }) => {
    const streamRef = gun.get(connPid, '/page.html')
    for (const _ of [1, 2]) {
      const { uri, newStreamRef } = await self.receive([{ type: 'gun_push', streamRef }], PATIENCE)
      if (uri.endsWith('.bin')) gun.cancel(connPid, newStreamRef)
      else assert.equal(String((await whole(newStreamRef)).body), 'body {}')
    }
    assert.equal(String((await whole(streamRef)).body), 'Hello')
    assert.ok((await whole(gun.get(connPid, '/large.bin'))).body.equals(MEGABYTE))
  },
  // So that it cannot have come before it is cancelled.
  { args: pushes, http2Opts: { initialStreamWindowSize: 10_000 } },
)

serving(
  'nothing is pushed to who does not want it',
  async ({ connPid, self, whole }) => {
    for (const _ of [1, 2]) assert.equal(String((await whole(gun.get(connPid, '/page.html'))).body), 'Hello')
    assert.equal(self.messageQueueLength, 0)
  },
  { args: pushes, http2Opts: { enablePush: false } },
)

for (const [what, args] of [
  ['through small windows', ['--window-bits=10', '--connection-window-bits=16']],
  ['before all of it was sent', ['--early-response']],
  ['with no table of headers', ['--header-table-size=0', '--encoder-header-table-size=0']],
] as const) {
  serving(
    `a megabyte comes back as it went, ${what}`,
    async ({ connPid, whole }) => {
      const streamRefs = [1, 2].map(() => gun.post(connPid, '/echo', { 'x-a': 'b'.repeat(100) }, MEGABYTE))
      for (const streamRef of streamRefs) {
        const { status, body } = await whole(streamRef)
        assert.ok(status === 200 && body.equals(MEGABYTE))
      }
    },
    { args: ['--echo-upload', ...args] },
  )
}

serving(
  'two hundred requests share a connection that allows for three',
  async ({ connPid, whole }) => {
    const streamRefs = Array.from({ length: 200 }, () => gun.get(connPid, '/page.html'))
    for (const streamRef of streamRefs) assert.equal(String((await whole(streamRef)).body), 'Hello')
  },
  { args: ['--max-concurrent-streams=3'] },
)

serving('a WebSocket is not asked of a server that knows of none', async ({ connPid, next, whole }) => {
  assert.equal(await next(gun.wsUpgrade(connPid, '/')), 'stream: stream_error not_supported')
  assert.equal(String((await whole(gun.get(connPid, '/page.html'))).body), 'Hello')
})

serving(
  'a body that is not read does not hold up others, nor a ping, and is cancelled in between',
  async ({ connPid, next, whole, self }) => {
    const streamRef = gun.get(connPid, '/large.bin', {}, { flow: 1 })
    assert.equal(await next(streamRef), 'response 200 nofin')
    assert.match(await next(streamRef), /^data .* nofin$/)
    assert.equal(String((await whole(gun.get(connPid, '/page.html'))).body), 'Hello')
    assert.equal(await next(gun.ping(connPid)), 'notify ping_ack')
    gun.cancel(connPid, streamRef)
    assert.ok((await whole(gun.get(connPid, '/large.bin'))).body.equals(MEGABYTE))
    assert.equal(self.messageQueueLength, 0)
  },
  { http2Opts: { initialStreamWindowSize: 65_535, initialConnectionWindowSize: 100_000 } },
)

serving(
  'a server that is killed half way leaves a part that is told as a part',
  async ({ connPid, self, next, server }) => {
    const streamRef = gun.get(connPid, '/large.bin', {}, { flow: 1 })
    assert.equal(await next(streamRef), 'response 200 nofin')
    const { data } = await self.receive([{ type: 'gun_data', streamRef }], PATIENCE)
    server.signal('SIGKILL')
    await server.ended
    gun.updateFlow(connPid, streamRef, 1_000_000)
    let length = data.length
    for (;;) {
      const message = await self.receive([{ streamRef }], PATIENCE)
      if (message.type !== 'gun_data') {
        assert.ok(message.type === 'gun_error' && message.reason.kind === 'connection_error')
        break
      }
      assert.equal(message.isFin, 'nofin')
      length += message.data.length
    }
    assert.ok(length < MEGABYTE.length, `${length}`)
  },
  { http2Opts: { initialStreamWindowSize: 65_535 } },
)
