// Cookies as they cross the wire: what a store gets of responses, and what requests get of it.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import { setExitHook } from '@holster/process'
import type { Peer, ScriptedServer, Transport } from '@holster/testing'
import { switchingProtocols } from '@holster/testing/frames'
import { CookieJar, MemoryCookieStore } from 'tough-cookie'
import { type Client, connect, eventually, NO_CONTENT, PATIENCE, receiveError } from './support/client.ts'
import { onEachVersion } from './support/http-scene.ts'
import {
  type Answer,
  type Asked,
  type Fields,
  httpOrigin,
  type Line,
  lineName,
  lines,
  NOTHING,
} from './support/http-server.ts'
import { assertNothingLeft } from './support/leftovers.ts'
import { origin } from './support/origin.ts'
import { websocketServer } from './support/websocket-server.ts'

const kinds = ['synchronous', 'asynchronous'] as const

/** A jar like the default one; an asynchronous one has to be asked with promises. */
function jarOf(kind: (typeof kinds)[number]): CookieJar {
  const store = new MemoryCookieStore()
  store.synchronous = kind === 'synchronous'
  return new CookieJar(store)
}

interface Site extends ScriptedServer {
  /** The path and the cookie fields of each request, in order. */
  readonly seen: (readonly [path: string, ...cookies: string[]])[]
}

const cookiesOf = ({ fields }: Pick<Asked, 'fields'>): string[] =>
  fields.filter(([name]) => name === 'cookie').map(([, value]) => value)

const setting = (...setCookies: string[]): Fields => setCookies.map(line => ['set-cookie', line])

const noContent = (...setCookies: string[]): Answer => ({ status: 204, fields: setting(...setCookies) })

/** Answers each request with what is there for its path, or with a plain 204. */
async function site(
  answers: Readonly<Record<string, Answer>>,
  line: Line = { version: 'http', transport: 'tcp' },
): Promise<Site> {
  const seen: Site['seen'] = []
  const server = await httpOrigin(line, async peer => {
    for (;;) {
      const asked = await peer.request()
      seen.push([asked.path, ...cookiesOf(asked)])
      await asked.answer(answers[asked.path] ?? NOTHING)
    }
  })
  return Object.assign(server, { seen })
}

/** Waits for the response, so that its cookies are there for the next request. */
async function ask({ owner, connPid }: Client, path: string, headers?: gun.HeadersInit): Promise<void> {
  const streamRef = gun.get(connPid, path, headers)
  await owner.receive([{ type: 'gun_response', connPid, streamRef }], PATIENCE)
}

/** What is reported while it is in use. */
function reporting() {
  const reports: unknown[][] = []
  const previous = setExitHook((pid, reason) => reports.push([pid, reason]))
  return { reports, [Symbol.dispose]: () => setExitHook(previous) }
}

/** A store that answers each question when it is told to. */
class SlowStore implements gun.CookieStore {
  readonly answers: ((value: string) => void)[] = []
  readonly stored: string[] = []

  getCookieString(): Promise<string> {
    return new Promise(resolve => this.answers.push(resolve))
  }

  async setCookie(cookie: string): Promise<void> {
    this.stored.push(cookie)
  }

  async answer(value: string): Promise<void> {
    await eventually(() => this.answers.length > 0, 'the store was not asked')
    assert.equal(this.answers.length, 1)
    this.answers.shift()?.(value)
  }
}

