import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { setExitHook } from '@holster/process'
import fc from 'fast-check'
import { CookieJar, MemoryCookieStore } from 'tough-cookie'
import { runs } from '../../../test/support/runs.ts'
import { Cookies } from '../src/cookies.ts'
import { GunError } from '../src/errors.ts'
import { ConnPid } from '../src/handles.ts'
import { checkOpts } from '../src/options/checks.ts'
import type { CookieStore } from '../src/options/cookie-store.ts'
import type { Headers } from '../src/words.ts'

const connPid = new ConnPid(undefined as never)
const HTTP = 'http://www.example.com/a/b'
const HTTPS = 'https://www.example.com/a/b'

/** Octets as the parser of responses gives them. */
const latin1 = (text: string): string => Buffer.from(text).toString('latin1')

const setCookies = (...lines: string[]): Headers => lines.map(line => ['set-cookie', line] as const)

/** A jar like the default one that has to be asked with promises. */
function asynchronousJar(): CookieJar {
  const store = new MemoryCookieStore()
  store.synchronous = false
  return new CookieJar(store)
}

function asked(cookies: Cookies, url: string): string | undefined {
  let answer: string | undefined
  cookies.query(url, value => {
    answer = value
  })
  return answer
}

const answered = (cookies: Cookies, url: string): Promise<string> =>
  new Promise(resolve => cookies.query(url, resolve))

/** What is sent to `to` after a response from `from` with these lines. */
function kept(lines: string | readonly string[], from = HTTP, to = from): string | undefined {
  const cookies = new Cookies(connPid, new CookieJar())
  cookies.store(from, setCookies(...(typeof lines === 'string' ? [lines] : lines)))
  return asked(cookies, to)
}

/** What is reported while it is in use. */
/** Keeps what the exit hook gets; of what was thrown and is no Error, as most of these tests throw, that itself. */
function reporting() {
  const reports: unknown[][] = []
  const previous = setExitHook((pid, reason) => {
    reports.push([pid, reason instanceof Error && typeof reason.cause === 'string' ? reason.cause : reason])
  })
  return { reports, [Symbol.dispose]: () => setExitHook(previous) }
}

/** A store whose methods are promised; each waits until the test settles it. */
class SlowStore implements CookieStore {
  readonly calls: { what: string; resolve(value: string): void; reject(error: unknown): void }[] = []

  getCookieString(url: string): Promise<string> {
    return this.#call(`get ${url}`)
  }

  setCookie(cookie: string): Promise<unknown> {
    return this.#call(`set ${cookie}`)
  }

  /** The next call; there is never more than one under way. */
  async next() {
    while (this.calls.length === 0) await turn()
    const call = this.calls.shift()
    assert.ok(call !== undefined && this.calls.length === 0)
    return call
  }

  #call(what: string): Promise<string> {
    return new Promise((resolve, reject) => this.calls.push({ what, resolve, reject }))
  }
}

test('a CookieJar is a cookie store', () => {
  const cookieStore: CookieStore = new CookieJar()
  assert.doesNotThrow(() => checkOpts({ cookieStore }))
})

type Case = readonly [what: string, lines: string | readonly string[], expected: string]

function holds(cases: readonly Case[], from = HTTP, to = from): void {
  for (const [what, lines, expected] of cases) {
    test(what, () => assert.equal(kept(lines, from, to), expected))
  }
}

