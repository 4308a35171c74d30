/** The client of SOCKS5, called: every answer of a server by name, however its bytes are cut. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../../../test/support/runs.ts'
import { SocksClient } from '../../src/tunnel/socks/client.ts'
import type { SocksAddress, SocksFailure, SocksMethod, SocksValue } from '../../src/tunnel/socks/words.ts'

const credentials = ['username_password', 'joe', 'secret'] as const
const name: SocksAddress = { type: 'name', name: 'example.org' }
const ipv4: SocksAddress = { type: 'ipv4', bytes: Uint8Array.of(127, 0, 0, 1) }
const ipv6: SocksAddress = { type: 'ipv6', bytes: Uint8Array.from({ length: 16 }, (_, i) => i) }

const text = (words: string) => [...Buffer.from(words)]
/** The request for example.org:443. */
const request = [5, 1, 0, 3, 11, ...text('example.org'), 1, 187]
const granted = [5, 0, 0, 1, 127, 0, 0, 1, 4, 56]

interface Outcome {
  /** All messages to the server behind the greeting. */
  readonly sent: number[]
  readonly end: readonly unknown[] | undefined
}

function takeAll(client: SocksClient): SocksValue[] {
  const values: SocksValue[] = []
  for (let value = client.next(); value !== undefined; value = client.next()) values.push(value)
  return values
}

/** Gives the chunks to a client and destroys each behind its call. */
function feed(
  chunks: readonly (readonly number[])[],
  auth: readonly SocksMethod[] = ['none'],
  address: SocksAddress = name,
): Outcome {
  const client = new SocksClient(address, 443, auth)
  const values = chunks.flatMap(chunk => {
    const bytes = Buffer.from(chunk)
    client.push(bytes)
    bytes.fill(0xee)
    return takeAll(client)
  })
  const sent = values.flatMap(value => (value.type === 'send' ? [...value.bytes] : []))
  const ends = values.flatMap(value => (value.type === 'send' ? [] : [value]))
  assert.ok(ends.length <= 1 && (ends.length === 0 || values.at(-1) === ends[0]))
  const [end] = ends
  if (end === undefined) return { sent, end }
  return { sent, end: end.type === 'connected' ? ['connected'] : [end.failure, end.text] }
}

/** Gives each byte by itself, and all at once; both must have the same outcome. */
function outcome(bytes: readonly number[], auth?: readonly SocksMethod[], address?: SocksAddress): Outcome {
  const whole = feed([bytes], auth, address)
  const single = bytes.map(byte => [byte])
  assert.deepEqual(feed(single, auth, address), whole)
  return whole
}

function failure(bytes: readonly number[], auth?: readonly SocksMethod[]): unknown[] {
  return [...(outcome(bytes, auth).end ?? [])]
}

describe('the client greets with the methods that it offers', () => {
  const cases: [auth: readonly SocksMethod[], greeting: number[]][] = [
    [['none'], [5, 1, 0]],
    [[credentials], [5, 1, 2]],
    [
      ['none', credentials],
      [5, 2, 0, 2],
    ],
    [
      [credentials, 'none'],
      [5, 2, 2, 0],
    ],
  ]
  for (const [auth, greeting] of cases) {
    test(greeting.join(' '), () => {
      assert.deepEqual([...new SocksClient(name, 443, auth).greeting], greeting)
    })
  }
})

test('a server that wants no credentials gets the request at once', () => {
  assert.deepEqual(outcome([5, 0]), { sent: request, end: undefined })
  assert.deepEqual(outcome([5, 0], [credentials, 'none']), { sent: request, end: undefined })
})

test('a server that wants a name and a password gets them, then the request', () => {
  const login = [1, 3, ...text('joe'), 6, ...text('secret')]
  assert.deepEqual(outcome([5, 2], ['none', credentials]), { sent: login, end: undefined })
  assert.deepEqual(outcome([5, 2, 1, 0], [credentials]), { sent: [...login, ...request], end: undefined })
})

test('a name and a password are sent in UTF-8, up to 255 bytes of each', () => {
  const long = `${'ü'.repeat(127)}x`
  const { sent } = outcome([5, 2], [['username_password', long, 'ß']])
  assert.deepEqual(sent, [1, 255, ...text(long), 2, ...text('ß')])
})

test('each type of address has its form', () => {
  assert.deepEqual(outcome([5, 0], ['none'], ipv4).sent, [5, 1, 0, 1, 127, 0, 0, 1, 1, 187])
  assert.deepEqual(outcome([5, 0], ['none'], ipv6).sent, [5, 1, 0, 4, ...ipv6.bytes, 1, 187])
  const longest: SocksAddress = { type: 'name', name: 'a'.repeat(255) }
  assert.deepEqual(outcome([5, 0], ['none'], longest).sent, [5, 1, 0, 3, 255, ...text(longest.name), 1, 187])
})

describe('a reply that grants the connection is read whole, whatever its address', () => {
  const replies: Record<string, number[]> = {
    ipv4: granted,
    ipv6: [5, 0, 0, 4, ...ipv6.bytes, 0, 0],
    'a name': [5, 0, 0, 3, 4, ...text('host'), 0, 80],
    'an empty name': [5, 0, 0, 3, 0, 0, 0],
    'the longest name': [5, 0, 0, 3, 255, ...Array<number>(255).fill(97), 0, 80],
  }
  for (const [what, reply] of Object.entries(replies)) {
    test(what, () => {
      assert.deepEqual(outcome([5, 0, ...reply]), { sent: request, end: ['connected'] })
      assert.equal(outcome([5, 0, ...reply.slice(0, -1)]).end, undefined)
      for (const rest of ['', 'HTTP/1.1 200 OK\r\n\r\n']) {
        const client = new SocksClient(name, 443, ['none'])
        const bytes = Buffer.from([5, 0, ...reply, ...text(rest)])
        client.push(bytes)
        bytes.fill(0xee)
        const last = takeAll(client).at(-1)
        assert.ok(last?.type === 'connected')
        assert.equal(last.rest.toString(), rest)
      }
    })
  }
})

