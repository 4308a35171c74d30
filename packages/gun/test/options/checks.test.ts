import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextRetry } from '../../src/connection/reconnect.ts'
import { GunError } from '../../src/errors.ts'
import { checkOpts, checkReqOpts, checkWsOpts, isRetry } from '../../src/options/checks.ts'
import { HTTP_DEFAULTS } from '../../src/options/http.ts'
import { httpOptsOf } from '../../src/options/options.ts'

const { POSITIVE_INFINITY: Infinite, NaN: notANumber } = Number
const LONGEST = 2147483647

function refuse(check: (value: unknown) => void, value: unknown, path: string, text: RegExp): void {
  assert.throws(
    () => check(value),
    (error: unknown) => {
      assert.ok(error instanceof GunError)
      assert.equal(error.code, 'bad_option')
      assert.equal(error.kind, 'options')
      assert.equal(error.message.split(' ')[0], path)
      assert.match(error.message, text)
      return true
    },
  )
}

const wrap = (path: string, value: unknown): unknown =>
  path.split('.').reduceRight((inner, key) => ({ [key]: inner }), value)

const durations = [
  'connectTimeout',
  'domainLookupTimeout',
  'tlsHandshakeTimeout',
  'httpOpts.closingTimeout',
  'wsOpts.closingTimeout',
]

test('a duration is at least 0 and at most what a timer can wait, or Infinity', () => {
  for (const path of durations) {
    for (const ms of [0, 0.5, 1, LONGEST, Infinite]) checkOpts(wrap(path, ms))
    for (const ms of [-1, LONGEST + 1, -Infinite])
      refuse(checkOpts, wrap(path, ms), path, /must be between 0/)
    for (const ms of ['1', null, notANumber, {}, 1n]) {
      refuse(checkOpts, wrap(path, ms), path, /must be a number of milliseconds/)
    }
  }
})

test('a period is more than 0', () => {
  for (const ms of [0.5, 1, LONGEST, Infinite]) checkOpts(wrap('wsOpts.keepalive', ms))
  refuse(checkOpts, wrap('wsOpts.keepalive', 0), 'wsOpts.keepalive', /must be more than 0/)
  refuse(checkOpts, wrap('wsOpts.keepalive', LONGEST + 1), 'wsOpts.keepalive', /must be between/)
})

test('the time between attempts is finite', () => {
  checkOpts({ retryTimeout: 0 })
  checkOpts({ retryTimeout: LONGEST })
  refuse(checkOpts, { retryTimeout: Infinite }, 'retryTimeout', /must be finite/)
  refuse(checkOpts, { retryTimeout: LONGEST + 1 }, 'retryTimeout', /must be between/)
})

test('a limit is an integer of at least 1 within 32 bits, or Infinity', () => {
  const limits = [
    'httpOpts.maxHeaderBlockSize',
    'httpOpts.maxTrailerBlockSize',
    'wsOpts.maxPayload',
    'wsOpts.maxFragments',
  ]
  for (const path of limits) {
    for (const limit of [1, LONGEST, Infinite]) checkOpts(wrap(path, limit))
    for (const limit of [0, -1, 1.5, LONGEST + 1]) {
      refuse(checkOpts, wrap(path, limit), path, /must be an integer between 1/)
    }
    refuse(checkOpts, wrap(path, '1'), path, /must be a number/)
  }
})

test('retries are a whole number of at least 0', () => {
  for (const retry of [0, 1, Infinite]) checkOpts({ retry })
  for (const retry of [-1, 0.5]) refuse(checkOpts, { retry }, 'retry', /must be a whole number of at least 0/)
  refuse(checkOpts, { retry: notANumber }, 'retry', /must be a number/)
  refuse(checkOpts, { retryFun: 1 }, 'retryFun', /must be a function/)
})