describe('the name and the value of a cookie (RFC 6265bis section 5.6)', () => {
  holds([
    ['are split at the first =', 'a=b=c', 'a=b=c'],
    ['are trimmed of blanks and tabs', ' \ta \t=\t b \t', 'a=b'],
    ['may have blanks inside', 'a b=c d', 'a b=c d'],
    ['may have tabs inside', 'a\tb=c\td', 'a\tb=c\td'],
    ['may have quotes that are left alone', 'a="b c"', 'a="b c"'],
    ['end at a semicolon, quoted or not', '"a=b;c"=d', '"a=b'],
    ['may have commas', 'a=1, b=2', 'a=1, b=2'],
    ['are not URL-decoded', '%61=%62', '%61=%62'],
    ['are kept when only the value is empty', 'a=', 'a='],
    ['may lack the name', 'a', 'a'],
    ['may lack the name before a =', '=a', 'a'],
    ['may lack the name before many =', '===a=b', '==a=b'],
    ['do not both lack', ['a=1', '', ' ', '\t', '=', ' = ', '; b', ';'], 'a=1'],
    [
      'of an own property of objects are like others',
      ['__proto__=1', 'toString=2'],
      '__proto__=1; toString=2',
    ],
  ])

  test('without a name are one cookie, whatever the value looks like', () => {
    assert.equal(kept(['=a=1', 'b']), 'b')
    assert.equal(kept(['b', '=a=1']), 'a=1')
    assert.equal(kept(['a=0', '=a=1']), 'a=0; a=1')
  })

  test('may be 4096 octets together and no more', () => {
    const value = 'v'.repeat(4095)
    assert.equal(kept(`a=${value}`), `a=${value}`)
    assert.equal(kept(`ab=${value}`), '')
    assert.equal(kept(`${value}=a`), `${value}=a`)
    assert.equal(kept(`${value}v`), `${value}v`)
    assert.equal(kept(`${value}vv`), '')
    assert.equal(kept(`a=${latin1('é'.repeat(2048))}`), '')
  })

  test('come back octet by octet when they are UTF-8', () => {
    for (const text of [
      'тест=2',
      'a=春节回家路·春运',
      'à=à',
      '"春=à"',
      'à',
      '=à=à',
      'a=\u00a0',
      '\u3000=1',
    ]) {
      assert.equal(kept(latin1(text)), latin1(text.replace(/^=/, '')), text)
    }
  })

  test('come back octet by octet when they are not UTF-8', () => {
    const octet = fc.integer({ min: 0x21, max: 0xff }).filter(code => code !== 0x3b && code !== 0x7f)
    const octets = fc.array(octet, { minLength: 1, maxLength: 8 }).map(codes => String.fromCharCode(...codes))
    const name = octets.filter(text => !text.includes('='))
    fc.assert(
      fc.property(name, octets, (n, v) => assert.equal(kept(`${n}=${v}`), `${n}=${v}`)),
      runs(100),
    )
    fc.assert(
      fc.property(octets, value => assert.equal(kept(`=${value}`), value)),
      runs(100),
    )
  })
})

describe('a control character (RFC 6265bis section 5.6)', () => {
  const places: readonly (readonly [where: string, line: (control: string) => string, withTab: string])[] = [
    ['in the name', c => `te${c}st=1`, 'te\tst=1'],
    ['before the name', c => `${c}test=1`, 'test=1'],
    ['in the value', c => `test=1${c}2`, 'test=1\t2'],
    ['after the value', c => `test=1${c}`, 'test=1'],
    ['in a Domain', c => `test=1; Domain=te${c}st.com; Domain=example.com`, 'test=1'],
    ['after a Domain', c => `test=1; Domain=example.com${c}`, 'test=1'],
    ['in a Path', c => `test=1; Path=/te${c}st; Path=/a`, 'test=1'],
    ['after a Path', c => `test=1; Path=/a${c}`, 'test=1'],
    ['in a Max-Age', c => `test=1; Max-Age=10${c}00; Max-Age=1000`, 'test=1'],
    ['after a Max-Age', c => `test=1; Max-Age=1000${c}`, 'test=1'],
    [
      'in an Expires',
      c => `test=1; Expires=Fri, 01 Jan 21${c}38 00:00:00 GMT; Expires=Fri, 01 Jan 2138 00:00:00 GMT`,
      'test=1',
    ],
    ['in a Secure, which it then is not', c => `test=1; Sec${c}ure`, 'test=1'],
    ['after HttpOnly', c => `test=1; HttpOnly${c}`, 'test=1'],
    ['in a SameSite', c => `test=1; SameSite=No${c}ne; SameSite=None`, 'test=1'],
    ['in what nobody knows', c => `test=1; what${c}ever`, 'test=1'],
  ]
  for (const [where, line, withTab] of places) {
    test(`${where} makes the header ignored, unless it is a tab`, () => {
      for (let code = 0; code < 0x20; code++) {
        const control = String.fromCharCode(code)
        assert.equal(kept(line(control)), control === '\t' ? withTab : '', `code ${code}`)
      }
      assert.equal(kept(line('\x7f')), '')
    })
  }
})

