/** Each proxy of Debian leads through a tunnel, wants a name and a password if it shall, and leaves nothing behind. */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import http2 from 'node:http2'
import type net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { certificates } from '@holster/testing'
import { connect, readAll, readUntil } from './bare-socket.ts'
import {
  apacheProxy,
  type DebianServer,
  danted,
  microsocks,
  needing,
  needingSsh,
  squid,
  ssh,
  tinyproxy,
} from './debian-proxies.ts'
import { haproxy, nghttpx } from './debian-servers.ts'
import { assertNothingLeft } from './leftovers.ts'
import { tunnelOrigin } from './tunnel-origins.ts'

// A folder of our own for what they write, so that what other tests have there does not count.
const place = await mkdtemp(join(tmpdir(), 'holster-debian-'))
// Programs without privileges have to get to their own.
await chmod(place, 0o755)
process.env.TMPDIR = place
after(() => rm(place, { recursive: true }))

const auth = { username: 'joe', password: 'secret' }
const ask = (port: number, fields = ''): string =>
  `CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${fields}\r\n`

async function assertGone(server: DebianServer): Promise<void> {
  assert.deepEqual(await readdir(place), [])
  // A process that was killed may take a moment to go.
  const accepts = (): Promise<boolean> =>
    connect(server, 'tcp').then(
      socket => {
        socket.destroy()
        return true
      },
      () => false,
    )
  while (await accepts()) await turn()
  assert.deepEqual(
    (await readdir('/dev/shm').catch(() => [])).filter(name => name.startsWith(`holster${server.port}-`)),
    [],
  )
}

/** Checks that the ends of both sides of an echo are passed on. */
async function assertEcho(socket: net.Socket): Promise<void> {
  socket.write('abc')
  const [data] = await once(socket, 'data')
  assert.equal(String(data), 'abc')
  socket.end()
  assert.equal(await readAll(socket), '')
}

const forward = { squid, apache2: apacheProxy, tinyproxy } as const
for (const [name, start] of Object.entries(forward)) {
  for (const transport of name === 'tinyproxy' ? (['tcp'] as const) : (['tcp', 'tls'] as const)) {
    describe(`${name} over ${transport}`, needing(name as keyof typeof forward), () => {
      test('leads to where it is asked to', async () => {
        await using _left = assertNothingLeft()
        let gone: DebianServer
        {
          await using origin = await tunnelOrigin('raw')
          await using server = await start({ transport })
          const socket = await connect(server, transport)
          socket.write(ask(origin.port))
          assert.match(await readUntil(socket, '\r\n\r\n'), /^HTTP\/1.[01] 200 /)
          await assertEcho(socket)
          gone = server
        }
        await assertGone(gone)
      })

      test('wants a name and a password', async () => {
        await using origin = await tunnelOrigin('raw')
        await using server = await start({ transport, auth })
        const refused = await connect(server, transport)
        refused.write(ask(origin.port))
        assert.match(
          await readUntil(refused, '\r\n\r\n'),
          /^HTTP\/1.[01] 407 .*proxy-authenticate: basic realm=/is,
        )
        refused.destroy()
        const socket = await connect(server, transport)
        const credentials = Buffer.from('joe:secret').toString('base64')
        socket.write(ask(origin.port, `Proxy-Authorization: Basic ${credentials}\r\n`))
        assert.match(await readUntil(socket, '\r\n\r\n'), /^HTTP\/1.[01] 200 /)
        await assertEcho(socket)
      })
    })
  }
}

/** Resolves to so many bytes of the answers of a server of SOCKS5 to a greeting and a request. */
async function exchange(socket: net.Socket, bytes: Buffer, length: number): Promise<Buffer> {
  socket.write(bytes)
  for (;;) {
    const answer: Buffer | null = socket.read(length)
    if (answer !== null) return answer
    await once(socket, 'readable')
  }
}

