/** A proxy that asks for credentials gets those of its URL, then those of `proxyAuth`, and nobody else hears of them. */

import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { defer, eventually, PATIENCE } from '../support/client.ts'
import { mockTimeouts } from '../support/clock.ts'
import { assertNothingLeft, collectWarnings } from '../support/leftovers.ts'
import { failure, open, originOpts, proxied, type Scheme, startProxies } from '../support/proxied.ts'
import { HELLO, tunnelOrigin } from '../support/tunnel-origins.ts'
import type { ConnectRequest, HttpProxyAnswer, HttpProxyOptions } from '../support/tunnel-proxies.ts'

const basic = (user: string) => `Basic ${Buffer.from(user).toString('base64')}`
const right = { username: 'joe', password: 'open sesame' } as const
const RIGHT = basic('joe:open sesame')
const challenge = [['proxy-authenticate', 'Basic realm="the proxy"']] as const

/** Asks for credentials in one way or another, unless the right ones are there. */
const guarded =
  (refusal: Exclude<HttpProxyAnswer, string> = { status: 407, headers: challenge, body: 'who are you?' }) =>
  (request: ConnectRequest): HttpProxyAnswer | undefined =>
    request.header('proxy-authorization') === RIGHT ? undefined : refusal

const sent = (requests: readonly ConnectRequest[]) =>
  requests.map(request => request.header('proxy-authorization'))

interface Asked {
  readonly challenges: readonly gun.ProxyChallenge[]
  readonly proxy: URL
}

interface SceneOptions {
  readonly scheme?: 'http' | 'https'
  /** The part of the proxy's URL before the host. */
  readonly user?: string
  readonly answer?: NonNullable<HttpProxyOptions['answer']>
  readonly opts?: gun.Opts
  readonly auth?: (asked: Asked, index: number) => ReturnType<gun.ProxyAuth>
}

/** A connection through one proxy that asks for credentials. */
async function scene({ scheme = 'http', user = '', answer = guarded(), opts = {}, auth }: SceneOptions = {}) {
  const origin = await tunnelOrigin('http')
  const proxies = await startProxies([scheme], [{ answer }])
  const [proxy] = proxies.proxy
  const asked: Asked[] = []
  const url = String(proxy?.url).replace('://', `://${user}`)
  const proxyAuth: gun.ProxyAuth | undefined =
    auth &&
    ((challenges, named) => {
      asked.push({ challenges, proxy: named })
      return auth({ challenges, proxy: named }, asked.length - 1)
    })
  const client = open(origin, {
    proxy: { ...proxy, url },
    ...(proxyAuth && { proxyAuth }),
    ...opts,
  })
  const [server] = proxies.list
  return {
    ...client,
    asked,
    name: proxies.names[0],
    server: server as NonNullable<typeof server>,
    requests: (server?.requests ?? []) as readonly ConnectRequest[],
    async up() {
      assert.equal(await gun.awaitUp(client.connPid, PATIENCE), 'http')
      const { body } = await gun.awaitResponse(client.connPid, gun.get(client.connPid, '/'), PATIENCE)
      assert.equal(String(body), HELLO)
    },
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]()
      await proxies[Symbol.asyncDispose]()
      await origin.close()
    },
  }
}

for (const scheme of ['http', 'https'] as const) {
  describe(`over ${scheme}`, () => {
    test('the credentials of the URL go with the first CONNECT', async () => {
      await using it = await scene({ scheme, user: 'joe:open%20sesame@' })
      await it.up()
      assert.deepEqual(sent(it.requests), [RIGHT])
    })

    test('proxyAuth answers over the same connection', async () => {
      await using it = await scene({ scheme, auth: () => right })
      await it.up()
      assert.deepEqual(sent(it.requests), [undefined, RIGHT])
      assert.equal(it.server.connections, 1)
      const [{ challenges, proxy } = assert.fail()] = it.asked
      assert.deepEqual(challenges, [{ scheme: 'basic', realm: 'the proxy', text: 'Basic realm="the proxy"' }])
      assert.equal(proxy.href, `${scheme}://localhost:${it.server.port}/`)
    })
  })
}

