/** The proxies that `proxy` names: each URL read as it is written, and nothing of a password ever shown. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { runs } from '../../../../test/support/runs.ts'
import { GunError } from '../../src/errors.ts'
import { checkOpts } from '../../src/options/checks.ts'
import { parseHost } from '../../src/options/host.ts'
import { type ProxyHop, proxiesOf, withoutCredentials } from '../../src/options/proxies.ts'
import type { ProxyChoice } from '../../src/options/proxy.ts'

const origin = { host: parseHost('example.org'), port: 443, transport: 'tls' } as const

function hopOf(choice: unknown): ProxyHop {
  checkOpts({ proxy: choice })
  const [hop, ...others] = proxiesOf(choice as ProxyChoice, origin, {})
  assert.ok(hop !== undefined && others.length === 0)
  return hop
}

/** Asserts that an option is refused with its path, both as an option and where it is used, and shows no secret. */
function refuse(choice: unknown, path: string, said: RegExp): void {
  const isRight = (error: unknown) => {
    assert.ok(error instanceof GunError)
    assert.deepEqual([error.code, error.kind, error.cause], ['bad_option', 'options', undefined])
    assert.equal(error.message.split(' ')[0], path)
    assert.match(error.message, said)
    assert.doesNotMatch(inspect(error), /hidden/)
    return true
  }
  assert.throws(() => checkOpts({ proxy: choice }), isRight, inspect(choice))
}

describe('a URL says what the proxy is', () => {
  const cases: [
    url: string,
    type: string,
    transport: string,
    resolves: string,
    target: string,
    port: number,
    name: string,
  ][] = [
    ['http://proxy', 'http', 'tcp', 'there', 'proxy', 80, 'http://proxy:80'],
    ['http://proxy:80/', 'http', 'tcp', 'there', 'proxy', 80, 'http://proxy:80'],
    ['http://proxy:3128', 'http', 'tcp', 'there', 'proxy', 3128, 'http://proxy:3128'],
    ['HTTP://Proxy.Test:3128', 'http', 'tcp', 'there', 'proxy.test', 3128, 'http://proxy.test:3128'],
    ['https://proxy', 'http', 'tls', 'there', 'proxy', 443, 'https://proxy:443'],
    ['https://proxy:80', 'http', 'tls', 'there', 'proxy', 80, 'https://proxy:80'],
    ['socks5://proxy', 'socks', 'tcp', 'here', 'proxy', 1080, 'socks5://proxy:1080'],
    ['socks5://Proxy:80', 'socks', 'tcp', 'here', 'proxy', 80, 'socks5://proxy:80'],
    ['socks5h://proxy/', 'socks', 'tcp', 'there', 'proxy', 1080, 'socks5h://proxy:1080'],
    ['http://[::1]:3128', 'http', 'tcp', 'there', '::1', 3128, 'http://[::1]:3128'],
    ['socks5://[2001:DB8::1]', 'socks', 'tcp', 'here', '2001:db8::1', 1080, 'socks5://[2001:db8::1]:1080'],
    ['http://127.1', 'http', 'tcp', 'there', '127.0.0.1', 80, 'http://127.0.0.1:80'],
    ['socks5://127.1', 'socks', 'tcp', 'here', '127.0.0.1', 1080, 'socks5://127.0.0.1:1080'],
    [
      'https://b\u00fccher.test',
      'http',
      'tls',
      'there',
      'xn--bcher-kva.test',
      443,
      'https://xn--bcher-kva.test:443',
    ],
    [
      'socks5h://b\u00fccher.test:1',
      'socks',
      'tcp',
      'there',
      'xn--bcher-kva.test',
      1,
      'socks5h://xn--bcher-kva.test:1',
    ],
    ['http://proxy:65535', 'http', 'tcp', 'there', 'proxy', 65535, 'http://proxy:65535'],
  ]
  for (const [url, type, transport, resolves, target, port, name] of cases) {
    test(url, () => {
      for (const choice of [url, new URL(url), { url }, { url: new URL(url) }, [url]]) {
        const hop = hopOf(choice)
        assert.deepEqual(
          { ...hop, host: hop.host.target },
          {
            ...{ type, transport, resolves, host: target, port, name },
            ...{ username: undefined, password: undefined, headers: [], tlsOpts: undefined },
          },
        )
      }
    })
  }
})