for (const line of lines) {
  const { transport, version } = line

  for (const kind of kinds) {
    describe(`over ${lineName(line)}, with a store that is ${kind}`, () => {
      test('a cookie of a response is sent with the next request', async () => {
        await using _left = assertNothingLeft()
        await using server = await site(
          { '/set': noContent('a=1', 'b=2; HttpOnly'), '/more': noContent('a=3') },
          line,
        )
        await using client = await connect(server, line, { cookieStore: jarOf(kind) })
        for (const path of ['/', '/set', '/', '/more', '/']) await ask(client, path)
        assert.deepEqual(server.seen, [
          ['/'],
          ['/set'],
          ['/', 'a=1; b=2'],
          ['/more', 'a=1; b=2'],
          ['/', 'a=3; b=2'],
        ])
      })

      test('a cookie is sent only to the paths it is for', async () => {
        await using server = await site(
          { '/a/set?x=/y/': noContent('a=1', 'b=1; Path=/b', 'c=1; Path=/') },
          line,
        )
        await using client = await connect(server, line, { cookieStore: jarOf(kind) })
        for (const path of ['/a/set?x=/y/', '/a', '/a/d?e', '/b', '/bc', '/']) await ask(client, path)
        assert.deepEqual(server.seen.slice(1), [
          ['/a', 'a=1; c=1'],
          ['/a/d?e', 'a=1; c=1'],
          ['/b', 'b=1; c=1'],
          ['/bc', 'c=1'],
          ['/', 'c=1'],
        ])
      })

      test('a secure cookie is kept over TLS only', async () => {
        await using server = await site(
          { '/set': noContent('a=1; Secure', '__Host-b=2; Secure; Path=/', 'c=3') },
          line,
        )
        await using client = await connect(server, line, { cookieStore: jarOf(kind) })
        await ask(client, '/set')
        await ask(client, '/')
        assert.deepEqual(server.seen.at(-1), ['/', transport === 'tls' ? 'a=1; __Host-b=2; c=3' : 'c=3'])
      })

      test('cookies of informational responses count unless they are to be ignored', async () => {
        const answer: Answer = { ...noContent('final=1'), informs: [[103, setting('early=1')]] }
        for (const cookieIgnoreInformational of [false, true]) {
          await using server = await site({ '/set': answer }, line)
          await using client = await connect(server, line, {
            cookieStore: jarOf(kind),
            protocols: [[version, { cookieIgnoreInformational }]],
          })
          await ask(client, '/set')
          await ask(client, '/')
          const expected = cookieIgnoreInformational ? 'final=1' : 'early=1; final=1'
          assert.deepEqual(server.seen.at(-1), ['/', expected])
        }
      })
    })
  }
}

onEachVersion('a response has given its cookies away before its message comes', async line => {
  const cookieStore = new CookieJar()
  await using server = await site({ '/set': { ...noContent('b=1'), informs: [[103, setting('a=1')]] } }, line)
  await using client = await connect(server, line, { cookieStore })
  const streamRef = gun.get(client.connPid, '/set')
  await client.owner.receive([{ type: 'gun_inform', streamRef }], PATIENCE)
  await client.owner.receive([{ type: 'gun_response', streamRef }], PATIENCE)
  const url = `http://${server.host}:${server.port}/`
  assert.equal(cookieStore.getCookieStringSync(url), 'a=1; b=1')
})

// RFC 9110 section 5.5 lets a recipient keep such a value, and RFC 6265bis section 5.6 has a store ignore it.
test('a cookie with a control character comes to the caller, and not into the store', async () => {
  const cookies = ['a=1\x01', 'b=\x7f; Path=/', 'c=1; \x1b=2', 'd=1']
  await using server = await site({ '/set': noContent(...cookies) })
  await using client = await connect(server, 'tcp', { cookieStore: new CookieJar() })
  const streamRef = gun.get(client.connPid, '/set')
  const { headers } = await client.owner.receive([{ type: 'gun_response', streamRef }], PATIENCE)
  const given = headers.filter(([name]) => name === 'set-cookie')
  assert.deepEqual(
    given.map(([, value]) => value),
    cookies,
  )
  await ask(client, '/')
  assert.deepEqual(server.seen.at(-1), ['/', 'd=1'])
})

onEachVersion('without a store there are no cookies', async line => {
  await using server = await site({ '/set': noContent('a=1') }, line)
  await using client = await connect(server, line)
  await ask(client, '/set')
  await ask(client, '/')
  assert.deepEqual(server.seen, [['/set'], ['/']])
})

onEachVersion('the messages of a response have its set-cookie headers as ever', async line => {
  await using server = await site({ '/set': noContent('a=1') }, line)
  await using client = await connect(server, line, { cookieStore: new CookieJar() })
  const streamRef = gun.get(client.connPid, '/set')
  const { headers } = await client.owner.receive([{ type: 'gun_response', streamRef }], PATIENCE)
  assert.deepEqual(headers[0], ['set-cookie', 'a=1'])
})

