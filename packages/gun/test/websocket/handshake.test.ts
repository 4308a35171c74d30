import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { GunError } from '../../src/errors.ts'
import type { CompressOpts, WsOpts } from '../../src/options/websocket.ts'
import type { Deflation } from '../../src/websocket/deflate.ts'
import { agreeOnUpgrade, type Handshake, proposeUpgrade } from '../../src/websocket/handshake.ts'
import type { Headers } from '../../src/words.ts'

/** RFC 6455 section 1.3. */
const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='

function handshake(protocols: readonly string[] = []): Handshake {
  return { headers: [], key: KEY, protocols, offer: undefined }
}

function good(changes: Record<string, string | undefined> = {}): Headers {
  const headers: Record<string, string | undefined> = {
    upgrade: 'websocket',
    connection: 'Upgrade',
    'sec-websocket-accept': ACCEPT,
    ...changes,
  }
  return Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  )
}

function faultOf(headers: Headers, protocols?: readonly string[]): string | undefined {
  return say(agreeOnUpgrade(handshake(protocols), headers))
}

function say(fault: unknown): string | undefined {
  if (!(fault instanceof GunError)) return undefined
  assert.equal(fault.code, 'bad_upgrade')
  assert.equal(fault.kind, 'connection_error')
  return fault.message.replace('the server accepted the upgrade wrongly: ', '')
}

test('a handshake has all that an upgrade needs and a fresh key of 16 bytes', () => {
  const { headers, key, protocols } = proposeUpgrade([], {})
  assert.deepEqual(headers, [
    ['connection', 'upgrade'],
    ['upgrade', 'websocket'],
    ['sec-websocket-version', '13'],
    ['sec-websocket-key', key],
  ])
  assert.equal(Buffer.from(key, 'base64').length, 16)
  assert.notEqual(proposeUpgrade([], {}).key, key)
  assert.deepEqual(protocols, [])
})

test("a caller's headers follow, but for those that only the handshake may set", () => {
  const { headers, key } = proposeUpgrade(
    [
      ['authorization', 'Basic Og=='],
      ['connection', 'close'],
      ['upgrade', 'h2c'],
      ['sec-websocket-key', 'mine'],
      ['sec-websocket-version', '8'],
      ['sec-websocket-accept', 'mine'],
      ['sec-websocket-extensions', 'permessage-deflate'],
      ['content-length', '5'],
      ['transfer-encoding', 'chunked'],
      ['cookie', 'a=1'],
      ['cookie', 'b=2'],
    ],
    {},
  )
  assert.deepEqual(headers.slice(4), [
    ['authorization', 'Basic Og=='],
    ['cookie', 'a=1'],
    ['cookie', 'b=2'],
  ])
  assert.equal(headers.filter(([name]) => name === 'sec-websocket-key').length, 1)
  assert.notEqual(key, 'mine')
})

test('subprotocols are taken from plain headers, from one or several, and asked for in one', () => {
  const { headers, protocols } = proposeUpgrade(
    [
      ['sec-websocket-protocol', 'a, b ,c'],
      ['sec-websocket-protocol', 'd'],
    ],
    {},
  )
  assert.deepEqual(protocols, ['a', 'b', 'c', 'd'])
  assert.deepEqual(headers.slice(4), [['sec-websocket-protocol', 'a, b, c, d']])
})

test('a subprotocol is asked for once, those of the option first', () => {
  const handler = { init() {}, handle: () => 0 }
  const { protocols, headers } = proposeUpgrade([['sec-websocket-protocol', 'c, b, c']], {
    protocols: [
      ['b', handler],
      ['a', handler],
    ],
  })
  assert.deepEqual(protocols, ['b', 'a', 'c'])
  assert.deepEqual(headers.slice(4), [['sec-websocket-protocol', 'b, a, c']])
})

test('the answer of RFC 6455 has no fault, whatever the case of its tokens', () => {
  assert.equal(faultOf(good()), undefined)
  assert.equal(faultOf(good({ upgrade: 'WebSocket', connection: 'keep-alive, UPGRADE' })), undefined)
})

test('the accept key must be that of the key that was sent', () => {
  assert.equal(
    faultOf(good({ 'sec-websocket-accept': undefined })),
    'sec-websocket-accept is missing, which does not match the key',
  )
  const other = createHash('sha1').update('other').digest('base64')
  assert.match(faultOf(good({ 'sec-websocket-accept': other })) ?? '', /does not match the key/)
  assert.match(faultOf(good({ 'sec-websocket-accept': ACCEPT.toLowerCase() })) ?? '', /does not match/)
  assert.match(faultOf([...good(), ['sec-websocket-accept', ACCEPT]]) ?? '', /does not match the key/)
})