test('words are those that are documented', () => {
  checkOpts({ transport: 'tcp' })
  checkOpts({ transport: 'tls', httpOpts: { version: 'HTTP/1.0' } })
  refuse(checkOpts, { transport: 'ssl' }, 'transport', /'tcp' or 'tls'/)
  refuse(checkOpts, { httpOpts: { version: 'HTTP/2' } }, 'httpOpts.version', /'HTTP\/1.0' or 'HTTP\/1.1'/)
  refuse(checkOpts, { wsOpts: { silencePings: 1 } }, 'wsOpts.silencePings', /must be a boolean/)
})

test('each protocol is named once, bare or with its options', () => {
  checkOpts({ protocols: ['http2', 'http'] })
  checkOpts({ protocols: [['http2', { enablePush: false }], 'http'] })
  refuse(
    checkOpts,
    { http2Opts: { maxFrameSizeSent: 1 } },
    'http2Opts.maxFrameSizeSent',
    /must be an integer between 16384 and 16777215/,
  )
  checkOpts({ protocols: ['http'] })
  checkOpts({ protocols: [['http', {}]] })
  checkOpts({ protocols: [['http', { version: 'HTTP/1.0' }]] })
  refuse(checkOpts, { protocols: 'http' }, 'protocols', /must be an array/)
  refuse(checkOpts, { protocols: [] }, 'protocols', /at least one/)
  refuse(checkOpts, { protocols: ['http', 'http'] }, 'protocols', /each protocol once/)
  refuse(checkOpts, { protocols: ['http3'] }, 'protocols.0', /must be 'http', 'http2', /)
  refuse(checkOpts, { protocols: [['http']] }, 'protocols.0', /must be 'http', 'http2', /)
  refuse(checkOpts, { protocols: [['http', {}, {}]] }, 'protocols.0', /must be 'http', 'http2', /)
  refuse(checkOpts, { protocols: [['http3', {}]] }, 'protocols.0', /must be 'http', 'http2', /)
  refuse(checkOpts, { protocols: [{}] }, 'protocols.0', /must be 'http', 'http2', /)
})

test('an option within a protocol is named with its whole path', () => {
  refuse(
    checkOpts,
    { protocols: [['http', { version: 'HTTP/2' }]] },
    'protocols.0.1.version',
    /'HTTP\/1.0' or/,
  )
  refuse(
    checkOpts,
    { protocols: [['http', { closingTimeout: -1 }]] },
    'protocols.0.1.closingTimeout',
    /between 0/,
  )
  refuse(checkOpts, { protocols: [['http', { verison: 1 }]] }, 'protocols.0.1.verison', /is not an option/)
  refuse(checkOpts, { protocols: [['http', 1]] }, 'protocols.0.1', /must be an object/)
})

test('an unknown option is named', () => {
  refuse(checkOpts, { retries: 5 }, 'retries', /is not an option/)
  refuse(checkOpts, { wsOpts: { compres: true } }, 'wsOpts.compres', /is not an option/)
  refuse(checkOpts, { httpOpts: { keepAlive: 1 } }, 'httpOpts.keepAlive', /is not an option/)
  refuse(checkWsOpts, { keepAlive: 1 }, 'wsOpts.keepAlive', /is not an option/)
  refuse(checkReqOpts, { reply: 1 }, 'reqOpts.reply', /is not an option/)
})

test('an option that does not exist is refused with the one that was probably meant', () => {
  const meant: [(value: unknown) => void, string, string][] = [
    [checkOpts, 'ws_opts', "'wsOpts'"],
    [checkOpts, 'http2_opts', "'http2Opts'"],
    [checkOpts, 'retries', "'retry'"],
    [checkOpts, 'after', "'retryTimeout'"],
    [checkOpts, 'conectTimeout', "'connectTimeout'"],
    [checkOpts, 'timeout', "'connectTimeout', 'domainLookupTimeout' or 'retryTimeout'"],
    [checkOpts, 'compress', "'wsOpts.compress'"],
    [checkOpts, 'keepalive', "'httpOpts.keepalive', 'http2Opts.keepalive' or 'wsOpts.keepalive'"],
    [checkOpts, 'rejectUnauthorized', "'tlsOpts.rejectUnauthorized'"],
    [checkOpts, 'lookup', "'tcpOpts.lookup'"],
    [checkOpts, 'wsOpts.max_payload', "'maxPayload'"],
    [checkOpts, 'wsOpts.perMessageDeflate', "'compress'"],
    [checkOpts, 'wsOpts.compress.windowBits', "'serverMaxWindowBits' or 'clientMaxWindowBits'"],
    [checkOpts, 'httpOpts.keepAlive', "'keepalive'"],
    [checkWsOpts, 'reply_to', "'replyTo'"],
    [checkReqOpts, 'reply', "'replyTo'"],
  ]
  for (const [check, path, names] of meant) {
    const value = wrap(path, 5)
    assert.throws(() => check(value), {
      message: new RegExp(`${path} is not an option: did you mean ${names}\\?$`),
    })
  }
  assert.throws(() => checkOpts({ xyzzy: 5 }), { message: 'xyzzy is not an option' })
})