describe('an attribute (RFC 6265bis section 5.6)', () => {
  const long = (length: number): string => `/${'x'.repeat(length - 1)}`

  holds([
    ['that nobody knows is ignored', 'a=1; b; "c"; d=e; =; ==;', 'a=1'],
    ['may be surrounded by blanks and tabs', 'a=1;\t Path \t=\t /elsewhere \t;', ''],
    ['may be of any case', 'a=1; pATH=/elsewhere', ''],
    ['counts where it comes last', ['a=1; Path=/elsewhere; Path=/', 'b=1; Path=/; Path=/elsewhere'], 'a=1'],
    ['of more than 1024 octets is as if it were not there', `a=1; Path=/a; Path=${long(1025)}`, 'a=1'],
    ['of 1024 octets counts', `a=1; Path=/a; Path=${long(1024)}`, ''],
    ['Domain of more than 1024 octets is as if it were not there', `a=1; Domain=${'x'.repeat(1025)}`, 'a=1'],
    ['Domain of 1024 octets counts', `a=1; Domain=${'x'.repeat(1024)}`, ''],
    ['that is too long and unknown does no harm', `a=1; b=${long(5000)}; Path=/`, 'a=1'],
    ['of many blanks is looked at only once', `a=${' '.repeat(200_000)}b;${' '.repeat(200_000)}c`, 'a=b'],
  ])
})

describe('a lifetime (RFC 6265bis sections 5.6.1 and 5.6.2)', () => {
  holds([
    ['in the future keeps a cookie', 'a=1; Expires=Fri, 01 Jan 2138 00:00:00 GMT', 'a=1'],
    ['in the past removes a cookie', ['a=1', 'a=2; Expires=Fri, 01 Jan 2010 00:00:00 GMT'], ''],
    ['that is no date is ignored', 'a=1; Expires=yesterday', 'a=1'],
    ['of some seconds keeps a cookie', 'a=1; Max-Age=1000', 'a=1'],
    ['of no seconds removes a cookie', ['a=1', 'a=2; Max-Age=0'], ''],
    ['of less than no seconds removes a cookie', ['a=1', 'a=2; Max-Age=-1'], ''],
    [
      'of something else than seconds is ignored',
      ['a=1; Max-Age=1x', 'b=1; Max-Age=x', 'c=1; Max-Age='],
      'a=1; b=1; c=1',
    ],
    [
      'in seconds goes before a date',
      [
        'a=1; Max-Age=1000; Expires=Fri, 01 Jan 2010 00:00:00 GMT',
        'b=1; Max-Age=0; Expires=Fri, 01 Jan 2138 00:00:00 GMT',
      ],
      'a=1',
    ],
  ])
})

describe('the order of cookies (RFC 6265bis section 5.8.3)', () => {
  holds([
    ['is that of their coming', ['z=1', 'a=1', '1=1'], 'z=1; a=1; 1=1'],
    ['is not changed by a new value', ['z=1', 'a=1', 'z=2'], 'z=2; a=1'],
    ['begins with the longest path', ['a=1; Path=/', 'b=1; Path=/a/b', 'c=1; Path=/a'], 'b=1; c=1; a=1'],
  ])
})

