// CONNECT over real sockets (RFC 9110 section 9.3.6): what a proxy is asked, and what comes of each of its answers.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { type Client, connect, eventually, PATIENCE, receiveError } from '../support/client.ts'
import * as h2 from '../support/http2-frames.ts'
import { scene } from '../support/http2-scene.ts'
import { type Line, lineName } from '../support/line.ts'
import { HELLO, tunnelOrigin } from '../support/tunnel-origins.ts'
import {
  type ConnectRequest,
  type ConnectResponse,
  http2Proxy,
  httpProxy,
  type TunnelProxy,
} from '../support/tunnel-proxies.ts'

const lines: readonly Line[] = [
  { version: 'http', transport: 'tcp' },
  { version: 'http', transport: 'tls' },
  { version: 'http2', transport: 'tcp' },
  { version: 'http2', transport: 'tls' },
]
const GREETING = { http: 'Hello over HTTP', http2: 'Hello over HTTP/2' } as const

interface Scene extends Client {
  readonly line: Line
  readonly proxy: TunnelProxy<ConnectRequest>
}

type Answers = readonly (ConnectResponse | undefined)[]

/** A test for each kind of proxy, which gives these answers one after the other, and then leads to wherever it is asked to. */
function onEachProxy(
  name: string,
  answers: Answers,
  run: (it: Scene) => Promise<void>,
  opts: gun.Opts = {},
): void {
  for (const line of lines) {
    test(`${name}, over ${lineName(line)}`, async () => {
      const transport = line.transport === 'tls' ? 'tls' : 'tcp'
      const given = { transport, answer: (_: ConnectRequest, index: number) => answers[index] } as const
      await using proxy = line.version === 'http' ? await httpProxy(given) : await http2Proxy(given)
      await using client = await connect(proxy, line, { retry: 0, ...opts })
      await run({ ...client, line, proxy })
      assert.equal(client.owner.messageQueueLength, 0)
    })
  }
}

const nowhere: ConnectResponse = { leadsTo: 'nowhere' }

/** Waits until a tunnel is up, and gives the response. */
async function receiveUp({ connPid }: Scene, streamRef: gun.StreamRef): Promise<gun.GunResponse> {
  const answer = await gun.await(connPid, streamRef, PATIENCE)
  assert.ok(answer.type === 'gun_response')
  assert.equal(answer.isFin, 'fin')
  assert.equal((await gun.await(connPid, streamRef, PATIENCE)).type, 'gun_tunnel_up')
  return answer
}

/** Asks the proxy itself, which is spoken to as before. */
async function greet({ connPid, line }: Scene): Promise<void> {
  const { body } = await gun.awaitResponse(connPid, gun.get(connPid, '/'), PATIENCE)
  assert.equal(String(body), GREETING[line.version])
}

const authorities: readonly (readonly [host: string, authority: string])[] = [
  ['localhost', 'localhost:443'],
  ['127.0.0.1', '127.0.0.1:443'],
  ['::1', '[::1]:443'],
  ['bücher.example', 'xn--bcher-kva.example:443'],
]

for (const [host, authority] of authorities) {
  onEachProxy(`a proxy is asked for ${host} in the authority form`, [nowhere], async it => {
    await receiveUp(it, gun.connect(it.connPid, { host, port: 443, protocols: ['raw'] }))
    const request = await it.proxy.request()
    assert.equal(request.authority, authority)
    if (it.line.version === 'http') {
      assert.equal(String(request.bytes), `CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n\r\n`)
    } else {
      const names = request.headers.map(([name]) => name)
      assert.deepEqual(names.toSorted(), [':authority', ':method'])
    }
  })
}

const credentials: readonly (readonly [
  name: string,
  end: Pick<gun.ConnectDestination, 'username' | 'password'>,
  headers: Record<string, string>,
  sent: string | undefined,
])[] = [
  [
    'a name and a password',
    { username: 'essen', password: 'myrealpasswordis' },
    {},
    'essen:myrealpasswordis',
  ],
  ['a password in UTF-8 with colons', { username: 'ü', password: 'a:b' }, {}, 'ü:a:b'],
  ['a name alone', { username: 'essen' }, {}, undefined],
  ['nothing', {}, {}, undefined],
]