test('a name and a password are decoded, and are no part of the name of the proxy', () => {
  const cases: [url: string, username: string, password: string][] = [
    ['http://me:secret@proxy', 'me', 'secret'],
    ['http://me@proxy', 'me', ''],
    ['http://:secret@proxy', '', 'secret'],
    ['http://me:a%3Ab%40c%2Fd@proxy', 'me', 'a:b@c/d'],
    ['http://me:a:b@proxy', 'me', 'a:b'],
    ['http://me:a@b@proxy', 'me', 'a@b'],
    ['https://j%C3%BCrgen:%F0%9F%94%91@proxy', 'j\u00fcrgen', '\u{1f511}'],
    ['http://j\u00fcrgen:x@proxy', 'j\u00fcrgen', 'x'],
    ['socks5://a%3Ab:c%25@proxy', 'a:b', 'c%'],
    [`socks5h://${'a'.repeat(255)}:${'b'.repeat(255)}@proxy`, 'a'.repeat(255), 'b'.repeat(255)],
  ]
  for (const [url, username, password] of cases) {
    const hop = hopOf(url)
    assert.deepEqual([hop.username, hop.password], [username, password])
    assert.match(hop.name, /^(http|https|socks5|socks5h):\/\/proxy:\d+$/)
  }
})

test('whatever a name and a password are, a URL of Node gives them back', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(text, text, (username, password) => {
      fc.pre(!/\p{Cc}/u.test(username + password) && !username.includes(':'))
      const url = new URL('http://proxy')
      url.username = username.replaceAll('%', '%25')
      url.password = password.replaceAll('%', '%25')
      const hop = hopOf(url)
      assert.deepEqual([hop.username, hop.password], [username, password])
      const escaped = `https://${encodeURIComponent(username)}:${encodeURIComponent(password)}@proxy`
      assert.deepEqual([hopOf(escaped).username, hopOf(escaped).password], [username, password])
    }),
    runs(300),
  )
})

test('a chain has its proxies in the order in which they are passed', () => {
  const ca = 'a certificate'
  const hops = proxiesOf(
    [
      { url: 'https://one', headers: { 'User-Agent': 'x', accept: ['a', 'b'] }, tlsOpts: { ca } },
      new URL('socks5://two'),
      'http://me:secret@three',
    ],
    origin,
    {},
  )
  assert.deepEqual(
    hops.map(({ name }) => name),
    ['https://one:443', 'socks5://two:1080', 'http://three:80'],
  )
  assert.deepEqual(hops[0]?.headers, [
    ['user-agent', 'x'],
    ['accept', 'a'],
    ['accept', 'b'],
  ])
  assert.deepEqual(
    hops.map(({ tlsOpts }) => tlsOpts),
    [{ ca }, undefined, undefined],
  )
  assert.deepEqual(
    hops.map(({ password }) => password),
    [undefined, undefined, 'secret'],
  )
})