describe('a path (RFC 6265bis section 5.1.4)', () => {
  const sentTo = (line: string, path: string): boolean =>
    kept(line, 'http://example.com/a/b/c', `http://example.com${path}`) === 'x=1'

  test('that is not given is that of the response, up to the last slash', () => {
    for (const line of ['x=1', 'x=1; Path', 'x=1; Path=', 'x=1; Path=b', 'x=1; Path=/z; Path=']) {
      for (const path of ['/a/b', '/a/b/', '/a/b/c', '/a/b/d/e', '/a/b?c'])
        assert.ok(sentTo(line, path), path)
      for (const path of ['/', '/a', '/a/bc', '/a/c', '/A/b/c']) assert.ok(!sentTo(line, path), path)
    }
  })

  test('of a response to a path without another slash is the root', () => {
    assert.equal(kept('x=1', 'http://example.com/a?b/c', 'http://example.com/d'), 'x=1')
  })

  test('that is given is matched segment by segment', () => {
    for (const path of ['/d', '/d/', '/d/e']) assert.ok(sentTo('x=1; Path=/d', path), path)
    for (const path of ['/', '/de', '/D', '/e/d']) assert.ok(!sentTo('x=1; Path=/d', path), path)
    for (const path of ['/d/', '/d/e']) assert.ok(sentTo('x=1; Path=/d/', path), path)
    assert.ok(!sentTo('x=1; Path=/d/', '/d'))
  })
})

describe('a domain (RFC 6265bis sections 5.1.3 and 5.7)', () => {
  const hosts = ['www.example.com', 'a.www.example.com', 'example.com', 'b.example.com', 'anexample.com']
  const sentTo = (line: string): string[] =>
    hosts.filter(host => kept(line, 'http://www.example.com/', `http://${host}/`) !== '')

  test('that is not given is the host alone', () => {
    assert.deepEqual(sentTo('x=1'), ['www.example.com'])
    assert.deepEqual(sentTo('x=1; Domain='), ['www.example.com'])
  })

  test('that is given stands for those below it too, with and without a leading dot', () => {
    for (const domain of ['example.com', '.example.com', 'EXAMPLE.com']) {
      assert.deepEqual(sentTo(`x=1; Domain=${domain}`), hosts.slice(0, 4), domain)
    }
    assert.deepEqual(sentTo('x=1; Domain=www.example.com'), hosts.slice(0, 2))
  })

  test('of others makes the header ignored', () => {
    for (const domain of [
      'example.org',
      'a.www.example.com',
      'ample.com',
      'com',
      latin1('www.exämple.com'),
      '\xa0',
    ]) {
      assert.deepEqual(sentTo(`x=1; Domain=${domain}`), [], domain)
    }
  })

  test('with a leading dot or none is the same cookie', () => {
    assert.equal(kept(['a=1; Domain=.example.com', 'a=2; Domain=example.com']), 'a=2')
  })

  test('may be localhost or an address', () => {
    for (const host of ['localhost', '127.0.0.1', '[::1]']) {
      assert.equal(kept(['a=1'], `http://${host}:8080/`, `http://${host}/`), 'a=1')
      assert.equal(kept(['a=1'], `http://${host}:8080/`, 'http://example.com/'), '')
    }
  })
})

describe('a secure cookie (RFC 6265bis section 5.7)', () => {
  const spellings = ['Secure', 'seCURe', 'Secure=', 'Secure=no', ' Secure \t', 'Secure =x', 'Secure; Path=/']

  test('is ignored in a response over plain HTTP, also from the loopback', () => {
    for (const url of [HTTP, 'http://localhost/', 'http://127.0.0.1/', 'http://[::1]/', 'ws://localhost/']) {
      for (const spelling of spellings) assert.equal(kept(`a=1; ${spelling}`, url), '', `${spelling} ${url}`)
    }
  })

  test('is sent over HTTPS and not over plain HTTP', () => {
    for (const spelling of spellings) {
      assert.equal(kept(`a=1; ${spelling}`, HTTPS), 'a=1', spelling)
      assert.equal(kept(`a=1; ${spelling}`, HTTPS, HTTP), '', spelling)
    }
    assert.equal(kept('a=1; Secure', 'wss://example.com/', 'https://example.com/'), 'a=1')
  })

  test('is not what only looks like one', () => {
    for (const attribute of ['"Secure"', 'Secure x', 'Secured', 'x=Secure']) {
      assert.equal(kept(`a=1; ${attribute}`, HTTP), 'a=1', attribute)
    }
  })
})