const answers: Readonly<Record<string, NonNullable<SceneOptions['auth']>>> = {
  'at once': () => right,
  'by a promise': async () => right,
  'by another thenable': () =>
    // biome-ignore lint/suspicious/noThenProperty: the object stands for the promises of a library.
    ({ then: (resolve: (value: unknown) => void) => resolve(right) }) as unknown as Promise<gun.ProxyUser>,
  'by a whole value': () => RIGHT,
  'by a promise of a whole value': async () => RIGHT,
}
for (const [how, auth] of Object.entries(answers)) {
  test(`proxyAuth answers ${how}`, async () => {
    await using it = await scene({ auth })
    await it.up()
    assert.deepEqual(sent(it.requests), [undefined, RIGHT])
  })
}

test('credentials in the URL that are wrong lead to proxyAuth', async () => {
  await using it = await scene({ user: 'joe:wrong@', auth: () => right })
  await it.up()
  assert.deepEqual(sent(it.requests), [basic('joe:wrong'), RIGHT])
})

test('a header field of the caller wins over the credentials of the URL, and proxyAuth over both', async () => {
  await using it = await scene({ auth: () => right })
  gun.close(it.connPid)
  await using origin = await tunnelOrigin('http')
  const url = `http://joe:wrong@localhost:${it.server.port}`
  const headers = { 'Proxy-Authorization': 'Basic given', 'user-agent': 'tests' }
  await using client = open(origin, { proxy: { url, headers }, proxyAuth: () => right })
  assert.equal(await gun.awaitUp(client.connPid, PATIENCE), 'http')
  const requests = it.requests.slice(-2)
  assert.deepEqual(sent(requests), ['Basic given', RIGHT])
  for (const request of requests) {
    const named = request.headers.filter(([name]) => /^proxy-authorization$/i.test(name))
    assert.equal(named.length, 1)
    assert.equal(request.header('user-agent'), 'tests')
  }
})

/** 2 GB, in parts of 1 MiB, which the proxy only makes as they are read. */
function* endless(): Generator<Uint8Array> {
  const part = Buffer.alloc(1024 * 1024)
  for (let i = 0; i < 2048; i++) yield part
}

const refusals: Readonly<Record<string, Exclude<HttpProxyAnswer, string>>> = {
  'with a body': { status: 407, headers: challenge, body: 'who are you?' },
  'without a body': { status: 407, headers: challenge },
  'with a body and an end that it announces': {
    status: 407,
    headers: [...challenge, ['connection', 'close']],
    body: 'who are you?',
    isLast: true,
  },
  'without a body and an end that it announces': {
    status: 407,
    headers: [...challenge, ['connection', 'close']],
    isLast: true,
  },
  'with a body and an end that it does not announce': {
    status: 407,
    headers: challenge,
    body: 'who are you?',
    isLast: true,
  },
  'without a body and an end that it does not announce': { status: 407, headers: challenge, isLast: true },
  'with a body that its end ends': Buffer.from(
    'HTTP/1.0 407 No\r\nProxy-Authenticate: Basic realm="the proxy"\r\n\r\nwho are you?',
  ),
  'with trailers': Buffer.from(
    'HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="the proxy"\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx: y\r\n\r\n',
  ),
  'with a body of 2 GB': {
    status: 407,
    headers: [...challenge, ['content-length', String(2048 * 1024 * 1024)]],
    body: { [Symbol.iterator]: endless },
  },
}
for (const [how, refusal] of Object.entries(refusals)) {
  // Behind exact bytes the scripted proxy takes no other request over the same connection.
  const ends = refusal instanceof Uint8Array
  const answer: HttpProxyOptions['answer'] = request => guarded(refusal)(request)
  for (const [when, auth] of [
    ['at once', () => right],
    ['later', async () => right],
  ] as const) {
    test(`a refusal ${how} is answered ${when}`, async () => {
      await using _left = assertNothingLeft()
      await using it = await scene({ auth, answer })
      if (ends) {
        await eventually(() => it.server.openTunnels === 1, 'the proxy did not answer')
        it.server.closeTunnel()
      }
      await it.up()
      assert.deepEqual(sent(it.requests), [undefined, RIGHT])
    })

    test(`a refusal ${how} that nobody answers, ${when}, is an error`, async () => {
      await using _left = assertNothingLeft()
      const none = when === 'at once' ? {} : { auth: async () => undefined }
      await using it = await scene({ ...none, answer, opts: { retry: 3 } })
      const { code, isPermanent, message } = await failure(it)
      assert.equal(code, 'proxy_auth')
      assert.equal(isPermanent, true)
      assert.ok(message.startsWith(`${it.name}: it asks for credentials (it takes basic)`), message)
      assert.deepEqual(sent(it.requests), [undefined])
    })
  }
}