onEachVersion('octets come back as they came', async line => {
  const cookies = [
    Buffer.from('à=voilà'),
    Buffer.from('not utf-8=\xff\xa0', 'latin1'),
    Buffer.from('à'),
    Buffer.from('тест="春"'),
  ].map(bytes => bytes.toString('latin1'))
  await using server = await site({ '/set': noContent(...cookies) }, line)
  await using client = await connect(server, line, { cookieStore: new CookieJar() })
  await ask(client, '/set')
  await ask(client, '/')
  assert.deepEqual(server.seen.at(-1), ['/', cookies.join('; ')])
})

onEachVersion('set-cookie in trailers does not count', async line => {
  const answer: Answer = { status: 200, trailers: setting('a=1') }
  await using server = await site({ '/set': answer }, line)
  await using client = await connect(server, line, { cookieStore: new CookieJar() })
  const streamRef = gun.get(client.connPid, '/set')
  await client.owner.receive([{ type: 'gun_trailers', streamRef }], PATIENCE)
  await ask(client, '/')
  assert.deepEqual(server.seen, [['/set'], ['/']])
})

describe('the cookie header', () => {
  test('is the last one', async () => {
    let host = ''
    const requests: [(connPid: gun.ConnPid) => unknown, string][] = [
      [
        connPid => gun.get(connPid, '/', { accept: '*/*' }),
        'GET / HTTP/1.1\r\nhost: \r\naccept: */*\r\ncookie: a=1\r\n\r\n',
      ],
      [
        connPid => gun.request(connPid, 'POST', '/', [], 'abc'),
        'POST / HTTP/1.1\r\nhost: \r\ncontent-length: 3\r\ncookie: a=1\r\n\r\nabc',
      ],
    ]
    await using server = await origin(async peer => {
      for (const [, expected] of requests) {
        const bytes = expected.replace('host: ', `host: ${host}`)
        assert.equal((await peer.receive(bytes.length)).toString('latin1'), bytes)
        await peer.send(NO_CONTENT)
      }
    })
    host = `${server.host}:${server.port}`
    const cookieStore = new CookieJar()
    cookieStore.setCookieSync('a=1', `http://${host}/`)
    await using client = await connect(server, 'tcp', { cookieStore })
    for (const [send] of requests) {
      send(client.connPid)
      await client.owner.receive([{ type: 'gun_response' }], PATIENCE)
    }
  })

  // RFC 6265 section 5.4: there may be only one such field.
  onEachVersion('has what the caller gives first, in the same field', async line => {
    await using server = await site({ '/set': noContent('a=1') }, line)
    await using client = await connect(server, line, { cookieStore: new CookieJar() })
    await ask(client, '/set', { cookie: 'mine=1' })
    await ask(client, '/', { Cookie: 'mine=1' })
    assert.deepEqual(server.seen, [
      ['/set', 'mine=1'],
      ['/', 'mine=1; a=1'],
    ])
  })

  onEachVersion('is for the host that the host header names', async line => {
    await using server = await site(
      {
        '/set': noContent('a=1', 'b=1; Domain=example.com', 'c=1; Domain=example.org'),
      },
      line,
    )
    await using client = await connect(server, line, { cookieStore: new CookieJar() })
    await ask(client, '/set', { host: 'www.example.com' })
    for (const host of ['www.example.com', 'WWW.example.com:8080', 'b.example.com', 'example.org']) {
      await ask(client, '/', { host })
    }
    await ask(client, '/')
    assert.deepEqual(server.seen.slice(1), [['/', 'a=1; b=1'], ['/', 'a=1; b=1'], ['/', 'b=1'], ['/'], ['/']])
  })

  // RFC 9110 section 7.1.
  onEachVersion('of a request for the whole server is that for its root', async line => {
    using it = reporting()
    await using server = await site({ '/set': noContent('a=1; Path=/', 'b=1; Path=/b') }, line)
    await using client = await connect(server, line, { cookieStore: new CookieJar() })
    await ask(client, '/set')
    const streamRef = gun.request(client.connPid, 'OPTIONS', '*', [], '')
    await client.owner.receive([{ type: 'gun_response', streamRef }], PATIENCE)
    assert.deepEqual(server.seen.at(-1), ['*', 'a=1'])
    assert.deepEqual(it.reports, [])
  })
})