for (const [name, end, headers, sent] of credentials) {
  onEachProxy(`${name} is sent as proxy-authorization says`, [nowhere], async it => {
    await receiveUp(
      it,
      gun.connect(it.connPid, { host: 'a.test', port: 1, protocols: ['raw'], ...end }, headers),
    )
    const value = (await it.proxy.request()).header('proxy-authorization')
    assert.equal(value, sent === undefined ? undefined : `Basic ${Buffer.from(sent).toString('base64')}`)
  })
}

onEachProxy("the caller's own header fields are sent, and outrank the credentials", [nowhere], async it => {
  const end = { host: 'a.test', port: 1, protocols: ['raw'], username: 'u', password: 'p' } as const
  const headers = [
    ['User-Agent', 'holster'],
    ['x-twice', '1'],
    ['x-twice', '2'],
    ['Proxy-Authorization', 'Bearer abc'],
  ] as const
  await receiveUp(it, gun.connect(it.connPid, end, headers))
  const request = await it.proxy.request()
  assert.deepEqual(
    request.headers.filter(([name]) => !name.startsWith(':') && name !== 'host'),
    headers.map(([name, value]) => [name.toLowerCase(), value]),
  )
})

onEachProxy('a header field that could harm the connection is refused', [nowhere], async it => {
  const end = { host: 'a.test', port: 1, protocols: ['raw'] } as const
  assert.throws(() => gun.connect(it.connPid, end, { 'x-bad': 'a\r\nb' }))
  assert.throws(() => gun.connect(it.connPid, end, { 'x bad': 'a' }))
  await receiveUp(it, gun.connect(it.connPid, end))
  assert.equal(it.proxy.requests.length, 1)
})

test('over HTTP/1.1 such a field is sent where the caller says so', async () => {
  await using proxy = await httpProxy({ answer: () => nowhere })
  await using client = await connect(proxy)
  const end = { host: 'a.test', port: 1, protocols: ['raw'] } as const
  gun.connect(client.connPid, end, { 'x bad': 'a' }, { invalidRequestHeaders: 'ignore' })
  assert.match(String((await proxy.request()).bytes), /\r\nx bad: a\r\n/)
})

for (const status of [200, 201, 202, 206, 299]) {
  onEachProxy(`a ${status} opens the tunnel`, [{ status }], async it => {
    await using origin = await tunnelOrigin('http')
    const tunnel = gun.connect(it.connPid, { host: 'localhost', port: origin.port })
    assert.equal((await receiveUp(it, tunnel)).status, status)
    const { body } = await gun.awaitResponse(it.connPid, gun.get(it.connPid, '/', {}, { tunnel }), PATIENCE)
    assert.equal(String(body), HELLO)
    assert.equal(origin.requests[0]?.authority, `localhost:${origin.port}`)
  })
}

// A server of node:http2 ends a stream with these.
for (const status of [204, 205]) {
  test(`a ${status} opens the tunnel, over HTTP/1.1`, async () => {
    await using proxy = await httpProxy({ answer: () => ({ ...nowhere, status }) })
    await using client = await connect(proxy)
    const it = { ...client, line: { version: 'http', transport: 'tcp' }, proxy } as const
    await receiveUp(it, gun.connect(it.connPid, { host: 'a.test', port: 1, protocols: ['raw'] }))
  })

  test(`a ${status} opens the tunnel, over HTTP/2`, async () => {
    await using it = await scene()
    const streamRef = gun.connect(it.connPid, { host: 'a.test', port: 1, protocols: ['raw'] })
    const { streamId } = await it.peer.request()
    await it.peer.send([h2.headers(streamId, [[':status', String(status)]]), h2.data(streamId, 'raw')])
    assert.equal((await gun.await(it.connPid, streamRef, PATIENCE)).type, 'gun_response')
    assert.equal((await gun.await(it.connPid, streamRef, PATIENCE)).type, 'gun_tunnel_up')
    assert.equal((await gun.await(it.connPid, streamRef, PATIENCE)).type, 'gun_data')
  })
}