describe('a name that begins with a prefix (RFC 6265bis section 5.4)', () => {
  const jars = {
    silent: () => new CookieJar(),
    strict: () => new CookieJar(undefined, { prefixSecurity: 'strict' }),
    none: () => new CookieJar(undefined, { prefixSecurity: 'unsafe-disabled' }),
  }
  const good = [
    'Path=/; Secure',
    'secure; path=/; Max-Age=10',
    'Secure; Path=/; HttpOnly',
    'Secure; Path=/a; Path=/; Domain=',
  ]
  const notForHost = [
    'Secure',
    'Secure; Path=/a',
    'Secure; Path=',
    'Secure; Path=/; Domain=www.example.com',
    'Secure; Path=/; Path=x',
  ]
  const insecure = ['', 'Path=/', 'Path=/; HttpOnly', 'Path=/; Domain=www.example.com']

  for (const [mode, jar] of Object.entries(jars)) {
    const isKept = (name: string, attributes: string, url = HTTPS): boolean => {
      using it = reporting()
      const cookies = new Cookies(connPid, jar())
      cookies.store(url, setCookies(`${name}=1; ${attributes}`))
      assert.deepEqual(it.reports, [])
      return asked(cookies, 'https://www.example.com/a/b') !== ''
    }

    test(`is kept only with what the prefix asks for, by a jar whose own check is ${mode}`, () => {
      for (const name of ['__Secure-a', '__Host-a']) {
        for (const attributes of good) {
          assert.ok(isKept(name, attributes), `${name} ${attributes}`)
          assert.ok(!isKept(name, attributes, HTTP), `${name} ${attributes} over plain HTTP`)
        }
      }
      for (const name of ['__Secure-a', '__Host-a', '__secure-a', '__HOST-a']) {
        for (const attributes of insecure) assert.ok(!isKept(name, attributes), `${name} ${attributes}`)
      }
      for (const attributes of notForHost) {
        assert.ok(!isKept('__Host-a', attributes), attributes)
        assert.ok(!isKept('__host-a', attributes), attributes)
        assert.ok(isKept('__Secure-a', attributes), attributes)
      }
    })

    test(`is not made up by a cookie without a name, for a jar whose own check is ${mode}`, () => {
      for (const line of ['=__Host-a', '__Secure-a', '=__HOST-a', '=__secure-a']) {
        const cookies = new Cookies(connPid, jar())
        cookies.store(
          HTTPS,
          setCookies(`${line}; Secure; Path=/`, `=${line}=1; Secure; Path=/`.replace('==', '=')),
        )
        assert.equal(asked(cookies, HTTPS), '', line)
      }
    })
  }
})

