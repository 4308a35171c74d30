// Only who may look does: requests of other sites, under other names, or without the token are refused.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { type Observer, type ObserverOptions, startObserver } from '@holster/observer'
import { WebSocket } from 'ws'
import { HELLO_PATH, type Hello, SOCKET_PATH, SUBPROTOCOL, VERSION } from '../../src/words.ts'

const start = (options: ObserverOptions = {}) => startObserver({ log: false, ...options })

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

async function get(
  { port }: Observer,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Answer> {
  const asked = request({ host: '127.0.0.1', port, path, method, headers, agent: false }).end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) }
}

/** Opens a WebSocket. Gives `'open'`, or the status with which it was refused. */
async function knock(
  { port }: Observer,
  headers: Record<string, string> = {},
  protocols: string[] = [SUBPROTOCOL],
): Promise<string | number> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${SOCKET_PATH}`, protocols, { headers })
  return new Promise(resolve => {
    let outcome: string | number = 'closed'
    socket.on('open', () => {
      outcome = 'open'
      socket.terminate()
    })
    socket.on('unexpected-response', (_request, { statusCode = 0 }) => {
      outcome = statusCode
      socket.terminate()
    })
    // The end of a connection that was never up.
    socket.on('error', () => {})
    socket.on('close', () => resolve(outcome))
  })
}

describe('an observer on a loopback address', () => {
  test('greets with what it is, and wants no token', async () => {
    await using observer = await start()
    const { status, body } = await get(observer, HELLO_PATH)
    const hello = JSON.parse(body) as Hello
    assert.deepEqual(
      [status, hello.type, hello.version, hello.node, hello.pid, hello.allowActions],
      [200, 'hello', VERSION, 'nonode@nohost', process.pid, false],
    )
    assert.equal(observer.token, undefined)
    assert.equal(observer.url, `http://127.0.0.1:${observer.port}/`)
    assert.equal(await knock(observer), 'open')
  })

  test('refuses a name that is not its own, as of a site that has its name lead here', async () => {
    await using observer = await start({ allowedHosts: ['build.example'] })
    for (const host of ['evil.example', `evil.example:${observer.port}`, 'localhost.evil.example']) {
      assert.equal((await get(observer, HELLO_PATH, { host })).status, 403, host)
      assert.equal((await get(observer, '/', { host })).status, 403, host)
      assert.equal(await knock(observer, { host }), 403, host)
    }
    for (const host of [
      'localhost',
      'LocalHost:1',
      '127.0.0.1:9',
      '[::1]:80',
      'build.example',
      'build.example.:80',
    ]) {
      assert.equal((await get(observer, HELLO_PATH, { host })).status, 200, host)
    }
  })

  test('refuses pages of other sites, their WebSockets among them', async () => {
    await using observer = await start()
    const own = `127.0.0.1:${observer.port}`
    for (const origin of [
      'http://evil.example',
      'null',
      `http://127.0.0.1:${observer.port + 1}`,
      `http://evil.${own}`,
    ]) {
      assert.equal(await knock(observer, { origin }), 403, origin)
      assert.equal((await get(observer, HELLO_PATH, { origin })).status, 403, origin)
    }
    assert.equal(await knock(observer, { origin: `http://${own}` }), 'open')
    assert.equal((await get(observer, HELLO_PATH, { 'sec-fetch-site': 'cross-site' })).status, 403)
    assert.equal((await get(observer, HELLO_PATH, { 'sec-fetch-site': 'same-origin' })).status, 200)
  })

  test('answers with a policy that lets nothing in from elsewhere, and only to GET and HEAD', async () => {
    await using observer = await start()
    const { headers } = await get(observer, '/')
    const policy = String(headers['content-security-policy'])
    for (const part of [
      "default-src 'none'",
      "script-src 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
    ]) {
      assert.ok(policy.includes(part), part)
    }
    assert.ok(!policy.includes('unsafe'))
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['access-control-allow-origin'], undefined)
    for (const method of ['POST', 'PUT', 'OPTIONS']) {
      assert.equal((await get(observer, HELLO_PATH, {}, method)).status, 405)
    }
    assert.equal((await get(observer, '/../package.json')).status, 404)
    assert.equal((await get(observer, '/%2e%2e/package.json')).status, 404)
    assert.equal((await get(observer, '/nothing')).status, 404)
  })
})

