// The certificates: each is accepted or refused for the reason that its name says.

import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import tls from 'node:tls'
import { certificates, type Identity, startServer } from '../src/index.ts'

describe('the certificates', () => {
  const cases: [name: keyof typeof certificates, identity: Identity, expected: string | undefined][] = [
    ['server', certificates.server, undefined],
    ['expired', certificates.expired, 'CERT_HAS_EXPIRED'],
    ['otherHost', certificates.otherHost, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['selfSigned', certificates.selfSigned, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ]
  for (const [name, identity, expected] of cases) {
    for (const host of ['localhost', '127.0.0.1']) {
      test(`${name} ${expected === undefined ? 'verifies' : `fails with ${expected}`} for ${host}`, async t => {
        // A servername must not be an IP, and connecting to a name would need a resolver.
        const checkServerIdentity = (_: string, cert: tls.PeerCertificate) =>
          tls.checkServerIdentity(host, cert)
        await using server = await startServer(() => {}, { transport: 'tls', tls: identity })
        const socket = tls.connect({
          host: server.host,
          port: server.port,
          ca: certificates.ca,
          servername: 'localhost',
          checkServerIdentity,
        })
        t.after(() => socket.destroy())
        const code = await once(socket, 'secureConnect').then(
          () => undefined,
          error => error.code,
        )
        assert.equal(code, expected)
      })
    }
  }

  // tls.checkServerIdentity matches no IPv6 address on several Nodes (nodejs/node#64144, 22.23.3 still).
  test('are for ::1 too, except otherHost', () => {
    const names = (identity: Identity) => new X509Certificate(identity.cert).checkIP('::1')
    assert.deepEqual(
      cases.map(([name, identity]) => [name, names(identity)]),
      [
        ['server', '::1'],
        ['expired', '::1'],
        ['otherHost', undefined],
        ['selfSigned', '::1'],
      ],
    )
  })

  test('verify only with their own CA', async () => {
    await using server = await startServer(() => {}, { transport: 'tls' })
    const socket = tls.connect({ host: server.host, port: server.port, servername: 'localhost' })
    await assert.rejects(once(socket, 'secureConnect'), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' })
  })
})