test('a refusal too large to be read ends its connection while the caller is still asked', async () => {
  await using _left = assertNothingLeft()
  const { promise, resolve } = defer<gun.ProxyUser>()
  await using it = await scene({
    auth: () => promise,
    answer: guarded(refusals['with a body of 2 GB']),
  })
  await eventually(() => it.asked.length === 1, 'nobody was asked')
  resolve(right)
  await it.up()
})

test('a refusal whose body stalls is limited in time', async () => {
  await using _left = assertNothingLeft()
  const stalling = Buffer.from(
    'HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="x"\r\nContent-Length: 100\r\n\r\nwho',
  )
  await using it = await scene({
    auth: () => right,
    answer: guarded(stalling),
    opts: { connectTimeout: 500 },
  })
  const { code, message } = await failure(it)
  assert.equal(code, 'connect_timeout')
  assert.equal(message, `${it.name}: connectTimeout of 500 ms has passed`)
})

test('wrong credentials without proxyAuth are an error, and are not tried again', async () => {
  await using it = await scene({ user: 'joe:wrong@', opts: { retry: 5 } })
  const { code, message } = await failure(it)
  assert.equal(code, 'proxy_auth')
  assert.equal(message, `${it.name}: it does not accept the credentials that it was given (it takes basic)`)
  assert.deepEqual(sent(it.requests), [basic('joe:wrong')])
})

test('proxyAuth is asked three times in a row at most', async () => {
  await using it = await scene({
    auth: (_, index) => ({ username: 'joe', password: `wrong ${index}` }),
    opts: { retry: 5 },
  })
  const { code, message } = await failure(it)
  assert.equal(code, 'proxy_auth')
  assert.equal(message, `${it.name}: it does not accept the credentials that it was given (it takes basic)`)
  assert.deepEqual(sent(it.requests), [
    undefined,
    basic('joe:wrong 0'),
    basic('joe:wrong 1'),
    basic('joe:wrong 2'),
  ])
})

test('a proxy that refuses right credentials has the last word', async () => {
  const answer = () => ({ status: 407, headers: challenge })
  await using it = await scene({ auth: () => right, answer })
  assert.equal((await failure(it)).code, 'proxy_auth')
  assert.equal(it.asked.length, 3)
})

test('a refusal without a challenge is answered as well', async () => {
  await using it = await scene({ auth: () => right, answer: guarded({ status: 407 }) })
  await it.up()
  assert.deepEqual(it.asked[0]?.challenges, [])
})

test('credentials are kept for the next connection, and the caller may be asked again', async () => {
  const accepted = new Set([RIGHT])
  const answer = (request: ConnectRequest): HttpProxyAnswer | undefined =>
    accepted.has(request.header('proxy-authorization') ?? '')
      ? undefined
      : { status: 407, headers: challenge }
  await using it = await scene({
    answer,
    auth: (_, index) => ({ ...right, password: index === 0 ? right.password : `${index}` }),
    opts: { retry: 5, retryTimeout: 10 },
  })
  await it.up()
  const again = async () => {
    it.server.resetTunnel()
    await it.owner.receive([{ type: 'gun_down', connPid: it.connPid }], PATIENCE)
    await it.owner.receive([{ type: 'gun_up', connPid: it.connPid }], PATIENCE)
    await gun.awaitResponse(it.connPid, gun.get(it.connPid, '/'), PATIENCE)
  }
  await again()
  assert.deepEqual(sent(it.requests), [undefined, RIGHT, RIGHT])
  // The password has changed, three times over.
  for (const password of ['1', '2', '3', '4', '5']) {
    accepted.clear()
    accepted.add(basic(`joe:${password}`))
    await again()
    assert.equal(sent(it.requests).at(-1), basic(`joe:${password}`))
  }
})

