/** Examples of the pages on the error codes of connections: how each comes about, and how a program tells it from others. */

import assert from 'node:assert/strict'
import net from 'node:net'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { startServer } from '@holster/testing'
import { onLinux, unanswering } from '../support/silent-address.ts'
import { socks5Proxy } from '../support/tunnel-proxies.ts'

const owner = () => createProcess<gun.GunMessage>()
const stay = () => new Promise<never>(() => {})

/** A port on which nobody listens any more. */
async function deadPort(): Promise<number> {
  const server = net.createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

test('connect_error has the error of the system as its cause', async () => {
  await using self = owner()
  const port = await deadPort()
  // #region gun/errors/connect_error
  const connPid = gun.open('127.0.0.1', port, { owner: self, retry: 0 })
  const { reason } = await self.receive([{ type: 'gun_error', connPid }])
  const isRefused = reason.code === 'connect_error' && /ECONNREFUSED/.test(String(reason.cause))
  // #endregion
  assert.ok(isRefused)
})

test('connect_timeout comes when no address has answered in time', onLinux, async () => {
  await using silent = await unanswering()
  await using self = owner()
  const { port } = silent
  // #region gun/errors/connect_timeout
  const connPid = gun.open('127.0.0.1', port, { owner: self, retry: 0, connectTimeout: 20 })
  const { reason } = await self.receive([{ type: 'gun_error', connPid }])
  const { code } = reason
  // #endregion
  assert.equal(code, 'connect_timeout')
})

test('domain_lookup_error names the host that has no address', async () => {
  await using self = owner()
  const tcpOpts: gun.TcpOpts = {
    lookup: (hostname, _options, callback) =>
      callback(Object.assign(new Error(`queryA ENOTFOUND ${hostname}`), { code: 'ENOTFOUND' }), []),
  }
  // #region gun/errors/domain_lookup_error
  const connPid = gun.open('no-such-host.invalid', 80, { owner: self, retry: 0, tcpOpts })
  const { reason } = await self.receive([{ type: 'gun_error', connPid }])
  const { code, message } = reason
  // #endregion
  assert.equal(code, 'domain_lookup_error')
  assert.match(message, /no-such-host\.invalid/)
})

test('domain_lookup_timeout comes when the look-up takes too long', async () => {
  await using self = owner()
  const tcpOpts: gun.TcpOpts = { lookup: () => {} }
  // #region gun/errors/domain_lookup_timeout
  const connPid = gun.open('slow.example', 80, { owner: self, retry: 0, domainLookupTimeout: 20, tcpOpts })
  const { reason } = await self.receive([{ type: 'gun_error', connPid }])
  const { code } = reason
  // #endregion
  assert.equal(code, 'domain_lookup_timeout')
})

test('tls_error comes for a certificate that is not accepted', async () => {
  await using server = await startServer(stay, { transport: 'tls' })
  await using self = owner()
  const { port } = server
  // #region gun/errors/tls_error
  const connPid = gun.open('localhost', port, { owner: self, retry: 0, transport: 'tls' })
  const { reason } = await self.receive([{ type: 'gun_error', connPid }])
  const { code, cause } = reason // the cause says which certificate, and why
  // #endregion
  assert.equal(code, 'tls_error')
  assert.match(String(cause), /certificate/)
})

test('tls_handshake_timeout comes from a server that does not answer the handshake', async () => {
  await using self = owner()
  // #region gun/errors/tls_handshake_timeout
  await using server = await startServer(peer => peer.closed)
  const connPid = gun.open('localhost', server.port, {
    owner: self,
    retry: 0,
    transport: 'tls',
    tlsHandshakeTimeout: 20,
  })
  const { reason } = await self.receive([{ type: 'gun_error', connPid }])
  const { code } = reason
  // #endregion
  assert.equal(code, 'tls_handshake_timeout')
})

test('proxy_error says which proxy has refused, and with which status', async () => {
  await using self = owner()
  // #region gun/errors/proxy_error
  await using proxy = await startServer(async peer => {
    await peer.receiveRequest()
    peer.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n')
  })
  const connPid = gun.open('example.org', 80, {
    owner: self,
    retry: 0,
    proxy: `http://127.0.0.1:${proxy.port}`,
  })
  const { reason } = await self.receive([{ type: 'gun_error', connPid }])
  const { code, message } = reason
  // #endregion
  assert.equal(code, 'proxy_error')
  assert.match(message, /403/)
})

test('proxy_auth is permanent, since asking again with the same credentials cannot help', async () => {
  await using self = owner()
  // #region gun/errors/proxy_auth
  await using proxy = await startServer(async peer => {
    await peer.receiveRequest()
    peer.end('HTTP/1.1 407 Who are you?\r\nproxy-authenticate: Basic\r\ncontent-length: 0\r\n\r\n')
  })
  const connPid = gun.open('example.org', 80, { owner: self, proxy: `http://127.0.0.1:${proxy.port}` })
  const { reason } = await self.receive([{ type: 'gun_error', connPid }])
  const { code, isPermanent } = reason // add proxyAuth, or a name and a password to the URL
  // #endregion
  assert.equal(code, 'proxy_auth')
  assert.ok(isPermanent)
})

const REPLIES = [
  'socks_general_failure',
  'socks_connection_not_allowed_by_ruleset',
  'socks_network_unreachable',
  'socks_host_unreachable',
  'socks_connection_refused',
  'socks_ttl_expired',
  'socks_command_not_supported',
  'socks_address_type_not_supported',
] as const

for (const [index, wanted] of REPLIES.entries()) {
  test(`${wanted} comes from a SOCKS5 server that replies ${index + 1}`, async () => {
    await using proxy = await socks5Proxy({ answer: () => ({ code: index + 1 }) })
    await using self = owner()
    const { port } = proxy
    // #region gun/errors/socks_general_failure, gun/errors/socks_connection_not_allowed_by_ruleset, gun/errors/socks_network_unreachable, gun/errors/socks_host_unreachable, gun/errors/socks_connection_refused, gun/errors/socks_ttl_expired, gun/errors/socks_command_not_supported, gun/errors/socks_address_type_not_supported
    const connPid = gun.open('127.0.0.1', port, {
      owner: self,
      retry: 0,
      protocols: [['socks', { host: 'example.org', port: 80 }]],
    })
    const { reason } = await self.receive([{ type: 'gun_error', connPid }])
    const mayPass = ['socks_network_unreachable', 'socks_host_unreachable', 'socks_ttl_expired'].includes(
      reason.code,
    )
    // #endregion
    assert.equal(reason.code, wanted)
    assert.equal(mayPass, index === 2 || index === 3 || index === 5)
  })
}

test('socks_no_acceptable_methods and socks_username_password_auth_failure tell that the credentials are wrong', async () => {
  await using strict = await socks5Proxy({ auth: { username: 'ada', password: 'right' } })
  await using self = owner()
  const { port } = strict
  // #region gun/errors/socks_username_password_auth_failure, gun/errors/socks_no_acceptable_methods
  const known = gun.open('127.0.0.1', port, {
    owner: self,
    retry: 0,
    protocols: [['socks', { host: 'example.org', port: 80, auth: [['username_password', 'ada', 'wrong']] }]],
  })
  const refused = await self.receive([{ type: 'gun_error', connPid: known }])

  const anonymous = gun.open('127.0.0.1', port, {
    owner: self,
    retry: 0,
    protocols: [['socks', { host: 'example.org', port: 80, auth: ['none'] }]],
  })
  const unknown = await self.receive([{ type: 'gun_error', connPid: anonymous }])
  const codes = [refused.reason.code, unknown.reason.code]
  // #endregion
  assert.deepEqual(codes, ['socks_username_password_auth_failure', 'socks_no_acceptable_methods'])
})

test('bad_option is thrown at once, and names the option', async () => {
  // #region gun/errors/bad_option
  try {
    gun.open('localhost', 8080, { httpOpts: { pipelining: 0 } })
  } catch (error) {
    if (error instanceof gun.GunError) assert.match(error.message, /httpOpts\.pipelining/)
  }
  // #endregion
  assert.throws(() => gun.open('localhost', 8080, { httpOpts: { pipelining: 0 } }), { code: 'bad_option' })
})

test('internal_error is a defect of the package', () => {
  // #region gun/errors/internal_error
  function report(reason: gun.GunError): string {
    return reason.code === 'internal_error' ? `a defect of Holster: ${reason.cause}` : reason.message
  }
  // #endregion
  assert.equal(typeof report, 'function')
})

test('pool_not_found and already_started are thrown by functions of pools, no_connection_available ends a stream', async () => {
  const port = await deadPort()
  // #region gun/errors/pool_not_found
  try {
    gun.pool.get('/', { host: 'nobody.example' })
  } catch (error) {
    if (!(error instanceof gun.GunError && error.code === 'pool_not_found')) throw error
  }
  // #endregion
  // #region gun/errors/no_connection_available
  gun.pool.startPool('127.0.0.1', port, { size: 1, backoff: 10 })
  const streamRef = gun.pool.get('/', { host: `127.0.0.1:${port}` }, { checkoutTimeout: 50 })
  const error = await gun.pool.awaitResponse(streamRef).catch(error => error)
  const { code, cause } = error // the cause is why the last connection failed
  // #endregion
  assert.equal(code, 'no_connection_available')
  assert.match(String(cause), /ECONNREFUSED/)
  // #region gun/errors/already_started
  try {
    gun.pool.startPool('127.0.0.1', port)
  } catch (error) {
    if (!(error instanceof gun.GunError && error.code === 'already_started')) throw error
  }
  // #endregion
  assert.throws(() => gun.pool.get('/', { host: 'nobody.example' }), { code: 'pool_not_found' })
  assert.throws(() => gun.pool.startPool('127.0.0.1', port), { code: 'already_started' })
  await gun.pool.stopPool('127.0.0.1', port)
})