describe('pipelined requests', () => {
  for (const kind of kinds) {
    onEachVersion(
      `have the cookies that were there when they were sent, from a store that is ${kind}`,
      async line => {
        await using server = await httpOrigin(line, async peer => {
          const [first, second] = [await peer.request(), await peer.request()]
          assert.deepEqual([first, second].map(cookiesOf), [[], []])
          await first.answer(noContent('a=1', 'b=1'))
          await second.answer(noContent('c=1', 'a=2'))
          assert.deepEqual(cookiesOf(await peer.serve(NOTHING)), ['a=2; b=1; c=1'])
        })
        await using client = await connect(server, line, { cookieStore: jarOf(kind) })
        for (const streamRef of [gun.get(client.connPid, '/1'), gun.get(client.connPid, '/2')]) {
          await client.owner.receive([{ type: 'gun_response', streamRef }], PATIENCE)
        }
        await ask(client, '/3')
        await server.finished()
      },
    )
  }
})

describe('a store that takes its time', () => {
  onEachVersion('keeps requests and their bodies in order', async line => {
    const cookieStore = new SlowStore()
    await using server = await httpOrigin(line, async peer => {
      const got: unknown[] = []
      const asked: Asked[] = []
      for (let i = 0; i < 4; i++) {
        const next = await peer.request()
        asked.push(next)
        const { body } = await next.content()
        got.push([next.path, cookiesOf(next), body])
      }
      assert.deepEqual(got, [
        ['/1', ['n=1'], ''],
        ['/2', ['n=2'], 'ab'],
        ['/3', [], 'abc'],
        ['/4', ['n=4'], ''],
      ])
      for (const each of asked) await each.answer(NOTHING)
    })
    await using client = await connect(server, line, { cookieStore })
    const { connPid, owner } = client
    const first = gun.get(connPid, '/1')
    const second = gun.headers(connPid, 'POST', '/2')
    gun.data(connPid, second, 'nofin', 'a')
    const third = gun.request(connPid, 'POST', '/3', [], 'abc')
    const fourth = gun.get(connPid, '/4')
    await cookieStore.answer('n=1')
    await cookieStore.answer('n=2')
    gun.data(connPid, second, 'fin', 'b')
    await cookieStore.answer('')
    await cookieStore.answer('n=4')
    for (const streamRef of [first, second, third, fourth]) {
      await owner.receive([{ type: 'gun_response', streamRef }], PATIENCE)
    }
    await server.finished()
  })

  test('holds up the request of a connection that is closed, and no more than that', async () => {
    await using _left = assertNothingLeft()
    using it = reporting()
    const cookieStore = new SlowStore()
    let received: Buffer | undefined
    await using server = await origin(async peer => {
      received = await peer.receiveAll().catch(() => Buffer.alloc(0))
    })
    await using client = await connect(server, 'tcp', { cookieStore })
    const streamRef = gun.get(client.connPid, '/')
    await eventually(() => cookieStore.answers.length === 1, 'the store was not asked')
    gun.close(client.connPid)
    assert.equal((await receiveError(client, streamRef)).code, 'shutdown')
    await cookieStore.answer('a=1')
    await server.finished()
    await turn()
    assert.equal(String(received), '')
    assert.deepEqual(it.reports, [])
  })

  test('does not hold up another connection', async () => {
    const cookieStore = new SlowStore()
    await using server = await site({})
    await using slow = await connect(server, 'tcp', { cookieStore })
    await using quick = await connect(server, 'tcp', { cookieStore: new CookieJar() })
    const streamRef = gun.get(slow.connPid, '/slow')
    await ask(quick, '/quick')
    await cookieStore.answer('a=1')
    await slow.owner.receive([{ type: 'gun_response', streamRef }], PATIENCE)
    assert.deepEqual(server.seen, [['/quick'], ['/slow', 'a=1']])
  })
})