describe('each refusal has a name, and counts before its address has come', () => {
  const refusals: [reply: number, failure: SocksFailure, text: RegExp][] = [
    [1, 'general_socks_server_failure', /^the SOCKS server failed/],
    [2, 'connection_not_allowed_by_ruleset', /^the rules of the SOCKS server do not allow/],
    [3, 'network_unreachable', /could not reach the network$/],
    [4, 'host_unreachable', /could not reach the host$/],
    [5, 'connection_refused', /^the host refused the connection/],
    [6, 'ttl_expired', /time to live$/],
    [7, 'command_not_supported', /does not support the command CONNECT$/],
    [8, 'address_type_not_supported', /does not support this type of address$/],
    [9, 'general_socks_server_failure', /does not know \(9\)$/],
    [255, 'general_socks_server_failure', /does not know \(255\)$/],
  ]
  for (const [reply, name, said] of refusals) {
    test(`${reply} is ${name}`, () => {
      for (const rest of [[], [0, 1, 0, 0, 0, 0, 0, 0], [9, 9], text('anything else')]) {
        const [failed, words] = failure([5, 0, 5, reply, ...rest])
        assert.equal(failed, name)
        assert.match(String(words), said)
      }
    })
  }
})

test('a server that accepts no method, or not the name and the password, is told by name', () => {
  for (const [offered, text] of [
    [['none'], /asks for credentials, and none were given$/],
    [[credentials], /accepts none of the methods/],
    [['none', credentials], /accepts none of the methods/],
  ] as const) {
    const [name, said] = failure([5, 255], offered)
    assert.equal(name, 'no_acceptable_methods')
    assert.match(String(said), text)
  }
  for (const status of [1, 2, 255]) {
    const [name, said] = failure([5, 2, 1, status], [credentials])
    assert.equal(name, 'username_password_auth_failure')
    assert.doesNotMatch(String(said), /joe|secret/)
  }
})

describe('a server that breaks the protocol is found at the first wrong byte', () => {
  const cases: [what: string, bytes: number[], said: RegExp, auth?: readonly SocksMethod[]][] = [
    ['speaks HTTP', text('H'), /its first byte is 72, not 5$/],
    ['speaks SOCKS4', [0], /its first byte is 0, not 5$/],
    ['chooses credentials that were not offered', [5, 2], /not offered \(2\)$/],
    ['chooses a lack of credentials that was not offered', [5, 0], /not offered \(0\)$/, [credentials]],
    ['chooses GSSAPI', [5, 1], /not offered \(1\)$/],
    ['answers credentials in another version', [5, 2, 5], /in version 5, not 1$/, [credentials]],
    ['replies in another version', [5, 0, 4], /its first byte is 4, not 5$/],
    ['sets the reserved byte', [5, 0, 5, 0, 1], /is 1, not 0$/],
    ['has an address of no known type', [5, 0, 5, 0, 0, 2], /unknown type of address \(2\)$/],
  ]
  for (const [what, bytes, said, auth] of cases) {
    test(what, () => {
      assert.equal(outcome(bytes.slice(0, -1), auth).end, undefined)
      for (const rest of [[], text('and more')]) {
        const [name, words] = failure([...bytes, ...rest], auth)
        assert.equal(name, 'protocol_error')
        assert.match(String(words), said)
      }
    })
  }
})

test('behind its outcome the client has nothing more to say', () => {
  for (const bytes of [
    [5, 255],
    [5, 0, ...granted],
  ]) {
    const client = new SocksClient(name, 443, ['none'])
    client.push(Buffer.from(bytes))
    takeAll(client)
    client.push(Buffer.from([5, 0, ...granted]))
    assert.deepEqual(takeAll(client), [])
  }
})

const anyAuth = fc.constantFrom<readonly SocksMethod[]>(['none'], [credentials], ['none', credentials])
/** Bytes of which many are right, so that each state is reached. */
const anyAnswers = fc
  .tuple(
    fc.constantFrom([], [5, 0], [5, 2], [5, 2, 1, 0]),
    fc.constantFrom([], [5, 0], granted, [5, 0, 0, 3, 3], [5, 0, 0, 4]),
    fc.array(fc.nat(255), { maxLength: 300 }),
  )
  .map(parts => parts.flat())

test('whatever a server sends, and however it is cut, the outcome is the same and nothing throws', () => {
  fc.assert(
    fc.property(anyAuth, anyAnswers, fc.array(fc.nat(40)), (auth, bytes, sizes) => {
      const chunks: number[][] = []
      let at = 0
      for (const size of sizes) {
        chunks.push(bytes.slice(at, at + size))
        at += size
      }
      chunks.push(bytes.slice(at))
      assert.deepEqual(feed(chunks, auth), feed([bytes], auth))
    }),
    runs(1000),
  )
})

test('the bytes behind a reply are given whole, however all of them are cut', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), fc.nat(60), (after, cut) => {
      const client = new SocksClient(name, 443, ['none'])
      const bytes = Buffer.from([5, 0, ...granted, ...after])
      const got: Buffer[] = []
      for (const chunk of [bytes.subarray(0, cut), bytes.subarray(cut)]) {
        const isOver = got.length > 0
        client.push(chunk)
        if (isOver) got.push(chunk)
        for (const value of takeAll(client)) if (value.type === 'connected') got.push(value.rest)
      }
      assert.deepEqual(Buffer.concat(got), Buffer.from(after))
    }),
    runs(500),
  )
})
