// The host that `open` is given: each of its forms where that form belongs, and nothing that it could not hold.

import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { describe, test } from 'node:test'
import type tls from 'node:tls'
import * as gun from '@holster/gun'
import { certificates } from '@holster/testing'
import { connect, defer, PATIENCE } from '../support/client.ts'
import { type Asked, httpOrigin, lineName, lines, NOTHING } from '../support/http-server.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { lookUp } from '../support/lookup.ts'
import { origin } from '../support/origin.ts'

const overNetwork = lines.filter(({ transport }) => transport !== 'unix')

for (const line of overNetwork) {
  const isTls = line.transport === 'tls'
  describe(`over ${lineName(line)}`, () => {
    test('an internationalised name is looked up, verified and told to the server in A-labels', async t => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const asked = defer<Asked>()
      await using server = await httpOrigin(
        line,
        async peer => {
          asked.resolve(await peer.serve(NOTHING))
          await peer.closed
        },
        { tls: certificates.international },
      )
      const names = lookUp(t, ['127.0.0.1'])
      const urls: string[] = []
      const cookieStore: gun.CookieStore = {
        async getCookieString(url) {
          urls.push(url)
          return ''
        },
        async setCookie() {},
      }
      const tlsOpts = { ca: certificates.international.cert }
      const place = { host: 'B\u00dcCHER.test', port: server.port }
      await using it = await connect(place, line, { cookieStore, ...(isTls && { tlsOpts }) })
      await gun.await(it.connPid, gun.get(it.connPid, '/a'), PATIENCE)
      const authority = `xn--bcher-kva.test:${server.port}`
      assert.equal((await asked.promise).authority, authority)
      assert.deepEqual(names, ['xn--bcher-kva.test'])
      assert.deepEqual(urls, [`${isTls ? 'https' : 'http'}://${authority}/a`])
      assert.equal(gun.info(it.connPid).originHost, 'B\u00dcCHER.test')
    })

    const loopback = Object.entries(networkInterfaces()).find(([, addresses]) =>
      addresses?.some(({ address }) => address === '::1'),
    )
    test('an address is told without its zone', { skip: loopback === undefined }, async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      const asked = defer<Asked>()
      const script = async (peer: {
        serve(answer: typeof NOTHING): Promise<Asked>
        closed: Promise<void>
      }) => {
        asked.resolve(await peer.serve(NOTHING))
        await peer.closed
      }
      await using server = await httpOrigin(line, script, { host: '::1' })
      await using it = await connect({ host: `::1%${loopback?.[0]}`, port: server.port }, line)
      await gun.await(it.connPid, gun.get(it.connPid, '/'), PATIENCE)
      assert.equal((await asked.promise).authority, `[::1]:${server.port}`)
    })

    test("a caller's own host is checked as any header is", async () => {
      await using _left = assertNothingLeft()
      await using _calm = collectWarnings()
      await using server = await httpOrigin(line, peer => peer.nothingMore())
      await using it = await connect(server, line)
      for (const value of ['a\r\nx: y', 'a\0', '\u010d\u010ax\u013ay']) {
        assert.throws(
          () => gun.get(it.connPid, '/', { host: value }),
          /^TypeError: headers: the value of host /,
        )
      }
      assert.throws(() => gun.get(it.connPid, '/', { ':authority': 'a' }), /is not a header name/)
    })
  })
}

test('a name with a dot at its end is asked for, and verified, without over TLS', async t => {
  await using _left = assertNothingLeft()
  await using _calm = collectWarnings()
  const servername = defer<string | false | null>()
  await using server = await origin(
    async peer => {
      servername.resolve((peer.socket as tls.TLSSocket).servername)
      await peer.closed
    },
    { transport: 'tls', tls: { ALPNProtocols: ['http/1.1'] } },
  )
  const names = lookUp(t, ['127.0.0.1'])
  await using _it = await connect({ host: 'LocalHost.', port: server.port }, 'tls')
  assert.equal(await servername.promise, 'localhost')
  assert.deepEqual(names, ['localhost.'])
})
