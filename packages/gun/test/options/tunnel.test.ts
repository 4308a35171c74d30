/** The options of tunnels, SOCKS5 and raw: what is refused is named with its whole path, and no password is shown. */

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { GunError } from '../../src/errors.ts'
import { ConnPid, StreamRef } from '../../src/handles.ts'
import {
  checkConnectDestination,
  checkOpts,
  checkPingOpts,
  checkReqOpts,
  checkWsOpts,
} from '../../src/options/checks.ts'

const tunnel = new StreamRef(new ConnPid(undefined as never), () => {})

function refuse(check: (value: unknown) => void, value: unknown, path: string, said: RegExp): void {
  assert.throws(
    () => check(value),
    (error: unknown) => {
      assert.ok(error instanceof GunError)
      assert.deepEqual([error.code, error.kind], ['bad_option', 'options'])
      assert.equal(error.message.split(' ')[0], path, error.message)
      assert.match(error.message, said)
      assert.doesNotMatch(inspect(error), /hidden/)
      return true
    },
    inspect(value),
  )
}

const end = { host: 'example.org', port: 443 }

/** The places where the end of a tunnel may stand, each with the path of its options. */
const places: [path: string, check: (end: unknown) => void][] = [
  ['destination', checkConnectDestination],
  ['socksOpts', socksOpts => checkOpts({ socksOpts })],
  ['protocols.0.1', opts => checkOpts({ protocols: [['socks', opts]] })],
  ['destination.protocols.0.1', opts => checkConnectDestination({ ...end, protocols: [['socks', opts]] })],
  [
    'protocols.0.1.protocols.0.1',
    opts => checkOpts({ protocols: [['socks', { ...end, protocols: [['socks', opts]] }]] }),
  ],
]

for (const [path, check] of places) {
  describe(`the end of a tunnel in ${path}`, () => {
    test('has a host and a port', () => {
      for (const host of ['example.org', 'b\u00fccher.test.', '127.0.0.1', '::1', 'fe80::1%eth0']) {
        for (const port of [1, 65535]) check({ host, port })
      }
      refuse(check, {}, `${path}.host`, /must be given$/)
      refuse(check, { host: 'a' }, `${path}.port`, /must be given$/)
      refuse(check, { port: 1 }, `${path}.host`, /must be given$/)
      for (const host of ['', 'a:1', '[::1]', 'http://a', 'a b', null, 1, undefined]) {
        refuse(check, { ...end, host }, `${path}.host`, /must be a name or an address alone$/)
      }
      for (const port of [0, -1, 65536, 1.5, Number.NaN, '443', null, undefined]) {
        refuse(check, { ...end, port }, `${path}.port`, /must be (an integer between 1 and 65535|a number)$/)
      }
      for (const value of [null, 'example.org', []]) refuse(check, value, path, /must be an object$/)
    })

    test('has the options that say how it is spoken to', () => {
      check({
        ...end,
        transport: 'tls',
        tlsOpts: { ca: 'x' },
        tlsHandshakeTimeout: 1,
        protocols: ['http2', 'http'],
      })
      check({ ...end, transport: 'tcp', protocols: [['http', { version: 'HTTP/1.0' }]] })
      // As in open: a named transport may be one of several that share their options.
      check({ ...end, transport: 'tcp', tlsOpts: {} })
      check({ ...end, tlsOpts: undefined, transport: undefined, protocols: undefined })
      refuse(check, { ...end, transport: 'ssl' }, `${path}.transport`, /must be 'tcp' or 'tls'$/)
      refuse(check, { ...end, tlsOpts: {} }, `${path}.tlsOpts`, /^\S+ are given, but transport does not say/)
      refuse(
        check,
        { ...end, transport: 'tls', tlsOpts: { port: 1 } },
        `${path}.tlsOpts.port`,
        /is an argument/,
      )
      refuse(check, { ...end, tlsHandshakeTimeout: -1 }, `${path}.tlsHandshakeTimeout`, /must be between 0/)
      refuse(check, { ...end, proxy: 1 }, `${path}.proxy`, /is not an option/)
    })

    test('names its protocols as open does, and the options of each', () => {
      for (const protocols of [['http'], ['http2'], ['raw'], [['raw', { flow: 1 }]], [['socks', end]]]) {
        check({ ...end, protocols })
      }
      const inner = `${path}.protocols`
      const wrong: [protocols: unknown, path: string, said: RegExp][] = [
        ['http', inner, /must be an array$/],
        [[], inner, /must name at least one protocol$/],
        [['http', 'http'], inner, /must name each protocol once$/],
        [['http2', 'http'], inner, /must name exactly one protocol over tcp$/],
        [['http', 'raw'], inner, /must name raw or socks alone/],
        [['socks'], inner, /must have options for socks: \['socks', { host, port }\]/],
        [['ws'], `${inner}.0`, /must be 'http', 'http2', 'raw' or 'socks'/],
        [[['raw', { flow: 0 }]], `${inner}.0.1.flow`, /must be at least 1$/],
        [[['socks', { host: 'a b', port: 1 }]], `${inner}.0.1.host`, /must be a name/],
      ]
      for (const [protocols, where, said] of wrong) refuse(check, { ...end, protocols }, where, said)
    })
  })
}