describe('an observer with a token', () => {
  test('shows its page to everybody, and the program only to who knows the token', async () => {
    await using observer = await start({ token: 'a-token-of-sixteen' })
    assert.equal(observer.url, `http://127.0.0.1:${observer.port}/#token=a-token-of-sixteen`)
    assert.equal((await get(observer, '/')).status, 200)
    for (const path of [HELLO_PATH, '/metrics', '/heap-snapshot/1', '/nothing']) {
      const { status, headers } = await get(observer, path)
      assert.deepEqual([status, headers['www-authenticate']], [401, 'Bearer'], path)
    }
    const authorization = 'Bearer a-token-of-sixteen'
    assert.equal((await get(observer, HELLO_PATH, { authorization })).status, 200)
    for (const wrong of [
      'Bearer a-token-of-sixteem',
      'Bearer',
      'Basic a-token-of-sixteen',
      'a-token-of-sixteen',
    ]) {
      assert.equal((await get(observer, HELLO_PATH, { authorization: wrong })).status, 401, wrong)
    }
  })

  test('takes the token of a WebSocket as a header or as a subprotocol, and never repeats it', async () => {
    await using observer = await start({ token: 'a-token-of-sixteen' })
    assert.equal(await knock(observer), 401)
    assert.equal(await knock(observer, { authorization: 'Bearer a-token-of-sixteen' }), 'open')
    const offered = (token: string) => [SUBPROTOCOL, `token.${Buffer.from(token).toString('base64url')}`]
    assert.equal(await knock(observer, {}, offered('a-token-of-sixteen')), 'open')
    assert.equal(await knock(observer, {}, offered('a-token-of-seventeen')), 401)
    const socket = new WebSocket(
      `ws://127.0.0.1:${observer.port}${SOCKET_PATH}`,
      offered('a-token-of-sixteen'),
    )
    await once(socket, 'open')
    assert.equal(socket.protocol, SUBPROTOCOL)
    socket.terminate()
  })

  test('makes a random one where others could look, or act', async () => {
    for (const options of [{ host: '0.0.0.0' }, { allowActions: true }, { token: true }] as const) {
      await using observer = await start(options)
      assert.match(observer.token ?? '', /^[\w-]{32}$/)
      assert.ok(observer.url.endsWith(`/#token=${observer.token}`))
      assert.equal((await get(observer, HELLO_PATH)).status, 401)
    }
  })
})

describe('startObserver', () => {
  test('throws at once for an option that is wrong, and names it', () => {
    const wrong: readonly [object, string, RegExp][] = [
      [{ port: -1 }, 'RangeError', /port must be a whole number/],
      [{ port: '80' }, 'RangeError', /port must be a whole number/],
      [{ host: 1 }, 'TypeError', /host must be/],
      [{ token: 'short' }, 'RangeError', /token must have at least 16 characters/],
      [{ token: 'a token with spaces' }, 'RangeError', /token must have no spaces/],
      [{ token: 'a-token-of-sixteén' }, 'RangeError', /token must have no spaces/],
      [{ token: false }, 'TypeError', /token must be a string, or true/],
      [{ allowedHosts: 'a' }, 'TypeError', /allowedHosts must be an array/],
      [{ allowActions: 1 }, 'TypeError', /allowActions must be a boolean/],
      [{ recordSpawns: 1 }, 'TypeError', /recordSpawns must be a boolean/],
      [{ log: 1 }, 'TypeError', /log must be a function/],
      [{ prot: 1 }, 'TypeError', /options.prot is not an option of an observer: did you mean 'port'/],
    ]
    for (const [options, name, message] of wrong) {
      assert.throws(() => startObserver(options as ObserverOptions), { name, message })
    }
  })

  test('tells its address once, and rejects if the port is taken', async () => {
    const lines: string[] = []
    await using observer = await startObserver({ log: line => lines.push(line) })
    assert.deepEqual(lines, [`Holster observer: ${observer.url}`])
    await assert.rejects(start({ port: observer.port }), { code: 'EADDRINUSE' })
  })

  test('stops once, and frees its port', async () => {
    const first = await start()
    const viewers = await Promise.all([knock(first), knock(first)])
    assert.deepEqual(viewers, ['open', 'open'])
    await first.stop()
    await first.stop()
    await using second = await start({ port: first.port })
    assert.equal(second.port, first.port)
  })
})