describe('a store that calls back', () => {
  interface Calls {
    readonly connPid: gun.ConnPid
    readonly second: gun.StreamRef
    readonly third: gun.StreamRef
  }
  const answered = 'gun_response'
  const failed = 'gun_error'
  for (const [what, act, outcomes] of [
    ['cancels the request', it => gun.cancel(it.connPid, it.second), [answered, 'nothing', answered]],
    ['cancels the next request', it => gun.cancel(it.connPid, it.third), [answered, answered, 'nothing']],
    ['makes another request', it => gun.get(it.connPid, '/4'), [answered, answered, answered]],
    ['shuts the connection down', it => gun.shutdown(it.connPid), [answered, answered, answered]],
    ['closes the connection', it => gun.close(it.connPid), [failed, failed, failed]],
  ] as const satisfies readonly (readonly [string, (it: Calls) => unknown, readonly string[]])[]) {
    onEachVersion(`and ${what} has each request told of once`, async line => {
      let calls = 0
      let it: Calls | undefined
      const cookieStore = {
        store: { synchronous: true },
        getCookieString: async () => '',
        setCookie: async () => {},
        setCookieSync: () => {},
        getCookieStringSync: () => {
          const { connPid } = client
          if (++calls === 1) it = { connPid, second: gun.get(connPid, '/2'), third: gun.get(connPid, '/3') }
          else if (calls === 2 && it !== undefined) act(it)
          return ''
        },
      }
      await using server = await site({}, line)
      await using client = await connect(server, line, { cookieStore, retry: 0 })
      const { connPid, owner } = client
      const first = gun.get(connPid, '/1')
      assert.ok(it !== undefined)
      const asked = [first, it.second, it.third]
      for (const [i, streamRef] of asked.entries()) {
        if (outcomes[i] === 'nothing') continue
        const { type } = await owner.receive([{ streamRef }], PATIENCE)
        assert.equal(type, outcomes[i], `of request ${i + 1}`)
      }
      for (const streamRef of asked) assert.equal(gun.flush(streamRef), 0)
      const served = asked.flatMap((_, i) => (outcomes[i] === answered ? [`/${i + 1}`] : []))
      assert.deepEqual(
        server.seen.map(([path]) => path).filter(path => path !== '/4'),
        served,
      )
    })
  }
})

describe('a store that fails', () => {
  for (const synchronous of [true, false]) {
    const kind = synchronous ? 'synchronous' : 'asynchronous'
    const broken = new Error('broken')
    const fail = (): never => {
      throw broken
    }
    const methods = { getCookieString: fail, setCookie: fail, getCookieStringSync: fail, setCookieSync: fail }

    test(`is reported and changes nothing else, when it is ${kind}`, async () => {
      await using _left = assertNothingLeft()
      using it = reporting()
      await using server = await site({ '/set': noContent('a=1', 'b=1') })
      await using client = await connect(server, 'tcp', {
        cookieStore: { store: { synchronous }, ...methods },
      })
      await ask(client, '/set')
      await ask(client, '/')
      assert.deepEqual(server.seen, [['/set'], ['/']])
      // One call for each request, and one for each cookie.
      assert.deepEqual(
        it.reports,
        Array.from({ length: 4 }, () => [client.connPid, broken]),
      )
    })

    test(`cannot add a header, when it is ${kind}`, async () => {
      using it = reporting()
      const value = 'a=1\r\nx-evil: 1'
      await using server = await site({})
      await using client = await connect(server, 'tcp', {
        cookieStore: {
          store: { synchronous },
          ...methods,
          getCookieString: async () => value,
          getCookieStringSync: () => value,
        },
      })
      await ask(client, '/')
      assert.deepEqual(server.seen, [['/']])
      assert.equal(it.reports.length, 1)
    })
  }
})

describe('a jar', () => {
  test('may be shared by connections', async () => {
    const cookieStore = new CookieJar()
    await using server = await site({ '/1': noContent('one=1'), '/2': noContent('two=2') })
    await using one = await connect(server, 'tcp', { cookieStore })
    await using two = await connect(server, 'tcp', { cookieStore })
    await ask(one, '/1')
    await ask(two, '/2')
    await ask(one, '/')
    assert.deepEqual(server.seen, [['/1'], ['/2', 'one=1'], ['/', 'one=1; two=2']])
  })

  test('keeps what is secure from connections that are not', async () => {
    const cookieStore = new CookieJar(undefined, { allowSecureOnLocal: false })
    await using secure = await site(
      { '/set': noContent('a=1; Secure', 'b=1') },
      {
        version: 'http',
        transport: 'tls',
      },
    )
    await using plain = await site({})
    await using one = await connect(secure, 'tls', { cookieStore })
    await using two = await connect(plain, 'tcp', { cookieStore })
    await ask(one, '/set')
    await ask(one, '/')
    await ask(two, '/')
    assert.deepEqual(secure.seen.at(-1), ['/', 'a=1; b=1'])
    assert.deepEqual(plain.seen, [['/', 'b=1']])
  })

  test('outlives the socket', async () => {
    await using server = await site({
      '/set': { status: 204, fields: [...setting('a=1; Path=/'), ['connection', 'close']] },
    })
    await using client = await connect(server, 'tcp', {
      cookieStore: new CookieJar(),
      retryFun: () => ({ retries: 1, timeout: 0 }),
    })
    await ask(client, '/set')
    await ask(client, '/')
    assert.equal(server.connections, 2)
    assert.deepEqual(server.seen, [['/set'], ['/', 'a=1']])
  })
})