const wrong: Readonly<Record<string, readonly [auth: NonNullable<SceneOptions['auth']>, text: RegExp]>> = {
  throws: [
    () => {
      throw new Error('no vault')
    },
    /: proxyAuth failed: no vault$/,
  ],
  rejects: [async () => assert.fail('no vault'), /: proxyAuth failed: no vault$/],
  'gives no string': [() => 7 as never, /: proxyAuth must return/],
  'gives null': [() => null as never, /: proxyAuth must return/],
  'gives a promise of a list': [async () => [] as never, /: proxyAuth must return/],
  'gives a line break': [() => 'Basic x\r\nHost: y', /: proxyAuth must return/],
  'gives nothing at all': [() => '', /: proxyAuth must return/],
  'gives a name with a colon': [() => ({ username: 'a:b', password: '' }), /: proxyAuth must return/],
  'gives a password with a control character': [
    () => ({ username: 'a', password: '\u0007' }),
    /: proxyAuth must return/,
  ],
  'gives no password': [() => ({ username: 'a' }) as never, /: proxyAuth must return/],
  'gives a getter that throws': [
    async () => Object.defineProperty({} as gun.ProxyUser, 'username', { get: () => assert.fail('mine') }),
    /: proxyAuth failed: mine$/,
  ],
}
for (const [how, [auth, text]] of Object.entries(wrong)) {
  test(`a proxyAuth that ${how} ends the connection`, async () => {
    await using _left = assertNothingLeft()
    await using calm = collectWarnings()
    await using it = await scene({ auth, opts: { retry: 5 } })
    const { code, message, isPermanent } = await failure(it)
    assert.equal(code, 'bad_option')
    assert.equal(isPermanent, true)
    assert.ok(message.startsWith(`${it.name}: `), message)
    assert.match(message, text)
    await calm.assertNone()
  })
}

for (const [how, end] of Object.entries({
  close: ({ connPid }: { connPid: gun.ConnPid }) => gun.close(connPid),
  shutdown: ({ connPid }: { connPid: gun.ConnPid }) => gun.shutdown(connPid),
  'the exit of the owner': ({ owner }: { owner: { exit(): void } }) => owner.exit(),
})) {
  test(`${how} ends a connection whose proxyAuth never answers`, async () => {
    await using _left = assertNothingLeft()
    const { promise, resolve } = defer<gun.ProxyUser>()
    await using it = await scene({ auth: () => promise })
    await eventually(() => it.asked.length === 1, 'nobody was asked')
    const watcher = createProcess()
    watcher.monitor(it.connPid)
    end(it)
    await watcher.receive([{ type: 'DOWN' }], PATIENCE)
    watcher.exit()
    resolve(right)
    await eventually(() => it.server.openTunnels === 0, 'the tunnel is open')
    assert.deepEqual(sent(it.requests), [undefined])
  })
}

test('the caller is asked however long that takes', async t => {
  const pass = mockTimeouts(t)
  const { promise, resolve } = defer<gun.ProxyUser>()
  await using it = await scene({ auth: () => promise, opts: { connectTimeout: 1000 } })
  await eventually(() => it.asked.length === 1, 'nobody was asked')
  await pass(1500)
  resolve(right)
  await it.up()
})

test('each proxy of a chain gets its own credentials', async () => {
  await using origin = await tunnelOrigin('https')
  const user = (request: ConnectRequest, value: string): HttpProxyAnswer | undefined =>
    request.header('proxy-authorization') === value ? undefined : { status: 407, headers: challenge }
  await using proxies = await startProxies(
    ['http', 'https', 'http'],
    ['a:1', 'b:2', 'c:3'].map(value => ({
      answer: (request: ConnectRequest) => user(request, basic(value)),
    })),
  )
  const names = new Map(proxies.list.map(({ port }, i) => [String(port), 'abc'[i] ?? '']))
  await using client = open(origin, {
    ...originOpts.https,
    proxy: proxies.proxy,
    proxyAuth: async (_, { port }) => {
      const username = names.get(port) ?? ''
      return { username, password: String('abc'.indexOf(username) + 1) }
    },
  })
  assert.equal(await gun.awaitUp(client.connPid, PATIENCE), 'http')
  assert.deepEqual(
    proxies.list.map(({ requests }) => sent(requests as readonly ConnectRequest[])),
    [
      [undefined, basic('a:1')],
      [undefined, basic('b:2')],
      [undefined, basic('c:3')],
    ],
  )
})

test('a SOCKS5 server that wants a name and a password gets those of its URL', async () => {
  await using origin = await tunnelOrigin('http')
  await using proxies = await startProxies(['socks5h'], [{ auth: right }])
  const [socks = assert.fail()] = proxies.list
  const url = (user: string) => `socks5h://${user}localhost:${socks.port}`
  await using client = open(origin, { proxy: url('joe:open%20sesame@') })
  assert.equal(await gun.awaitUp(client.connPid, PATIENCE), 'http')
  for (const [user, text] of [
    ['', 'asks for credentials, and none were given: give them in the URL of the proxy'],
    ['joe:wrong@', 'refused the name and the password'],
  ] as const) {
    await using other = open(origin, { proxy: url(user), retry: 5 })
    const { code, message, isPermanent, cause } = await failure(other)
    assert.deepEqual([code, isPermanent], ['proxy_auth', true])
    assert.ok(message.startsWith(`the proxy socks5h://localhost:${socks.port}: `), message)
    assert.ok(message.includes(text), message)
    assert.match((cause as gun.GunError).code, /^socks_/)
  }
})