describe('a store', () => {
  for (const [kind, jar] of [
    ['synchronous', () => new CookieJar()],
    ['asynchronous', asynchronousJar],
  ] as const) {
    test(`that is ${kind} is given set-cookie headers in order, and no others`, async () => {
      const cookies = new Cookies(connPid, jar())
      cookies.store(HTTP, [
        ['set-cookie', 'a=1'],
        ['cookie', 'b=1'],
        ['set-cookie', 'c=1'],
        ['set-cookie2', 'd=1'],
        ['set-cookie', 'a=2'],
      ])
      assert.equal(await answered(cookies, HTTP), 'a=2; c=1')
    })

    test(`that is ${kind} is asked for what it has of others, too`, async () => {
      const shared = jar()
      await shared.setCookie('own=1', HTTP)
      const one = new Cookies(connPid, shared)
      const other = new Cookies(connPid, shared)
      one.store(HTTP, setCookies('a=1'))
      assert.equal(await answered(one, HTTP), 'own=1; a=1')
      assert.equal(await answered(other, HTTP), 'own=1; a=1')
    })

    test(`that is ${kind} refuses a URL that is none with a report`, async () => {
      using it = reporting()
      const cookies = new Cookies(connPid, jar())
      cookies.store('http://host:8080*', setCookies('a=1'))
      assert.equal(await answered(cookies, 'http://host:8080*'), '')
      assert.deepEqual(
        it.reports.map(([pid, reason]) => [pid, reason instanceof Error]),
        [
          [connPid, true],
          [connPid, true],
        ],
      )
    })
  }

  test('that is synchronous answers before the query returns', () => {
    const cookies = new Cookies(connPid, new CookieJar())
    assert.equal(asked(cookies, HTTP), '')
    cookies.store(HTTP, setCookies('a=1'))
    assert.equal(asked(cookies, HTTP), 'a=1')
  })

  test('that says it is synchronous but lacks the methods for it is asked with promises', async () => {
    const store = {
      store: { synchronous: true },
      getCookieString: async () => 'a=1',
      setCookie: async () => {},
    }
    const cookies = new Cookies(connPid, store)
    assert.equal(asked(cookies, HTTP), undefined)
    assert.equal(await answered(cookies, HTTP), 'a=1')
  })

  test('that has methods for it but is not synchronous is asked with promises', async () => {
    const cookies = new Cookies(connPid, asynchronousJar())
    cookies.store(HTTP, setCookies('a=1'))
    assert.equal(asked(cookies, HTTP), undefined)
    assert.equal(await answered(cookies, HTTP), 'a=1')
  })

  test('that is asynchronous is asked one thing at a time, in order', async () => {
    const slow = new SlowStore()
    const cookies = new Cookies(connPid, slow)
    const values: string[] = []
    cookies.query('1', value => values.push(value))
    cookies.store('2', setCookies('a=1', 'b=1'))
    cookies.query('3', value => values.push(value))
    for (const what of ['get 1', 'set a=1', 'set b=1', 'get 3']) {
      const call = await slow.next()
      assert.equal(call.what, what)
      call.resolve(`${what} done`)
    }
    while (values.length < 2) await turn()
    assert.deepEqual(values, ['get 1 done', 'get 3 done'])
  })

  test('that rejects is reported, counts as without cookies, and is asked again', async () => {
    using it = reporting()
    const slow = new SlowStore()
    const cookies = new Cookies(connPid, slow)
    const values: string[] = []
    cookies.store('1', setCookies('a=1', 'b=1'))
    cookies.query('2', value => values.push(value))
    cookies.query('3', value => values.push(value))
    for (const what of ['set a=1', 'set b=1', 'get 2']) (await slow.next()).reject(what)
    ;(await slow.next()).resolve('c=1')
    while (values.length < 2) await turn()
    assert.deepEqual(values, ['', 'c=1'])
    assert.deepEqual(it.reports, [
      [connPid, 'set a=1'],
      [connPid, 'set b=1'],
      [connPid, 'get 2'],
    ])
  })

  test('that throws is reported, counts as without cookies, and is asked again', async () => {
    for (const synchronous of [true, false]) {
      using it = reporting()
      const fail = (): never => {
        throw new Error('broken')
      }
      const store = {
        store: { synchronous },
        getCookieString: fail,
        setCookie: fail,
        getCookieStringSync: fail,
        setCookieSync: fail,
      }
      const cookies = new Cookies(connPid, store)
      cookies.store(HTTP, setCookies('a=1', 'b=1'))
      assert.equal(await answered(cookies, HTTP), '')
      assert.equal(it.reports.length, 3)
    }
  })

  test('that gives what may not be sent is reported without it, and counts as without cookies', async () => {
    const bad = [
      'a=secret\r\nb: c',
      'a=secret\n',
      'a=secret\0',
      'a=secret\x7f',
      'a=secret春',
      7,
      undefined,
      null,
      {},
    ]
    for (const synchronous of [true, false]) {
      for (const value of bad) {
        using it = reporting()
        const store = {
          store: { synchronous },
          getCookieString: async () => value as string,
          setCookie: async () => {},
          getCookieStringSync: () => value as string,
          setCookieSync: () => {},
        }
        assert.equal(await answered(new Cookies(connPid, store), HTTP), '')
        const [[pid, reason] = []] = it.reports
        assert.equal(it.reports.length, 1)
        assert.equal(pid, connPid)
        assert.ok(reason instanceof TypeError)
        assert.ok(!reason.message.includes('secret'))
      }
    }
  })

  test('goes on when what was told the answer throws', async () => {
    using it = reporting()
    const cookies = new Cookies(connPid, asynchronousJar())
    cookies.query(HTTP, () => {
      throw 'done'
    })
    assert.equal(await answered(cookies, HTTP), '')
    assert.deepEqual(it.reports, [[connPid, 'done']])
  })

  test('that says it is synchronous and gives promises that reject is reported for each, and for what it lacks', async () => {
    using it = reporting()
    const boom = new Error('boom')
    const fail = async (): Promise<never> => {
      throw boom
    }
    const store = {
      store: { synchronous: true },
      getCookieString: fail,
      setCookie: fail,
      getCookieStringSync: fail as unknown as () => string,
      setCookieSync: fail,
    }
    const cookies = new Cookies(connPid, store)
    cookies.store(HTTP, setCookies('a=1'))
    assert.equal(asked(cookies, HTTP), '')
    await turn()
    const [noString, ...others] = it.reports.map(([, reason]) => reason)
    assert.ok(noString instanceof TypeError)
    assert.deepEqual(others, [boom, boom])
  })

  describe('whose promise does not settle', () => {
    const problem = (it: ReturnType<typeof reporting>) =>
      it.reports.map(([, reason]) => reason instanceof GunError && `${reason.code}: ${reason.message}`)

    test('is given up after 5000 ms, and counts as without cookies', async t => {
      t.mock.timers.enable({ apis: ['setTimeout'] })
      using it = reporting()
      const slow = new SlowStore()
      const cookies = new Cookies(connPid, slow)
      const values: string[] = []
      cookies.query('1', value => values.push(value))
      cookies.store('1', setCookies('a=1'))
      cookies.query('2', value => values.push(value))
      await slow.next()
      t.mock.timers.tick(4999)
      await turn()
      assert.deepEqual([values, it.reports], [[], []])
      t.mock.timers.tick(1)
      await turn()
      assert.deepEqual(values, ['', ''])
      assert.deepEqual(slow.calls, [])
      const text =
        'cookieStore.getCookieString has not settled within 5000 ms; until it does, no cookies are sent or stored'
      assert.deepEqual(problem(it), [`bad_option: ${text}`])
    })

    test('is left alone until it does, so that nothing piles up, and then asked again', async t => {
      t.mock.timers.enable({ apis: ['setTimeout'] })
      using it = reporting()
      const slow = new SlowStore()
      const cookies = new Cookies(connPid, slow)
      cookies.store('1', setCookies('a=1'))
      const call = await slow.next()
      t.mock.timers.tick(5000)
      await turn()
      for (let i = 0; i < 10; i++) cookies.store('2', setCookies('b=1'))
      assert.equal(await answered(cookies, '2'), '')
      assert.deepEqual(slow.calls, [])
      assert.equal(it.reports.length, 1)
      call.resolve('')
      await turn()
      cookies.query('3', () => {})
      assert.equal((await slow.next()).what, 'get 3')
    })

    test('and rejects later is reported for that as well', async t => {
      t.mock.timers.enable({ apis: ['setTimeout'] })
      using it = reporting()
      const slow = new SlowStore()
      const cookies = new Cookies(connPid, slow)
      cookies.store('1', setCookies('a=1'))
      const call = await slow.next()
      t.mock.timers.tick(5000)
      await turn()
      call.reject('late')
      await turn()
      assert.deepEqual(it.reports[1], [connPid, 'late'])
      assert.equal(it.reports.length, 2)
    })
  })
})

test('cookies that a store does not keep up with wait up to a number of them, and it is reported once that others were left out', async () => {
  using it = reporting()
  const store = new SlowStore()
  const cookies = new Cookies(connPid, store)
  const lines = Array.from({ length: 2000 }, (_, n) => `n${n}=1`)
  for (let response = 0; response < 3; response++) cookies.store(HTTP, setCookies(...lines))
  let sum = 0
  for (let idle = 0; idle < 10; idle++, await turn()) {
    if (store.calls.length > 0) idle = 0
    sum += store.calls.length
    for (const { resolve } of store.calls.splice(0)) resolve('')
  }
  assert.equal(sum, 3000)
  assert.equal(it.reports.length, 1)
  assert.match(String(it.reports[0]?.[1]), /cookies were not stored: 3000 others waited/)
  // There is room again.
  cookies.store(HTTP, setCookies('later=1'))
  await turn()
  assert.equal(store.calls.length, 1)
  store.calls[0]?.resolve('')
})