test('options are objects', () => {
  for (const value of [null, 1, 'tls', []]) {
    refuse(checkOpts, value, 'opts', /must be an object/)
    refuse(checkWsOpts, value, 'wsOpts', /must be an object/)
    refuse(checkReqOpts, value, 'reqOpts', /must be an object/)
    for (const name of ['httpOpts', 'wsOpts', 'tcpOpts', 'tlsOpts']) {
      refuse(checkOpts, { [name]: value }, name, /must be an object/)
    }
  }
})

test('who gets messages is a process, an actor or a function; an owner is something that ends', () => {
  const actorLike = { send() {} }
  for (const replyTo of [actorLike, () => {}]) {
    checkReqOpts({ replyTo })
    checkWsOpts({ replyTo })
  }
  for (const replyTo of [null, 'shell', {}, { send: 1 }]) {
    refuse(checkReqOpts, { replyTo }, 'reqOpts.replyTo', /must be a process, an actor or a function/)
    refuse(checkWsOpts, { replyTo }, 'wsOpts.replyTo', /must be a process, an actor or a function/)
    refuse(checkOpts, { owner: replyTo }, 'owner', /must be a process or an xstate actor/)
  }
  refuse(checkOpts, { owner: () => {} }, 'owner', /must be a process or an xstate actor/)
  refuse(checkOpts, { owner: actorLike }, 'owner', /must be a process or an xstate actor/)
})

test('an option that is undefined is one that was not given', () => {
  checkOpts({ retry: undefined, owner: undefined, wsOpts: { keepalive: undefined }, protocols: undefined })
  checkReqOpts({ replyTo: undefined })
})

test('what protocols say wins over httpOpts, and both over the defaults', () => {
  assert.deepEqual(httpOptsOf({}), HTTP_DEFAULTS)
  assert.equal(httpOptsOf({ httpOpts: { version: 'HTTP/1.0' } }).version, 'HTTP/1.0')
  const both = httpOptsOf({
    httpOpts: { version: 'HTTP/1.0', closingTimeout: 1 },
    protocols: [['http', { version: 'HTTP/1.1' }]],
  })
  assert.deepEqual(both, { ...HTTP_DEFAULTS, version: 'HTTP/1.1', closingTimeout: 1 })
})

test('the first retry is immediate, the others wait, and of infinitely many each waits', t => {
  t.mock.method(Math, 'random', () => 0.5)
  assert.deepEqual(nextRetry(5, {}, 'normal'), { retries: 4, timeout: 0 })
  assert.deepEqual(nextRetry(4, {}, 'normal'), { retries: 3, timeout: 5000 })
  assert.deepEqual(nextRetry(2, { retry: 2, retryTimeout: 7 }, 'normal'), { retries: 1, timeout: 0 })
  assert.deepEqual(nextRetry(1, { retry: 2, retryTimeout: 7 }, 'normal'), { retries: 0, timeout: 7 })
  const forEver = nextRetry(Infinite, { retry: Infinite, retryTimeout: 7 }, 'normal')
  assert.deepEqual(forEver, { retries: Infinite, timeout: 7 })
})

