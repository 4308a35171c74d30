/** Challenges are read however a proxy lists them, and in time that grows with their length alone. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { ProxyChallenge } from '../../src/options/proxy.ts'
import { challengesIn } from '../../src/tunnel/challenges.ts'

const read = (...values: readonly string[]): readonly ProxyChallenge[] =>
  challengesIn(values.map(value => ['proxy-authenticate', value] as const))

const basic = { scheme: 'basic', realm: 'x', text: 'Basic realm="x"' } as const
const DIGEST =
  'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, nonce="7ypf/x=="'
const digest = { scheme: 'digest', realm: 'http-auth@example.org', text: DIGEST } as const
const negotiate = { scheme: 'negotiate', realm: undefined, text: 'Negotiate' } as const

/** The values of the fields, and the challenges in them. */
const cases: Readonly<
  Record<string, readonly [values: readonly string[], challenges: readonly ProxyChallenge[]]>
> = {
  'none in no field': [[], []],
  'none in an empty field': [['', ' , ,'], []],
  'a scheme alone': [['Negotiate'], [negotiate]],
  'one with a realm': [['Basic realm="x"'], [basic]],
  'one with many parameters': [[DIGEST], [digest]],
  'two in one field': [['Basic realm="x", Negotiate'], [basic, negotiate]],
  'two in one field, the first of which is a scheme alone': [
    ['Negotiate, Basic realm="x"'],
    [negotiate, basic],
  ],
  'parameters behind those of another': [[`Basic realm="x", ${DIGEST}`], [basic, digest]],
  'fields of their own': [
    [DIGEST, 'Negotiate', 'Basic realm="x"'],
    [digest, negotiate, basic],
  ],
  'fields of which one has two': [
    ['Negotiate, Basic realm="x"', DIGEST],
    [negotiate, basic, digest],
  ],
  'empty elements': [[', ,Negotiate,, Basic realm="x",'], [negotiate, basic]],
  'no space behind commas': [
    ['Negotiate,Basic realm="x",charset="UTF-8"'],
    [negotiate, { ...basic, text: 'Basic realm="x", charset="UTF-8"' }],
  ],
  'a parameter that begins a field is no part of the field before': [
    ['Basic realm="x"', 'charset="UTF-8"'],
    [basic, { scheme: 'charset', realm: undefined, text: 'charset="UTF-8"' }],
  ],
  'commas in quotes': [
    ['Basic realm="a, Digest b, c=d", Negotiate'],
    [{ scheme: 'basic', realm: 'a, Digest b, c=d', text: 'Basic realm="a, Digest b, c=d"' }, negotiate],
  ],
  'quotes in quotes': [
    ['Basic realm="a \\"b\\", c\\\\", Negotiate'],
    [{ scheme: 'basic', realm: 'a "b", c\\', text: 'Basic realm="a \\"b\\", c\\\\"' }, negotiate],
  ],
  'a realm that is a token': [['Basic realm=x'], [{ ...basic, text: 'Basic realm=x' }]],
  'an empty realm': [['Basic realm=""'], [{ scheme: 'basic', realm: '', text: 'Basic realm=""' }]],
  'space around the equals sign': [
    ['Basic realm = "x" , charset = "UTF-8"'],
    [{ ...basic, text: 'Basic realm = "x", charset = "UTF-8"' }],
  ],
  'names in another case': [['BASIC REALM="x"'], [{ scheme: 'basic', realm: 'x', text: 'BASIC REALM="x"' }]],
  'a realm in the value of another parameter is none': [
    ['Digest title="a, realm=b", realm="x"'],
    [{ scheme: 'digest', realm: 'x', text: 'Digest title="a, realm=b", realm="x"' }],
  ],
  'a name that ends with realm is none': [
    ['Digest xrealm="a", realm="x"'],
    [{ scheme: 'digest', realm: 'x', text: 'Digest xrealm="a", realm="x"' }],
  ],
  token68: [
    ['Negotiate YII/abc+~._-==, Basic realm="x"'],
    [{ ...negotiate, text: 'Negotiate YII/abc+~._-==' }, basic],
  ],
  'token68 with one equals sign at its end': [
    ['NTLM TlRM=', 'Basic realm="x"'],
    [{ scheme: 'ntlm', realm: undefined, text: 'NTLM TlRM=' }, basic],
  ],
  'a quoted string without an end goes on to the end of the field': [
    ['Basic realm="x, Negotiate', 'Negotiate'],
    [{ scheme: 'basic', realm: 'x, Negotiate', text: 'Basic realm="x, Negotiate' }, negotiate],
  ],
}

describe('challenges', () => {
  for (const [what, [values, challenges]] of Object.entries(cases)) {
    test(`${what}`, () => assert.deepEqual(read(...values), challenges))
  }

  test('other fields have none', () => {
    const headers = [
      ['www-authenticate', 'Basic realm="x"'],
      ['proxy-authenticate', 'Negotiate'],
      ['proxy-authentication-info', 'Basic realm="x"'],
    ] as const
    assert.deepEqual(challengesIn(headers), [negotiate])
  })

  test('what is written is read again', () => {
    const token = fc.stringMatching(/^[A-Za-z][A-Za-z0-9!#$%&'*+.^_`|~-]{0,10}$/)
    const text = fc.string({ maxLength: 20 })
    const quote = (value: string) => `"${value.replace(/["\\]/g, '\\$&')}"`
    const challenge = fc.record({
      scheme: token,
      realm: fc.option(text, { nil: undefined }),
      others: fc.array(
        fc.tuple(
          token.filter(name => name.toLowerCase() !== 'realm'),
          text,
        ),
        { maxLength: 3 },
      ),
    })
    const property = fc.property(
      fc.array(fc.array(challenge, { minLength: 1, maxLength: 3 }), { maxLength: 3 }),
      fields => {
        const written = fields.map(list =>
          list
            .map(({ scheme, realm, others }) => {
              const pairs = others.map(([name, value]) => `${name}=${quote(value)}`)
              if (realm !== undefined) pairs.push(`realm=${quote(realm)}`)
              return [scheme, pairs.join(', ')].join(' ').trim()
            })
            .join(', '),
        )
        assert.deepEqual(
          read(...written).map(({ scheme, realm }) => ({ scheme, realm })),
          fields.flat().map(({ scheme, realm }) => ({ scheme: scheme.toLowerCase(), realm })),
        )
      },
    )
    fc.assert(property, { numRuns: 500 })
  })

  // With quadratic time one of these takes a minute.
  const hostile = {
    'quotes that are escaped': `"${'\\"'.repeat(100_000)}`,
    'quotes alone': '"'.repeat(200_001),
    'quotes with a backslash at the end': `${'"a'.repeat(100_000)}\\`,
    'a token': `Negotiate ${'A'.repeat(200_000)}`,
    space: `a${' '.repeat(200_000)}b`,
    'equals signs': '='.repeat(200_000),
    parameters: 'a=b '.repeat(50_000),
  } as const
  for (const [what, value] of Object.entries(hostile)) {
    test(`of 200,000 bytes of ${what} are read at once`, { timeout: 20_000 }, () => {
      assert.ok(read(value).length >= 0)
    })
  }
})