describe('protocols', () => {
  test('raw and socks stand alone, over either transport', () => {
    for (const transport of ['tcp', 'tls'] as const) {
      checkOpts({ transport, protocols: ['raw'] })
      checkOpts({ transport, protocols: [['raw', { flow: 1, sendHighWaterMark: 0 }]] })
      checkOpts({ transport, protocols: [['socks', end]] })
      for (const protocols of [
        ['raw', 'http'],
        ['http2', ['raw', {}]],
        ['http', ['socks', end]],
        ['raw', ['socks', end]],
      ]) {
        refuse(
          checkOpts,
          { transport, protocols },
          'protocols',
          /must name raw or socks alone: no server can/,
        )
      }
    }
  })

  test('socks has a host and a port, beside it or in socksOpts', () => {
    checkOpts({ protocols: ['socks'], socksOpts: end })
    checkOpts({ socksOpts: end })
    refuse(checkOpts, { protocols: ['socks'] }, 'protocols.0', /needs a host and a port: give \['socks', /)
    refuse(
      checkOpts,
      { protocols: ['socks'], socksOpts: undefined },
      'protocols.0',
      /needs a host and a port/,
    )
    refuse(checkOpts, { protocols: ['socks'], socksOpts: {} }, 'socksOpts.host', /must be given/)
    refuse(checkOpts, { protocols: [['socks', {}]], socksOpts: end }, 'protocols.0.1.host', /must be given/)
    refuse(checkOpts, { protocols: [['socks']] }, 'protocols.0', /must be 'http', /)
  })

  test('options of raw are those of open or beside its name', () => {
    checkOpts({ rawOpts: { flow: 1, sendHighWaterMark: 0 } })
    refuse(checkOpts, { rawOpts: { flow: 0 } }, 'rawOpts.flow', /must be at least 1$/)
    refuse(checkOpts, { rawOpts: { sendHighWaterMark: -1 } }, 'rawOpts.sendHighWaterMark', /at least 0$/)
    refuse(checkOpts, { rawOpts: { keepalive: 1 } }, 'rawOpts.keepalive', /is not an option/)
    refuse(checkOpts, { protocols: [['raw', 1]] }, 'protocols.0.1', /must be an object$/)
  })
})

describe('credentials are checked, and never shown', () => {
  const login = (username: unknown, password: unknown) => ['username_password', username, password]

  test('those of SOCKS5 have 1 to 255 bytes', () => {
    const check = (auth: unknown) => checkOpts({ protocols: [['socks', { ...end, auth, version: 5 }]] })
    for (const auth of [
      undefined,
      ['none'],
      [login('me', 'x')],
      ['none', login('a'.repeat(255), '\u00fc'.repeat(127))],
      [login('a:b', 'c\n'), 'none'],
    ]) {
      check(auth)
    }
    const path = 'protocols.0.1.auth'
    const wrong: [auth: unknown, path: string, said: RegExp][] = [
      ['none', path, /must be an array$/],
      [[], path, /must name at least one method$/],
      [['none', 'none'], path, /must name each method once$/],
      [[login('hidden', 'x'), login('hidden', 'y')], path, /must name each method once$/],
      [['gssapi'], `${path}.0`, /must be 'none' or \['username_password', username, password\]$/],
      [[{ hidden: 1 }], `${path}.0`, /must be 'none' or/],
      [[['none']], `${path}.0.0`, /must be 'none' or/],
      [[['username_password', 'hidden']], `${path}.0.2`, /must be a string of 1 to 255 bytes$/],
      [['none', [...login('hidden', 'hidden'), 1]], `${path}.1.3`, /must be 'none' or/],
      [[['password', 'hidden', 'hidden']], `${path}.0.0`, /must be 'none' or/],
      [[login('', 'hidden')], `${path}.0.1`, /must be a string of 1 to 255 bytes$/],
      [[login('hidden', '')], `${path}.0.2`, /must be a string of 1 to 255 bytes$/],
      [[login(1, 'hidden')], `${path}.0.1`, /must be a string of 1 to 255 bytes$/],
      [[login('\u00fc'.repeat(128), 'hidden')], `${path}.0.1`, /must be a string of 1 to 255 bytes$/],
      [[login('hidden', 'x'.repeat(256))], `${path}.0.2`, /must be a string of 1 to 255 bytes$/],
    ]
    for (const [auth, where, said] of wrong) refuse(check, auth, where, said)
    for (const version of [4, '5', null]) {
      refuse(checkOpts, { socksOpts: { ...end, version } }, 'socksOpts.version', /must be 5$/)
    }
  })

  test('those of a CONNECT are text that Basic can carry', () => {
    for (const user of [
      {},
      { username: '', password: '' },
      { username: 'j\u00fcrgen', password: 'a:b' },
      { username: 'me' },
    ]) {
      checkConnectDestination({ ...end, ...user })
    }
    for (const username of ['hidden:', 'hidden\n', 'hidden\0', 1, null]) {
      refuse(
        checkConnectDestination,
        { ...end, username },
        'destination.username',
        /without a colon and without/,
      )
    }
    for (const password of ['hidden\r\n', '\x7fhidden', 1, null]) {
      refuse(
        checkConnectDestination,
        { ...end, password },
        'destination.password',
        /without control characters$/,
      )
    }
    refuse(checkConnectDestination, { ...end, auth: ['none'] }, 'destination.auth', /is not an option/)
    refuse(checkOpts, { socksOpts: { ...end, username: 'hidden' } }, 'socksOpts.username', /is not an option/)
  })
})

test('a tunnel is the StreamRef of one', () => {
  const checks: [name: string, check: (value: unknown) => void][] = [
    ['reqOpts', checkReqOpts],
    ['wsOpts', checkWsOpts],
    ['reqOpts', checkPingOpts],
  ]
  for (const [name, check] of checks) {
    check({ tunnel, replyTo: () => {} })
    check({ tunnel: undefined })
    for (const wrong of [null, 1, {}, [tunnel], new ConnPid(undefined as never)]) {
      refuse(check, { tunnel: wrong }, `${name}.tunnel`, /must be a StreamRef, that of a tunnel$/)
    }
  }
  refuse(checkPingOpts, { flow: 1 }, 'reqOpts.flow', /is not an option/)
  refuse(checkOpts, { wsOpts: { tunnel } }, 'wsOpts.tunnel', /is an option of wsUpgrade/)
})