test('behind a connection that was up chance spreads the first retry over a second, as it does the others', t => {
  const forEver = { retry: Infinite, retryTimeout: 5000 }
  for (const [random, first, later] of [
    [0, 0, 2500],
    [0.5, 500, 5000],
    [0.999, 999, 7495],
  ] as const) {
    t.mock.method(Math, 'random', () => random)
    assert.deepEqual(nextRetry(5, {}, 'normal', 'loss'), { retries: 4, timeout: first })
    assert.deepEqual(nextRetry(5, {}, 'normal', 'hang-up'), { retries: 4, timeout: first })
    assert.deepEqual(nextRetry(4, {}, 'normal', 'hang-up'), { retries: 3, timeout: later })
    assert.deepEqual(nextRetry(4, {}, 'normal', 'attempt'), { retries: 3, timeout: later })
    assert.deepEqual(nextRetry(Infinite, forEver, 'normal', 'loss'), { retries: Infinite, timeout: first })
    assert.deepEqual(nextRetry(Infinite, forEver, 'normal', 'hang-up'), { retries: Infinite, timeout: later })
  }
})

test('a retryFun decides instead, and one that throws or gives nonsense ends the connection', () => {
  const opts = { retry: 9 }
  const asked: unknown[] = []
  const retryFun = (...args: unknown[]) => {
    asked.push(args)
    return { retries: 1, timeout: 2 }
  }
  const withFun = { ...opts, retryFun }
  assert.deepEqual(nextRetry(3, withFun, 'normal'), { retries: 1, timeout: 2 })
  assert.deepEqual(asked, [[3, withFun]])
  const boom = new Error('boom')
  const lost = new GunError('closed', 'connection_error', 'the peer hung up')
  const thrown = nextRetry(
    3,
    {
      retryFun: () => {
        throw boom
      },
    },
    lost,
  )
  assert.ok(thrown instanceof GunError)
  assert.deepEqual([thrown.code, thrown.cause], ['bad_option', boom])
  assert.match(thrown.message, /the peer hung up/)
  const nonsense = nextRetry(3, { retryFun: () => ({ retries: -1, timeout: 0 }) }, lost)
  assert.ok(nonsense instanceof GunError)
  assert.deepEqual([nonsense.code, nonsense.cause], ['bad_option', lost])
})

test('a retryFun gives a count and a finite time', () => {
  assert.ok(isRetry({ retries: 0, timeout: 0 }))
  assert.ok(isRetry({ retries: Infinite, timeout: LONGEST }))
  for (const retry of [
    undefined,
    {},
    { retries: 1 },
    { retries: -1, timeout: 0 },
    { retries: 1, timeout: Infinite },
  ]) {
    assert.equal(isRetry(retry), false)
  }
})

const handler = { init: () => undefined, handle: () => 0 }
class Handler {
  init() {}
  handle() {}
}
const noHandlers = [
  null,
  'xmpp',
  () => 0,
  [handler],
  {},
  { init() {} },
  { handle() {} },
  { init() {}, handle: 1 },
]

const rightWsOpts: Record<string, unknown[]> = {
  compress: [true, false, {}, { level: 1, threshold: 0 }, undefined],
  'compress.serverNoContextTakeover': [true, false],
  'compress.clientNoContextTakeover': [true, false],
  'compress.serverMaxWindowBits': [8, 15],
  'compress.clientMaxWindowBits': [8, 15],
  'compress.level': [0, 9],
  'compress.memLevel': [1, 9],
  'compress.threshold': [0, 1, 1e12, Infinite],
  protocols: [
    [],
    [['xmpp', handler]],
    [
      ['a', handler],
      ['A', new Handler()],
    ],
    [["!#$%&'*+-.^_`|~09azAZ", handler]],
  ],
  defaultProtocol: [handler, new Handler()],
  flow: [1, 2, 1e12, Infinite],
  keepaliveTolerance: [1, 2, 1e12, Infinite],
  sendHighWaterMark: [0, 1, Infinite],
  reupgrade: [true, false],
  userOpts: [null, 0, 'anything', {}, () => {}],
}