const eventNames: readonly gun.EventName[] = [
  'init',
  'domainLookupStart',
  'domainLookupEnd',
  'connectStart',
  'connectEnd',
  'tlsHandshakeStart',
  'tlsHandshakeEnd',
  'requestPostponed',
  'requestStart',
  'requestHeaders',
  'requestEnd',
  'responseStart',
  'responseInform',
  'responseHeaders',
  'responseTrailers',
  'responseEnd',
  'protocolChanged',
  'originChanged',
  'cancel',
  'disconnect',
  'terminate',
]

const secrets = ['open sesame', 'sesame', Buffer.from('joe:open sesame').toString('base64')]

/** Everything that is told of a connection, as text; what is cut short in print is looked into as well. */
async function told(scheme: Scheme, opts: gun.Opts, isRefused: boolean): Promise<string> {
  const heard: unknown[] = []
  const hear = (event: unknown) => heard.push(event)
  const eventHandler = Object.fromEntries(eventNames.map(name => [name, hear])) as gun.EventHandler
  for (const name of eventNames) subscribe(`holster:gun:${name}`, hear)
  const answer = isRefused ? () => ({ status: 407, headers: challenge }) : guarded()
  const isHttp = scheme.startsWith('http')
  await using origin = await tunnelOrigin('http')
  await using proxies = await startProxies(
    [scheme],
    [isHttp ? { answer } : { auth: isRefused ? { ...right, password: 'other' } : right }],
  )
  const [{ url } = assert.fail(), [{ port } = assert.fail()]] = [proxies.proxy[0], proxies.list] as const
  const user = isHttp && opts.proxyAuth !== undefined ? '' : 'joe:open%20sesame@'
  await using client = open(origin, {
    proxy: [{ ...proxies.proxy[0], url: String(url).replace('://', `://${user}`) }],
    eventHandler,
    trace: line => heard.push(line),
    ...opts,
  })
  if (isRefused) heard.push(await failure(client))
  else await gun.awaitUp(client.connPid, PATIENCE)
  heard.push(client.connPid, client.owner)
  if (!isRefused) {
    heard.push(gun.info(client.connPid))
    gun.close(client.connPid)
  }
  for (const name of eventNames) unsubscribe(`holster:gun:${name}`, hear)
  assert.ok(heard.length > 10 && port > 0)
  // The caller's own functions and sockets of Node are not ours to show or hide.
  const errors = heard.filter(each => each instanceof Error)
  return [
    ...heard.map(each => inspect(each, { depth: 8, maxStringLength: null, showHidden: true })),
    ...errors.flatMap(error => [String(error), error.stack, inspect(error.cause)]),
  ].join('\n')
}

for (const scheme of ['http', 'https', 'socks5', 'socks5h'] as const) {
  for (const isRefused of [false, true]) {
    for (const from of scheme.startsWith('http') ? (['URL', 'proxyAuth'] as const) : (['URL'] as const)) {
      const what = `${isRefused ? 'refused' : 'accepted'} over ${scheme}`
      test(`nobody is told of the credentials of ${from} that are ${what}`, async () => {
        const text = await told(scheme, from === 'URL' ? {} : { proxyAuth: () => right }, isRefused)
        for (const secret of secrets) {
          const at = text.indexOf(secret)
          assert.equal(at, -1, text.slice(at - 300, at + 100))
          assert.equal(text.includes(encodeURIComponent(secret)), false)
        }
      })
    }
  }
}

test('the options that events carry name the proxies, without names and passwords', async () => {
  let told: gun.ProxyChoice | undefined
  await using it = await proxied(['http', 'socks5h'], 'http', {
    eventHandler: {
      init({ opts }) {
        told = opts.proxy
      },
    },
  })
  assert.deepEqual(
    (told as readonly gun.ProxyOpts[]).map(({ url }) => url),
    it.proxies.proxy.map(({ url }) => url),
  )
})
