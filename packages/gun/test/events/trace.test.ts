import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import { createProcess, setExitHook } from '@holster/process'
import { GunError } from '../../src/errors.ts'
import { traceOf } from '../../src/events/trace.ts'
import { ConnPid, StreamRef } from '../../src/handles.ts'

const connPid = new ConnPid(undefined as never)
const streamRef = new StreamRef(connPid, () => {})

/** How a value is shown in the line of an event. */
function shown(event: object): string {
  const lines: string[] = []
  const trace = traceOf(connPid, line => lines.push(line))
  trace?.event('init', { connPid, ...event })
  assert.equal(lines.length, 1)
  return lines[0]?.replace(/^#Conn<\d+> \+\d+ms event init /, '') ?? ''
}

test('there is no trace unless it is asked for', () => {
  assert.equal(traceOf(connPid, undefined), undefined)
  assert.equal(traceOf(connPid, false), undefined)
})

test('a state has a line only when it is another one', () => {
  const lines: string[] = []
  const trace = traceOf(connPid, line => lines.push(line))
  for (const name of ['connected', 'closing', 'closing', 'connected']) trace?.state(name)
  assert.deepEqual(
    lines.map(line => line.replace(/\+\d+/, '+1')),
    ['connected', 'closing', 'connected'].map(name => `${connPid} +1ms state ${name}`),
  )
})

test('a line of a stream names the tunnels that the stream is within, the outermost first', () => {
  const lines: string[] = []
  const trace = traceOf(connPid, line => lines.push(line))
  const outer = new StreamRef(connPid, () => {}, undefined, undefined, true)
  const inner = new StreamRef(connPid, () => {}, undefined, outer, true)
  const within = new StreamRef(connPid, () => {}, undefined, inner)
  trace?.message({ type: 'gun_inform', connPid, streamRef: within, status: 103, headers: [] })
  trace?.event('requestEnd', { connPid, ...{ streamRef: inner } })
  assert.match(
    lines[0] ?? '',
    new RegExp(`message gun_inform within ${outer} > ${inner} \\{ streamRef: ${within}`),
  )
  assert.match(lines[1] ?? '', new RegExp(`event requestEnd within ${outer} \\{ streamRef: ${inner}`))
})

test('a message has its type and what it holds, in one line', () => {
  const lines: string[] = []
  const trace = traceOf(connPid, line => lines.push(line))
  trace?.message({ type: 'gun_ws', connPid, streamRef, frame: ['text', 'a\nb'] })
  assert.match(lines[0] ?? '', /ms message gun_ws \{ streamRef: #Stream<\d+>, frame: \["text", "a\\nb"\] \}$/)
})

test('plain values are shown as they are, and what is undefined is not', () => {
  assert.equal(
    shown({ a: 1, b: null, c: undefined, d: true, e: Number.POSITIVE_INFINITY, f: {}, g: [], h: 1n }),
    '{ a: 1, b: null, d: true, e: Infinity, f: {}, g: [], h: 1 }',
  )
  assert.equal(shown({}), '{}')
})

test('handles are shown by their names', () => {
  const owner = createProcess()
  assert.equal(
    shown({ owner, streamRef, other: connPid }),
    `{ owner: ${owner}, streamRef: ${streamRef}, other: ${connPid} }`,
  )
  owner.exit()
})

test('of functions, bytes and objects of a class only the kind is shown', () => {
  assert.equal(
    shown({
      a: () => 'x',
      b: Buffer.from('abc'),
      c: new Uint16Array(2),
      d: new EventEmitter(),
      e: new Map([['x', 1]]),
    }),
    '{ a: <function>, b: <3 bytes>, c: <4 bytes>, d: <EventEmitter>, e: <Map> }',
  )
})

test('an error is shown with its code and message, not with its cause', () => {
  const error = new GunError('closed', 'connection_error', 'it\nended', { cause: new Error('hidden') })
  assert.equal(
    shown({ error, other: new TypeError('x') }),
    '{ error: <GunError closed: "it\\nended">, other: <TypeError: "x"> }',
  )
})

test('long strings and lists are cut, and say how long they are', () => {
  assert.equal(shown({ a: 'x'.repeat(101) }), `{ a: "${'x'.repeat(100)}"… (101) }`)
  assert.equal(shown({ a: 'x'.repeat(100) }), `{ a: "${'x'.repeat(100)}" }`)
  assert.equal(shown({ a: Array(101).fill(1) }), `{ a: [${Array(100).fill(1).join(', ')}, … (101)] }`)
})

test('what is nested too deeply, or in itself, is left out', () => {
  const self: Record<string, unknown> = {}
  self.self = self
  assert.equal(shown(self), '{ self: { self: { self: { self: { self: { self: … } } } } } }')
})

test('the values of secret headers are left out, whatever the case of their names', () => {
  const names = [
    'authorization',
    'Proxy-Authorization',
    'cookie',
    'Set-Cookie',
    'authentication-info',
    'x-auth-token',
    'x-api-key',
    'x-amz-security-token',
    'x-session-id',
  ]
  for (const name of names) {
    assert.equal(shown({ headers: [[name, 'hidden']] }), `{ headers: [["${name}", …]] }`)
    assert.equal(shown({ headers: { [name]: 'hidden' } }), `{ headers: { ${name}: … } }`)
  }
})

test('headers that are not secret are shown', () => {
  for (const name of ['host', 'www-authenticate', 'content-type', 'sec-websocket-protocol', ':authority']) {
    assert.equal(shown({ headers: [[name, 'x']] }), `{ headers: [["${name}", "x"]] }`)
  }
  assert.equal(shown({ authority: 'localhost' }), '{ authority: "localhost" }')
})

test('options that hold secrets are left out as a whole', () => {
  for (const name of [
    'tlsOpts',
    'userOpts',
    'cookieStore',
    'key',
    'pfx',
    'cert',
    'ca',
    'passphrase',
    'password',
    'username',
    'auth',
    'proxy',
    'proxyAuth',
  ]) {
    assert.equal(shown({ opts: { [name]: { x: 'hidden' } } }), `{ opts: { ${name}: … } }`)
  }
})

test('secret parts of a path or URL are left out, also where the rest is cut', () => {
  assert.equal(shown({ path: '/?token=hidden&x=1&api_key=hidden' }), '{ path: "/?token=…&x=1&api_key=…" }')
  assert.equal(shown({ uri: 'https://me:hidden@host/' }), '{ uri: "https://…@host/" }')
  assert.doesNotMatch(shown({ uri: `${'x'.repeat(88)}//me:hidden@host/` }), /hi/)
})

test('a way through proxies is shown without the credentials on it', () => {
  const auth = ['none', ['username_password', 'hidden', 'hidden']]
  const end = { host: 'host', port: 1080 }
  assert.equal(
    shown({ destination: { ...end, username: 'hidden', password: 'hidden' } }),
    '{ destination: { host: "host", port: 1080, username: …, password: … } }',
  )
  assert.equal(
    shown({ opts: { protocols: [['socks', { ...end, auth, protocols: [['socks', { ...end, auth }]] }]] } }),
    '{ opts: { protocols: [["socks", { host: "host", port: 1080, auth: …, protocols: […] }]] } }',
  )
  assert.equal(
    shown({ opts: { socksOpts: { ...end, auth } } }),
    '{ opts: { socksOpts: { host: "host", port: 1080, auth: … } } }',
  )
  for (const proxy of [
    'http://hidden:hidden@proxy',
    new URL('http://hidden@proxy'),
    [{ url: 'http://a:b@c' }],
  ]) {
    assert.equal(shown({ opts: { proxy } }), '{ opts: { proxy: … } }')
  }
  const error = new Error('no way through http://me:hid@den@proxy:3128')
  assert.equal(shown({ error }), '{ error: <Error: "no way through http://…@proxy:3128"> }')
  assert.equal(
    shown({
      headers: [
        ['proxy-authorization', 'hidden'],
        ['proxy-authenticate', 'Negotiate'],
      ],
    }),
    '{ headers: [["proxy-authorization", …], ["proxy-authenticate", "Negotiate"]] }',
  )
})

test('what cannot be shown is reported, and harms nobody', () => {
  const boom = new Error('boom')
  const reports: unknown[] = []
  const previous = setExitHook((pid, reason) => reports.push([pid, reason]))
  const bad = {
    get boom() {
      throw boom
    },
  }
  traceOf(connPid, () => assert.fail('it was shown'))?.event('init', { connPid, ...{ bad } })
  setExitHook(previous)
  assert.deepEqual(reports, [[connPid, boom]])
})
