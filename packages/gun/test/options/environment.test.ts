/** The proxy that the environment names: which variable counts, and which origins NO_PROXY excepts. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { runs } from '../../../../test/support/runs.ts'
import { GunError } from '../../src/errors.ts'
import type { Environment } from '../../src/options/environment.ts'
import { parseHost } from '../../src/options/host.ts'
import { proxiesOf } from '../../src/options/proxies.ts'

function proxyOf(env: Environment, transport: 'tcp' | 'tls', host = 'example.org', port?: number) {
  const origin = { host: parseHost(host), port: port ?? (transport === 'tls' ? 443 : 80), transport }
  const hops = proxiesOf('environment', origin, env)
  assert.ok(hops.length <= 1)
  return hops[0]?.name
}

describe('the variable for the transport counts, then the one for all; lower case wins', () => {
  const cases: [env: Environment, tcp: string | undefined, tls: string | undefined][] = [
    [{}, undefined, undefined],
    [{ HTTP_PROXY: 'http://a' }, 'http://a:80', undefined],
    [{ http_proxy: 'http://a' }, 'http://a:80', undefined],
    [{ HTTPS_PROXY: 'http://a' }, undefined, 'http://a:80'],
    [{ https_proxy: 'http://a' }, undefined, 'http://a:80'],
    [{ ALL_PROXY: 'socks5://a' }, 'socks5://a:1080', 'socks5://a:1080'],
    [{ all_proxy: 'socks5h://a' }, 'socks5h://a:1080', 'socks5h://a:1080'],
    [{ HTTP_PROXY: 'http://a', http_proxy: 'http://b' }, 'http://b:80', undefined],
    [{ HTTPS_PROXY: 'http://a', https_proxy: 'http://b' }, undefined, 'http://b:80'],
    [{ ALL_PROXY: 'http://a', all_proxy: 'http://b' }, 'http://b:80', 'http://b:80'],
    [{ all_proxy: 'http://a', HTTPS_PROXY: 'https://b' }, 'http://a:80', 'https://b:443'],
    // As for Go, an empty variable is none.
    [{ http_proxy: '', HTTP_PROXY: 'http://a' }, 'http://a:80', undefined],
    [{ https_proxy: ' ', ALL_PROXY: 'http://a' }, 'http://a:80', 'http://a:80'],
    [{ HTTPS_PROXY: '', ALL_PROXY: '' }, undefined, undefined],
    // The way that a request enters a CGI program.
    [{ HTTP_PROXY: 'http://a', REQUEST_METHOD: 'GET' }, undefined, undefined],
    [{ HTTP_PROXY: 'http://a', ALL_PROXY: 'http://b', REQUEST_METHOD: 'GET' }, 'http://b:80', 'http://b:80'],
    [{ HTTP_PROXY: 'http://a', http_proxy: 'http://b', REQUEST_METHOD: 'GET' }, 'http://b:80', undefined],
    [{ HTTPS_PROXY: 'http://a', REQUEST_METHOD: 'GET' }, undefined, 'http://a:80'],
    [{ HTTP_PROXY: 'http://a', REQUEST_METHOD: '' }, 'http://a:80', undefined],
    // A value may go without a scheme.
    [{ HTTPS_PROXY: 'a:3128' }, undefined, 'http://a:3128'],
    [{ HTTPS_PROXY: ' a ' }, undefined, 'http://a:80'],
    [{ HTTPS_PROXY: 'me:secret@a:3128' }, undefined, 'http://a:3128'],
    [{ HTTPS_PROXY: '127.0.0.1:3128' }, undefined, 'http://127.0.0.1:3128'],
    [{ HTTPS_PROXY: '[::1]:3128' }, undefined, 'http://[::1]:3128'],
    [{ HTTPS_PROXY: 'HTTPS://A' }, undefined, 'https://a:443'],
  ]
  for (const [env, tcp, tls] of cases) {
    test(inspect(env), () => {
      assert.equal(proxyOf(env, 'tcp'), tcp)
      assert.equal(proxyOf(env, 'tls'), tls)
    })
  }
})

test('on Windows, where a variable has every case, the one of a CGI request does not count either', () => {
  const variables = { HTTP_PROXY: 'http://a', REQUEST_METHOD: 'GET' }
  const env = new Proxy<Record<string, string>>(variables, {
    get: (all, name) => all[String(name).toUpperCase()],
  })
  assert.equal(env.http_proxy, 'http://a')
  assert.equal(proxyOf(env, 'tcp'), undefined)
})

test('the credentials of the environment are decoded as those of a URL', () => {
  const origin = { host: parseHost('example.org'), port: 443, transport: 'tls' } as const
  const [hop] = proxiesOf('environment', origin, { https_proxy: 'm%40e:se%2Fcret@proxy' })
  assert.deepEqual(
    [hop?.username, hop?.password, hop?.headers, hop?.tlsOpts],
    ['m@e', 'se/cret', [], undefined],
  )
})

test('a wrong value is refused by the name of its variable, and never shown', () => {
  const cases: [value: string, said: RegExp][] = [
    ['socks4://me:hidden@proxy', /must begin with http:/],
    ['me:hid#hidden@proxy', /must be the URL of a proxy/],
    ['http://me:1/hidden@proxy', /must end behind the host/],
    ['http://me:hidden%ff@proxy', /must have its name and password in UTF-8/],
  ]
  for (const variable of ['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY']) {
    for (const [value, said] of cases) {
      assert.throws(
        () => proxyOf({ [variable]: value }, 'tls'),
        (error: unknown) => {
          assert.ok(error instanceof GunError)
          assert.deepEqual([error.code, error.kind], ['bad_option', 'options'])
          assert.ok(error.message.startsWith(`${variable} in the environment must `))
          assert.match(error.message, said)
          assert.doesNotMatch(inspect(error), /hidden/)
          return true
        },
      )
    }
  }
  // A variable that does not count is not looked at.
  assert.equal(proxyOf({ ALL_PROXY: 'nonsense://', https_proxy: 'a' }, 'tls'), 'http://a:80')
})

test('no proxy is asked for this machine itself', () => {
  const env = { ALL_PROXY: 'http://proxy' }
  for (const host of ['localhost', 'LocalHost.', '127.0.0.1', '127.255.0.9', '::1', '::ffff:127.0.0.1']) {
    assert.equal(proxyOf(env, 'tcp', host), undefined, host)
  }
  for (const host of ['localhost.example', 'my.localhost', '128.0.0.1', '::2', '0.0.0.0']) {
    assert.equal(proxyOf(env, 'tcp', host), 'http://proxy:80', host)
  }
})

/** For each list: the origins that it excepts, and others near to them. */
const lists: [list: string, excepted: string[], others: string[]][] = [
  ['*', ['a', 'a.b', '1.2.3.4', '2001:db8::1'], []],
  ['x, *', ['a'], []],
  ['', [], ['a']],
  [' , ,', [], ['a']],
  [
    'example.org',
    ['example.org', 'www.example.org', 'a.b.EXAMPLE.org', 'example.org.'],
    ['anexample.org', 'example.com', 'org'],
  ],
  ['EXAMPLE.org.', ['example.org', 'www.example.org.'], ['anexample.org']],
  ['.example.org', ['example.org', 'www.example.org'], ['anexample.org']],
  ['*.example.org', ['example.org', 'www.example.org'], ['anexample.org']],
  ['b\u00fccher.test', ['b\u00fccher.test', 'www.xn--bcher-kva.test'], ['bucher.test']],
  ['org', ['org', 'example.org'], ['example.com', 'myorg']],
  ['a.test,b.test c.test\td.test\n,e.test', ['a.test', 'b.test', 'c.test', 'd.test', 'e.test'], ['f.test']],
  ['example.org:8443', ['example.org:8443', 'www.example.org:8443'], ['example.org:443']],
  ['.example.org:443', ['example.org:443', 'www.example.org:443'], ['example.org:8443']],
  ['example.org:', ['example.org:443', 'example.org:1'], ['a']],
  ['1.2.3.4', ['1.2.3.4', '1.2.3.4:8443', '::ffff:1.2.3.4'], ['1.2.3.5', 'a.1.2.3.4.test']],
  ['1.2.3.4:443', ['1.2.3.4:443'], ['1.2.3.4:80', '1.2.3.5:443']],
  ['3.4', ['3.0.0.4'], ['1.2.3.4']],
  [
    '10.0.0.0/8',
    ['10.0.0.0', '10.255.255.255', '::ffff:10.1.1.1'],
    ['11.0.0.0', '9.255.255.255', 'a10.0.0.1.test'],
  ],
  ['10.9.9.9/8', ['10.0.0.1'], ['11.0.0.0']],
  ['192.168.1.128/25', ['192.168.1.128', '192.168.1.255'], ['192.168.1.127', '192.168.2.128']],
  ['1.2.3.4/32', ['1.2.3.4'], ['1.2.3.5']],
  ['0.0.0.0/0', ['1.2.3.4', '255.255.255.255'], ['2001:db8::1', 'example.org']],
  ['::/0', ['2001:db8::1'], ['example.org']],
  ['2001:db8::1', ['2001:DB8::1', '2001:db8:0:0::1'], ['2001:db8::2']],
  ['[2001:db8::1]', ['2001:db8::1'], ['2001:db8::2']],
  ['[2001:db8::1]:443', ['[2001:db8::1]:443'], ['[2001:db8::1]:80', '[2001:db8::2]:443']],
  ['2001:db8::/32', ['2001:db8::', '2001:db8:ffff::1'], ['2001:db9::', 'example.org']],
  ['fe80::/10', ['fe80::1%eth0', 'febf::1'], ['fec0::1']],
  // An entry that means nothing excepts nothing, and the others still count.
  [
    '10.0.0.0/33, ::/129, 1.2.3/8, /8, :443, [, ], ., *., a..b, http://a, example.org',
    ['example.org'],
    ['10.0.0.0', '::2', '1.2.3.4', 'a'],
  ],
]