const socksRequest = (port: number): Buffer => Buffer.of(5, 1, 0, 1, 127, 0, 0, 1, port >> 8, port & 0xff)

const socks = { danted: needing('danted'), microsocks: needing('microsocks'), ssh: needingSsh() } as const
const starts = { danted, microsocks, ssh } as const
for (const name of ['danted', 'microsocks', 'ssh'] as const) {
  test(`${name} leads to where it is asked to`, socks[name], async () => {
    await using _left = assertNothingLeft()
    let gone: DebianServer
    {
      await using origin = await tunnelOrigin('raw')
      await using server = await starts[name]()
      const socket = await connect(server, 'tcp')
      assert.deepEqual(await exchange(socket, Buffer.of(5, 1, 0), 2), Buffer.of(5, 0))
      const reply = await exchange(socket, socksRequest(origin.port), 10)
      assert.deepEqual([...reply.subarray(0, 4)], [5, 0, 0, 1])
      await assertEcho(socket)
      gone = server
    }
    await assertGone(gone)
  })
}

test('microsocks wants a name and a password', needing('microsocks'), async () => {
  await using origin = await tunnelOrigin('raw')
  await using server = await microsocks({ auth })
  const socket = await connect(server, 'tcp')
  assert.deepEqual(await exchange(socket, Buffer.of(5, 2, 0, 2), 2), Buffer.of(5, 2))
  const login = Buffer.from('\x01\x03joe\x06secret', 'latin1')
  assert.deepEqual(await exchange(socket, login, 2), Buffer.of(1, 0))
  assert.equal((await exchange(socket, socksRequest(origin.port), 10))[1], 0)
  await assertEcho(socket)
})

describe('in front of tinyproxy', needing('tinyproxy'), () => {
  const fronts = { haproxy, nghttpx: options => nghttpx({ ...options, isForward: true }) } satisfies Record<
    string,
    typeof haproxy
  >
  for (const [name, start] of Object.entries(fronts)) {
    for (const transport of ['tcp', 'tls'] as const) {
      test(
        `${name} has tunnels of HTTP/2 over ${transport}`,
        needing(name as keyof typeof fronts),
        async () => {
          await using origin = await tunnelOrigin('raw')
          await using behind = await tinyproxy({ auth })
          await using server = await start({ transport, backendPort: behind.port })
          const client = http2.connect(
            `${transport === 'tls' ? 'https' : 'http'}://localhost:${server.port}`,
            { ca: certificates.ca },
          )
          const credentials = Buffer.from('joe:secret').toString('base64')
          const request = { ':method': 'CONNECT', ':authority': `127.0.0.1:${origin.port}` }
          const refused = client.request(request)
          const [refusal] = await once(refused, 'response')
          assert.equal(refusal[':status'], 407)
          refused.destroy()
          const streams = [0, 1].map(() =>
            client.request({ ...request, 'proxy-authorization': `Basic ${credentials}` }),
          )
          const responses = await Promise.all(streams.map(stream => once(stream, 'response')))
          assert.deepEqual(
            responses.map(([headers]) => headers[':status']),
            [200, 200],
          )
          for (const stream of streams) {
            stream.write('abc')
            const [data] = await once(stream, 'data')
            assert.equal(String(data), 'abc')
          }
          client.destroy()
        },
      )

      test(
        `${name} has one of HTTP/1.1 over ${transport}`,
        needing(name as keyof typeof fronts),
        async () => {
          await using origin = await tunnelOrigin('raw')
          await using behind = await tinyproxy()
          await using server = await start({ transport, backendPort: behind.port, isOld: true })
          const socket = await connect(server, transport)
          socket.write(ask(origin.port))
          assert.match(await readUntil(socket, '\r\n\r\n'), /^HTTP\/1.[01] 200 /)
          socket.write('abc')
          const [data] = await once(socket, 'data')
          assert.equal(String(data), 'abc')
          socket.destroy()
        },
      )
    }
  }
})
