/** The host that a SOCKS server is asked for, in the form that the wire has for it. */

import assert from 'node:assert/strict'
import { isIPv6 } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../../../test/support/runs.ts'
import { parseHost } from '../../src/options/host.ts'
import { SOCKS_CODES, socksAddressOf } from '../../src/tunnel/socks-address.ts'

const addressOf = (host: string) => socksAddressOf(parseHost(host))
const hexOf = (host: string) => {
  const address = addressOf(host)
  return address.type === 'name' ? address.name : Buffer.from(address.bytes).toString('hex')
}

test('a name is given in A-labels and without a trailing dot', () => {
  assert.deepEqual(addressOf('Example.org.'), { type: 'name', name: 'example.org' })
  assert.deepEqual(addressOf('b\u00fccher.test'), { type: 'name', name: 'xn--bcher-kva.test' })
  assert.deepEqual(addressOf('localhost'), { type: 'name', name: 'localhost' })
})

test('an address is given as its bytes', () => {
  const cases: [host: string, type: 'ipv4' | 'ipv6', hex: string][] = [
    ['127.0.0.1', 'ipv4', '7f000001'],
    ['127.1', 'ipv4', '7f000001'],
    ['255.255.255.255', 'ipv4', 'ffffffff'],
    ['::', 'ipv6', '0'.repeat(32)],
    ['::1', 'ipv6', '1'.padStart(32, '0')],
    ['2001:DB8::', 'ipv6', '20010db8'.padEnd(32, '0')],
    ['1:2:3:4:5:6:7:8', 'ipv6', '00010002000300040005000600070008'],
    ['1:2:3:4:5:6:7::', 'ipv6', '00010002000300040005000600070000'],
    ['::ffff:1.2.3.4', 'ipv6', 'ffff01020304'.padStart(32, '0')],
    ['64:ff9b::192.0.2.33', 'ipv6', '0064ff9b0000000000000000c0000221'],
    // A zone means something on this machine alone.
    ['fe80::1%eth0', 'ipv6', 'fe800000000000000000000000000001'],
  ]
  for (const [host, type, hex] of cases) {
    assert.equal(addressOf(host).type, type)
    assert.equal(hexOf(host), hex)
  }
})

test('an address of IPv6 has the same bytes however it is written', () => {
  fc.assert(
    fc.property(fc.ipV6(), host => {
      fc.pre(isIPv6(host))
      const hex = hexOf(host)
      assert.equal(hex.length, 32)
      assert.equal(hexOf(hex.replace(/(....)(?=.)/g, '$1:')), hex)
    }),
    runs(500),
  )
})

test('each failure has a code of its own', () => {
  assert.equal(new Set(Object.values(SOCKS_CODES)).size, Object.keys(SOCKS_CODES).length)
  for (const [failure, code] of Object.entries(SOCKS_CODES)) {
    assert.ok(code === failure || code === `socks_${failure.replace('_socks_server', '')}`)
  }
})