test('upgrade must be websocket and connection must have upgrade', () => {
  assert.equal(faultOf(good({ upgrade: undefined })), 'upgrade is missing, not websocket')
  assert.equal(faultOf(good({ upgrade: 'h2c' })), 'upgrade is "h2c", not websocket')
  assert.equal(faultOf(good({ upgrade: 'websocket, h2c' })), 'upgrade is "websocket, h2c", not websocket')
  assert.equal(faultOf(good({ connection: undefined })), 'connection is missing, without upgrade')
  assert.equal(faultOf(good({ connection: 'upgraded' })), 'connection is "upgraded", without upgrade')
})

test('a subprotocol must be one that was asked for', () => {
  const chosen = good({ 'sec-websocket-protocol': 'b' })
  assert.equal(faultOf(chosen, ['a', 'b']), undefined)
  assert.equal(faultOf(chosen, ['a']), 'the subprotocol "b" was not asked for')
  assert.equal(faultOf(chosen), 'the subprotocol "b" was not asked for')
  assert.match(faultOf(good({ 'sec-websocket-protocol': 'B' }), ['b']) ?? '', /was not asked for/)
  assert.match(faultOf(good({ 'sec-websocket-protocol': 'a, b' }), ['a', 'b']) ?? '', /was not asked for/)
  assert.equal(faultOf(good(), ['a']), undefined)
})

test('an extension that was not offered is a fault', () => {
  assert.equal(
    faultOf(good({ 'sec-websocket-extensions': 'permessage-deflate' })),
    'sec-websocket-extensions is "permessage-deflate": the extension permessage-deflate was not offered',
  )
})

const EXTENSIONS = 'sec-websocket-extensions'

function offerOf(compress: NonNullable<WsOpts['compress']>): string | undefined {
  return proposeUpgrade([], { compress }).headers.find(([name]) => name === EXTENSIONS)?.[1]
}

const offers: readonly [compress: boolean | CompressOpts, params: string][] = [
  [true, '; client_max_window_bits'],
  [{}, '; client_max_window_bits'],
  [{ serverNoContextTakeover: true }, '; server_no_context_takeover; client_max_window_bits'],
  [{ clientNoContextTakeover: true }, '; client_no_context_takeover; client_max_window_bits'],
  [{ serverNoContextTakeover: false, clientNoContextTakeover: false }, '; client_max_window_bits'],
  [{ serverMaxWindowBits: 8 }, '; server_max_window_bits=8; client_max_window_bits'],
  [{ serverMaxWindowBits: 15 }, '; server_max_window_bits=15; client_max_window_bits'],
  [{ clientMaxWindowBits: 8 }, '; client_max_window_bits=8'],
  [{ clientMaxWindowBits: 15 }, '; client_max_window_bits=15'],
  [{ threshold: 0, level: 9, memLevel: 1 }, '; client_max_window_bits'],
  [
    {
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
      serverMaxWindowBits: 10,
      clientMaxWindowBits: 11,
    },
    '; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=11',
  ],
]

test('what is offered says what compress says, once, and nothing that concerns this side alone', () => {
  assert.equal(offerOf(false), undefined)
  for (const [compress, params] of offers) assert.equal(offerOf(compress), `permessage-deflate${params}`)
})

/** What is made of an answer to the offer of `compress`. */
function answer(compress: boolean | CompressOpts, value: string): { fault?: string; deflation?: Deflation } {
  const begun = { ...proposeUpgrade([], { compress }), key: KEY }
  const agreement = agreeOnUpgrade(begun, good({ [EXTENSIONS]: value }))
  if (!(agreement instanceof GunError)) {
    assert.ok(agreement.deflation !== undefined)
    return { deflation: agreement.deflation }
  }
  assert.ok(agreement.cause instanceof Error)
  const prefix = `sec-websocket-extensions is ${JSON.stringify(value)}: `
  const fault = say(agreement) ?? ''
  assert.ok(fault.startsWith(prefix), fault)
  return { fault: fault.slice(prefix.length) }
}

test('a server may decline to compress', () => {
  const begun = { ...proposeUpgrade([], { compress: { serverNoContextTakeover: true } }), key: KEY }
  assert.deepEqual(agreeOnUpgrade(begun, good()), { subprotocol: undefined, deflation: undefined })
})