for (const status of [300, 302, 400, 403, 404, 407, 421, 500, 502, 503, 599]) {
  for (const body of ['', 'the reason']) {
    const how = body === '' ? 'without a body' : 'with a body'
    const headers: ConnectResponse['headers'] = [
      ['location', 'http://elsewhere.test/'],
      ['proxy-authenticate', 'Basic realm="x"'],
    ]
    onEachProxy(
      `a ${status} ${how} opens none, and another is asked for`,
      [{ status, body, headers }],
      async it => {
        const { connPid, proxy } = it
        await using origin = await tunnelOrigin('http')
        const refused = gun.connect(connPid, {
          host: 'localhost',
          port: 33_333,
          username: 'u',
          password: 'p',
        })
        const response = await gun.awaitResponse(connPid, refused, PATIENCE)
        assert.deepEqual([response.status, String(response.body)], [status, body])
        const late = gun.get(connPid, '/', {}, { tunnel: refused })
        assert.equal((await receiveError(it, late)).code, 'badstate')
        assert.equal(gun.streamInfo(connPid, refused), undefined)
        const { originPort, intermediaries, stateName } = gun.info(connPid)
        assert.deepEqual([originPort, intermediaries, stateName], [proxy.port, [], 'connected'])
        await greet(it)
        const tunnel = gun.connect(connPid, { host: 'localhost', port: origin.port })
        await receiveUp(it, tunnel)
        await gun.awaitResponse(connPid, gun.get(connPid, '/', {}, { tunnel }), PATIENCE)
        assert.equal(proxy.requests.length, 2)
        assert.equal(proxy.connections, 1)
      },
    )
  }
}

const informs: ConnectResponse['informs'] = [
  [102, []],
  [103, [['link', '</a>']]],
]

for (const status of [200, 403]) {
  onEachProxy(
    `informational responses come before a ${status}`,
    [{ ...nowhere, status, informs }],
    async it => {
      const streamRef = gun.connect(it.connPid, { host: 'a.test', port: 1, protocols: ['raw'] })
      for (const [code] of informs) {
        const inform = await gun.await(it.connPid, streamRef, PATIENCE)
        assert.ok(inform.type === 'gun_inform')
        assert.equal(inform.status, code)
      }
      if (status === 200) await receiveUp(it, streamRef)
      else assert.equal((await gun.awaitResponse(it.connPid, streamRef, PATIENCE)).status, 403)
    },
  )
}

onEachProxy(
  'bytes that come with the answer are those of the tunnel',
  [{ ...nowhere, glued: 'glued' }],
  async it => {
    const tunnel = gun.connect(it.connPid, { host: 'a.test', port: 1, protocols: ['raw'] })
    await receiveUp(it, tunnel)
    const message = await gun.await(it.connPid, tunnel, PATIENCE)
    assert.ok(message.type === 'gun_data')
    assert.deepEqual([message.isFin, String(message.data)], ['nofin', 'glued'])
  },
)

for (const [name, value] of [
  ['content-length', '1000'],
  ['content-length', '0'],
  ['transfer-encoding', 'chunked'],
] as const) {
  for (const glued of ['', 'glued']) {
    const headers: ConnectResponse['headers'] = [[name, value]]
    const answer = { ...nowhere, headers, glued }
    test(`${name}: ${value} of a 200 says nothing, ${glued === '' ? 'alone' : 'with bytes behind it'}`, async () => {
      await using proxy = await httpProxy({ answer: () => answer })
      await using client = await connect(proxy)
      const it = { ...client, line: { version: 'http', transport: 'tcp' }, proxy } as const
      const tunnel = gun.connect(it.connPid, { host: 'a.test', port: 1, protocols: ['raw'] })
      const response = await receiveUp(it, tunnel)
      assert.deepEqual(response.headers, headers)
      if (glued === '') return
      const message = await gun.await(it.connPid, tunnel, PATIENCE)
      assert.ok(message.type === 'gun_data')
      assert.equal(String(message.data), glued)
    })
  }
}