/** Splits a host from its port, which is 443 unless it is given. */
function originOf(text: string): readonly [host: string, port: number] {
  const [, address, name, port = '443'] = /^(?:\[(.*)\]|([^:]*))(?::(\d+))?$/.exec(text) ?? []
  return [address ?? name ?? text, Number(port)]
}

describe('NO_PROXY excepts origins', () => {
  for (const [list, excepted, others] of lists) {
    test(inspect(list), () => {
      const env = { HTTPS_PROXY: 'http://proxy', NO_PROXY: list }
      for (const each of excepted) assert.equal(proxyOf(env, 'tls', ...originOf(each)), undefined, each)
      for (const each of others) assert.equal(proxyOf(env, 'tls', ...originOf(each)), 'http://proxy:80', each)
    })
  }

  test('in lower case or upper, whatever names the proxy', () => {
    for (const env of [
      { NO_PROXY: 'a' },
      { no_proxy: 'a', NO_PROXY: 'b' },
      { no_proxy: '', NO_PROXY: 'a' },
    ]) {
      for (const variable of ['HTTPS_PROXY', 'ALL_PROXY']) {
        assert.equal(proxyOf({ ...env, [variable]: 'proxy' }, 'tls', 'a'), undefined)
        assert.equal(proxyOf({ ...env, [variable]: 'proxy' }, 'tls', 'b'), 'http://proxy:80')
      }
    }
  })

  test('and nothing in the list throws, or excepts a host that no entry names', () => {
    const entry = fc.oneof(
      fc.string({ unit: fc.constantFrom(...'.:[]/*%-a1'), maxLength: 12 }),
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.ipV4Extended(),
      fc.ipV6(),
    )
    fc.assert(
      fc.property(fc.array(entry), entries => {
        fc.pre(
          !entries
            .join()
            .split(/[\s,]+/)
            .includes('*'),
        )
        const env = { HTTPS_PROXY: 'proxy', NO_PROXY: entries.join() }
        assert.equal(proxyOf(env, 'tls', 'nobody.names.it'), 'http://proxy:80')
        proxyOf(env, 'tls', '198.51.100.1')
        proxyOf(env, 'tls', '2001:db8::1')
      }),
      runs(500),
    )
  })
})