const agreed: readonly [compress: boolean | CompressOpts, params: string][] = [
  [true, ''],
  [true, '; server_no_context_takeover'],
  [true, '; client_no_context_takeover'],
  [true, '; server_max_window_bits=8'],
  [true, '; server_max_window_bits=15'],
  [true, '; client_max_window_bits=8'],
  [true, '; client_max_window_bits="15"'],
  [true, ';server_max_window_bits="10" ;\tclient_no_context_takeover'],
  [{ serverNoContextTakeover: true }, '; server_no_context_takeover'],
  [{ clientNoContextTakeover: true }, ''],
  [{ clientNoContextTakeover: false, serverNoContextTakeover: false }, '; client_no_context_takeover'],
  [{ serverMaxWindowBits: 10 }, '; server_max_window_bits=10'],
  [{ serverMaxWindowBits: 10 }, '; server_max_window_bits=9'],
  [{ serverMaxWindowBits: 15 }, ''],
  [{ serverMaxWindowBits: 8 }, ''],
  [{ serverMaxWindowBits: 10 }, '; client_no_context_takeover'],
  [{ clientMaxWindowBits: 10 }, ''],
  [{ clientMaxWindowBits: 10 }, '; client_max_window_bits=10'],
  [{ clientMaxWindowBits: 10 }, '; client_max_window_bits=9'],
]

test('an answer within the offer is agreed on (RFC 7692 section 7.1)', () => {
  for (const [compress, params] of agreed) {
    const value = `permessage-deflate${params}`
    const { fault, deflation } = answer(compress, value)
    assert.equal(fault, undefined, value)
    assert.equal(deflation?.answer, value)
  }
})

test('the threshold is 1024 bytes unless compress says otherwise', () => {
  assert.equal(answer(true, 'permessage-deflate').deflation?.threshold, 1024)
  assert.equal(answer({ level: 1 }, 'permessage-deflate').deflation?.threshold, 1024)
  assert.equal(answer({ threshold: 0 }, 'permessage-deflate').deflation?.threshold, 0)
})

const refused: readonly (readonly [compress: boolean | CompressOpts, answer: string, fault: RegExp])[] = [
  [true, 'x-webkit-deflate-frame', /^the extension x-webkit-deflate-frame was not offered$/],
  [true, 'permessage-deflate, other', /^the extension other was not offered$/],
  [true, 'Permessage-Deflate', /^the extension Permessage-Deflate was not offered$/],
  [true, '', /^the extension permessage-deflate must be accepted once$/],
  [
    true,
    'permessage-deflate, permessage-deflate',
    /^the extension permessage-deflate must be accepted once$/,
  ],
  [true, 'permessage-deflate; foo', /^the parameter foo is unknown$/],
  [
    true,
    'permessage-deflate; server_max_window_bits=9; server_max_window_bits=9',
    /^the parameter server_max_window_bits must be given once$/,
  ],
  ...['server_no_context_takeover', 'client_no_context_takeover'].map(
    name =>
      [
        true,
        `permessage-deflate; ${name}=1`,
        new RegExp(`^the parameter ${name} must be without a value, not 1$`),
      ] as const,
  ),
  ...['server_max_window_bits', 'client_max_window_bits'].flatMap(name =>
    ['', '=7', '=16', '=09', '=8.5', '=1e1', '=0xA', '=+9'].map(
      given =>
        [
          true,
          `permessage-deflate; ${name}${given}`,
          new RegExp(`^the parameter ${name} must be a number from 8 to 15, not `),
        ] as const,
    ),
  ),
  [
    { serverNoContextTakeover: true },
    'permessage-deflate',
    /^the answer lacks server_no_context_takeover, which was asked for$/,
  ],
  [
    { serverMaxWindowBits: 10 },
    'permessage-deflate; server_max_window_bits=11',
    /^server_max_window_bits must be at most 10$/,
  ],
  [
    { clientMaxWindowBits: 10 },
    'permessage-deflate; client_max_window_bits=11',
    /^client_max_window_bits must be at most 10$/,
  ],
  [true, 'permessage-deflate; server_max_window_bits=" 9"', /^the list of extensions is malformed$/],
  [true, 'permessage-deflate; server_max_window_bits=""', /^the list of extensions is malformed$/],
  [true, 'permessage-deflate;', /^the list of extensions is malformed$/],
  [true, 'permessage-deflate; =9', /^the list of extensions is malformed$/],
]

test('an answer beyond the offer, or that is none, is a fault that says what is wrong', () => {
  for (const [compress, value, said] of refused) {
    assert.match(answer(compress, value).fault ?? `agreed on ${value}`, said)
  }
})

test('two headers are one list, of which the second is a second extension', () => {
  const begun = { ...proposeUpgrade([], { compress: true }), key: KEY }
  const headers = [
    ...good({ [EXTENSIONS]: 'permessage-deflate' }),
    [EXTENSIONS, 'permessage-deflate'] as const,
  ]
  assert.match(say(agreeOnUpgrade(begun, headers)) ?? '', /must be accepted once$/)
})