describe('an upgrade to WebSocket', () => {
  /** Agrees to upgrades, with these cookies; everything else is answered with a 204. */
  async function upgrading(transport: Transport, setCookies: readonly string[]): Promise<Site> {
    const seen: Site['seen'] = []
    const script = async (peer: Peer): Promise<void> => {
      const request = await peer.receiveRequest()
      const cookies = request.headers.filter(([name]) => name === 'cookie').map(([, value]) => value)
      seen.push([request.path, ...cookies])
      const isUpgrade = request.header('upgrade') !== undefined
      const added = setCookies.map(line => ['Set-Cookie', line] as const)
      await peer.send(
        isUpgrade
          ? switchingProtocols(request, added)
          : 'HTTP/1.1 204 No Content\r\nSet-Cookie: http=1; Path=/\r\n\r\n',
      )
      await peer.closed
    }
    return Object.assign(await origin(script, { transport }), { seen })
  }

  for (const transport of ['tcp', 'tls'] as const) {
    for (const kind of kinds) {
      test(`sends cookies and keeps those of the 101, over ${transport}, with a store that is ${kind}`, async () => {
        await using _left = assertNothingLeft()
        const cookieStore = jarOf(kind)
        await using server = await upgrading(transport, ['ws=1', 'safe=1; Secure'])
        {
          await using client = await connect(server, transport, { cookieStore })
          await ask(client, '/')
        }
        {
          await using client = await connect(server, transport, { cookieStore })
          const streamRef = gun.wsUpgrade(client.connPid, '/ws', { cookie: 'mine=1' })
          await client.owner.receive([{ type: 'gun_upgrade', streamRef }], PATIENCE)
        }
        await using client = await connect(server, transport, { cookieStore })
        await ask(client, '/')
        assert.deepEqual(server.seen, [
          ['/'],
          ['/ws', 'mine=1; http=1'],
          ['/', transport === 'tls' ? 'http=1; ws=1; safe=1' : 'http=1; ws=1'],
        ])
      })
    }
  }

  test('has an informational response, whose cookies may be ignored', async () => {
    const cookieStore = new CookieJar()
    await using server = await upgrading('tcp', ['ws=1'])
    await using client = await connect(server, 'tcp', {
      cookieStore,
      httpOpts: { cookieIgnoreInformational: true },
    })
    const streamRef = gun.wsUpgrade(client.connPid, '/ws')
    await client.owner.receive([{ type: 'gun_upgrade', streamRef }], PATIENCE)
    assert.equal(cookieStore.getCookieStringSync(`http://${server.host}:${server.port}/`), '')
  })

  test('that is refused has a response like any other', async () => {
    await using server = await site({ '/ws': noContent('a=1') })
    await using client = await connect(server, 'tcp', { cookieStore: new CookieJar() })
    const streamRef = gun.wsUpgrade(client.connPid, '/ws')
    await client.owner.receive([{ type: 'gun_response', streamRef }], PATIENCE)
    await ask(client, '/')
    assert.deepEqual(server.seen, [['/ws'], ['/', 'a=1']])
  })

  test('waits for a store that takes its time', async () => {
    const cookieStore = new SlowStore()
    let cookie: string | undefined
    await using server = await websocketServer({
      onConnection: (_socket, request) => {
        cookie = request.headers.cookie
      },
    })
    await using client = await connect(server, 'tcp', { cookieStore })
    const streamRef = gun.wsUpgrade(client.connPid, '/')
    await cookieStore.answer('a=1')
    await client.owner.receive([{ type: 'gun_upgrade', streamRef }], PATIENCE)
    gun.wsSend(client.connPid, streamRef, 'close')
    assert.equal(cookie, 'a=1')
  })
})