describe('a wrong URL is refused by its path, and never shown', () => {
  const cases: [url: unknown, said: RegExp][] = [
    [undefined, /must be the URL of a proxy/],
    [null, /must be the URL of a proxy/],
    [1, /must be the URL of a proxy/],
    ['', /must be the URL of a proxy/],
    ['proxy', /must be the URL of a proxy/],
    ['http://me:hidden@', /must be the URL of a proxy/],
    ['http://me:hid#hidden@proxy', /must be the URL of a proxy/],
    ['http://me:hidden@proxy:99999', /must be the URL of a proxy/],
    ['http://me:hidden@a b', /must be the URL of a proxy/],
    ['proxy:3128', /must begin with http:, https:, socks5: or socks5h:/],
    ['me:hidden@proxy:3128', /must begin with http:/],
    ['ftp://me:hidden@proxy', /must begin with http:/],
    ['socks4://me:hidden@proxy', /must begin with http:/],
    ['socks://me:hidden@proxy', /must begin with http:/],
    ['constructor://me:hidden@proxy', /must begin with http:/],
    ['http://me:1#hidden@proxy', /must end behind the host and its port/],
    ['http://me:1?hidden@proxy', /must end behind the host and its port/],
    ['http://me:1/hidden@proxy', /must end behind the host and its port/],
    ['http://proxy/hidden', /must end behind the host and its port/],
    ['socks5:proxy:1080', /must end behind the host and its port/],
    ['socks5://', /must have a proxy's host/],
    ["http://me:hidden@pro'xy|", /must be the URL of a proxy/],
    ['socks5://me:hidden@a%2Fb', /must have a proxy's host/],
    ['http://me:hidden@a..b', /must have a proxy's host/],
    ['http://me:hidden@proxy:0', /must have a port from 1 to 65535/],
    ['http://me:hidden%zz@proxy', /must have its name and password in UTF-8/],
    ['http://hidden%ff:x@proxy', /must have its name and password in UTF-8/],
    ['http://me:hidden%0a@proxy', /must have no control character/],
    ['http://me%3Ame:hidden@proxy', /must have no colon in its name/],
    ['socks5://hidden@proxy', /must have a name and a password of 1 to 255 bytes each/],
    ['socks5://:hidden@proxy', /must have a name and a password of 1 to 255 bytes each/],
    [`socks5://me:hidden${'x'.repeat(250)}@proxy`, /must have a name and a password of 1 to 255 bytes each/],
  ]
  for (const [url, said] of cases) {
    test(inspect(url), () => {
      if (url !== undefined) refuse(url, 'proxy', said)
      refuse({ url }, 'proxy.url', said)
      refuse(['http://proxy', url], 'proxy.1', said)
      refuse([{ url }], 'proxy.0.url', said)
      if (typeof url === 'string' && URL.canParse(url)) refuse(new URL(url), 'proxy', said)
    })
  }
})

test('the other options of a proxy are refused where they are wrong or mean nothing', () => {
  refuse({}, 'proxy.url', /must be given/)
  refuse([], 'proxy', /must name at least one proxy/)
  refuse(['environment'], 'proxy.0', /must be the URL of a proxy/)
  refuse([['http://proxy']], 'proxy.0', /must be the URL of a proxy/)
  refuse(() => 'http://proxy', 'proxy', /must be the URL of a proxy/)
  refuse({ url: 'http://proxy', uri: 1 }, 'proxy.uri', /is not an option/)
  refuse({ url: 'http://proxy', tlsOpts: {} }, 'proxy.tlsOpts', /are given, but the url does not say/)
  refuse({ url: 'https://proxy', tlsOpts: { cert: 'x', path: 1 } }, 'proxy.tlsOpts.path', /is an argument/)
  refuse([{ url: 'socks5://proxy', tlsOpts: {} }], 'proxy.0.tlsOpts', /must begin with https:/)
  refuse({ url: 'socks5://proxy', headers: {} }, 'proxy.headers', /mean nothing to a SOCKS server/)
  for (const headers of [
    1,
    'hidden',
    null,
    [['a']],
    { 'a b': 'hidden' },
    { a: 'hidden\n' },
    { a: undefined },
    new Map([['a', 'b']]).entries(),
  ]) {
    refuse({ url: 'http://proxy', headers }, 'proxy.headers', /must be header fields: an object, or a list/)
  }
})

test('options of a proxy that are right are taken', () => {
  for (const proxy of [
    'environment',
    undefined,
    { url: 'https://proxy', tlsOpts: { ca: 'x' }, headers: [['a', 'b']] },
    { url: 'http://proxy', tlsOpts: undefined, headers: new Map([['a', 'b']]) },
    { url: new URL('socks5://proxy'), tlsOpts: undefined, headers: undefined },
  ]) {
    checkOpts({ proxy, proxyAuth: () => undefined })
  }
  assert.throws(() => checkOpts({ proxyAuth: 'Basic hidden' }), { message: 'proxyAuth must be a function' })
})

test('the option in the words of other libraries is suggested', () => {
  for (const name of ['agent', 'socksProxy', 'httpProxy', 'https_proxy', 'proxyUrl', 'proxies']) {
    assert.throws(() => checkOpts({ [name]: 1 }), {
      message: `${name} is not an option: did you mean 'proxy'?`,
    })
  }
})

test('without its credentials a choice is still the same choice', () => {
  const tlsOpts = { ca: 'x' }
  const cases: [given: ProxyChoice, shown: ProxyChoice][] = [
    ['environment', 'environment'],
    ['http://me:hidden@proxy:3128', 'http://proxy:3128'],
    ['socks5h://me:hidden@[::1]/', 'socks5h://[::1]:1080'],
    [new URL('https://me:hidden@proxy'), 'https://proxy:443'],
    [
      ['http://hidden@one', { url: 'https://me:hidden@two', tlsOpts }],
      ['http://one:80', { url: 'https://two:443', tlsOpts }],
    ],
    [
      {
        url: 'http://proxy',
        headers: { 'Proxy-Authorization': 'hidden', cookie: 'hidden', 'user-agent': 'x' },
      },
      { url: 'http://proxy:80', headers: [['user-agent', 'x']] },
    ],
    // A choice that was never checked.
    ['http://me:hidden#hidden@proxy', '…'],
  ]
  for (const [given, shown] of cases) {
    assert.deepEqual(withoutCredentials(given), shown)
    assert.doesNotMatch(inspect(withoutCredentials(given), { depth: 9 }), /hidden/)
  }
})

test('a choice that was never checked is refused where it is used', () => {
  const isRefused = (path: string) => ({
    code: 'bad_option',
    message: new RegExp(`^${path} must be the URL`),
  })
  assert.throws(() => proxiesOf('hidden', origin, {}), isRefused('proxy'))
  assert.throws(() => proxiesOf(['http://proxy', 'hidden'], origin, {}), isRefused('proxy.1'))
})