test('an option of WebSocket may be all that it can mean', () => {
  for (const [path, values] of Object.entries(rightWsOpts)) {
    for (const value of values) {
      checkWsOpts(wrap(path, value))
      checkOpts(wrap(`wsOpts.${path}`, value))
    }
  }
})

const isNoNumber = ['1', null, true, notANumber]
const isNoFlag = [1, 'true', null]

type Wrong = [path: string, values: readonly unknown[], said: RegExp, named?: string]

const wrongWsOpts: readonly Wrong[] = [
  ['compress', [1, null, 'deflate', []], /must be an object$/],
  ['compress.windowBits', [9], /is not an option: did you mean 'serverMaxWindowBits' or/],
  ['compress.serverNoContextTakeover', isNoFlag, /must be a boolean$/],
  ['compress.clientNoContextTakeover', isNoFlag, /must be a boolean$/],
  ...['compress.serverMaxWindowBits', 'compress.clientMaxWindowBits'].flatMap((path): Wrong[] => [
    [path, [7, 16, 8.5, Infinite], /must be an integer between 8 and 15$/],
    [path, isNoNumber, /must be a number$/],
  ]),
  ['compress.level', [-1, 10, 1.5], /must be an integer between 0 and 9$/],
  ['compress.level', isNoNumber, /must be a number$/],
  ['compress.memLevel', [0, 10, 1.5], /must be an integer between 1 and 9$/],
  ['compress.memLevel', isNoNumber, /must be a number$/],
  ...['compress.threshold', 'sendHighWaterMark', 'flow', 'keepaliveTolerance'].flatMap((path): Wrong[] => [
    [path, [-1, 0.5], /must be a whole number of at least 0$/],
    [path, isNoNumber, /must be a number$/],
  ]),
  ['flow', [0], /must be at least 1$/],
  ['keepaliveTolerance', [0], /must be at least 1$/],
  ['reupgrade', isNoFlag, /must be a boolean$/],
  ['defaultProtocol', noHandlers, /must be a handler: { init, handle }$/],
  ['protocols', ['xmpp', {}, null, new Map()], /must be an array$/],
  ['protocols', [['xmpp'], [{}], [null]], /must be \[name, handler\]$/, 'protocols.0'],
  [
    'protocols',
    ['', 'a b', 'a,b', 'a;b', 'é', 'a\r\nb', '"a"'].map(name => [[name, handler]]),
    /must be a token$/,
    'protocols.0.0',
  ],
  ['protocols', [1, null, undefined].map(name => [[name, handler]]), /must be a string$/, 'protocols.0.0'],
  [
    'protocols',
    noHandlers.map(each => [
      ['a', handler],
      ['b', each],
    ]),
    /must be a handler: { init, handle }$/,
    'protocols.1.1',
  ],
  ['protocols', [['a', 'b', 'a'].map(name => [name, handler])], /must name each subprotocol once$/],
]

test('an option of WebSocket that is wrong is named, in open and in wsUpgrade', () => {
  for (const [path, values, said, named = path] of wrongWsOpts) {
    for (const value of values) {
      refuse(checkWsOpts, wrap(path, value), `wsOpts.${named}`, said)
      refuse(checkOpts, wrap(`wsOpts.${path}`, value), `wsOpts.${named}`, said)
    }
  }
})

test('a subprotocol is a name and a handler, nothing less and nothing more', () => {
  for (const pair of [[], ['a'], ['a', handler, 1]]) {
    assert.throws(() => checkWsOpts({ protocols: [pair] }), {
      code: 'bad_option',
      message: /^wsOpts\.protocols\.0/,
    })
  }
})

test('an eventHandler is an object, and what it has for an event a function', () => {
  for (const eventHandler of [{}, { wsUpgrade() {} }, new Handler(), undefined]) checkOpts({ eventHandler })
  for (const eventHandler of [
    null,
    1,
    'log',
    [],
    () => {},
    { wsUpgrade: 1 },
    { wsRecvFrameEnd: undefined },
  ]) {
    refuse(
      checkOpts,
      { eventHandler },
      'eventHandler',
      /must be an object in which each of these, if present, is a function: init/,
    )
  }
})