for (const delivery of ['whole', 'bytes'] as const) {
  test(`a proxy of HTTP/1.0 opens the tunnel, its answer sent ${delivery}`, async () => {
    const answer = Buffer.from('HTTP/1.0 200 Connection established\r\n\r\nraw')
    await using proxy = await httpProxy({ answer: () => answer, delivery })
    await using client = await connect(proxy)
    const it = { ...client, line: { version: 'http', transport: 'tcp' }, proxy } as const
    const tunnel = gun.connect(it.connPid, { host: 'a.test', port: 1, protocols: ['raw'] })
    await receiveUp(it, tunnel)
    let text = ''
    while (text.length < 3) {
      const message = await gun.await(it.connPid, tunnel, PATIENCE)
      if (message.type === 'gun_data') text += message.data
    }
    assert.equal(text, 'raw')
  })
}

const lasting: readonly (readonly [name: string, answer: string])[] = [
  ['HTTP/1.0', 'HTTP/1.0 403 Forbidden\r\nContent-Length: 2\r\n\r\nno'],
  ['connection: close', 'HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno'],
]

for (const [name, answer] of lasting) {
  test(`a refusal with ${name} is the last response of the connection`, async () => {
    await using proxy = await httpProxy({ answer: () => Buffer.from(answer) })
    await using client = await connect(proxy, 'tcp', { retry: 0 })
    const { connPid, owner } = client
    const streamRef = gun.connect(connPid, { host: 'a.test', port: 1 })
    const waiting = gun.get(connPid, '/', {}, { tunnel: streamRef })
    assert.equal((await receiveError(client, waiting)).code, 'refused_stream')
    const { status, body } = await gun.awaitResponse(connPid, streamRef, PATIENCE)
    assert.deepEqual([status, String(body)], [403, 'no'])
    await owner.receive([{ type: 'gun_down', connPid, reason: 'normal' }], PATIENCE)
  })
}

test('a 101 is no answer to CONNECT', async () => {
  const answer = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'
  await using proxy = await httpProxy({ answer: () => Buffer.from(answer) })
  await using client = await connect(proxy, 'tcp', { retry: 0 })
  const headers = { connection: 'upgrade', upgrade: 'x' }
  const streamRef = gun.connect(client.connPid, { host: 'a.test', port: 1 }, headers)
  assert.equal((await receiveError(client, streamRef)).kind, 'connection_error')
})

onEachProxy('the answer and the news of the tunnel go to its replyTo', [nowhere], async it => {
  const other = createProcess<gun.GunMessage>()
  const end = { host: 'a.test', port: 1, protocols: ['raw'] } as const
  const streamRef = gun.connect(it.connPid, end, {}, { replyTo: other })
  await receiveUp(it, streamRef)
  gun.close(it.connPid)
  await eventually(() => other.messageQueueLength > 0, 'no end')
  other.exit()
})

function* parts(): Iterable<Uint8Array> {
  for (let i = 0; i < 1024; i++) yield Buffer.alloc(64 << 10, i)
}

const big = (): ConnectResponse => ({
  status: 403,
  headers: [['content-length', String(64 << 20)]],
  body: parts(),
})

for (const line of lines.filter(({ transport }) => transport === 'tcp')) {
  test(`the body of a refusal comes as its flow allows, over ${lineName(line)}`, async () => {
    await using proxy =
      line.version === 'http' ? await httpProxy({ answer: big }) : await http2Proxy({ answer: big })
    await using client = await connect(proxy, line, { retry: 0 })
    const { connPid, owner } = client
    const streamRef = gun.connect(connPid, { host: 'a.test', port: 1 }, {}, { flow: 2 })
    await gun.await(connPid, streamRef, PATIENCE)
    for (let i = 0; i < 10; i++) {
      const message = await gun.await(connPid, streamRef, PATIENCE)
      assert.ok(message.type === 'gun_data')
      assert.ok(owner.messageQueueLength <= 1)
      gun.updateFlow(connPid, streamRef, 1)
    }
    gun.cancel(connPid, streamRef)
    // HTTP/1.1 closes the connection when the rest of a cancelled body is this long.
    if (line.version === 'http') await owner.receive([{ type: 'gun_down', connPid }], PATIENCE)
    else assert.equal((await gun.awaitResponse(connPid, gun.get(connPid, '/'), PATIENCE)).status, 200)
  })
}
