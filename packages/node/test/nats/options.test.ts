// The options of `nats` are checked at once, and an error names the one that is wrong and shows no secret.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type NatsOptions, nats } from '@holster/node/nats'

const wrong: readonly (readonly [options: unknown, message: RegExp])[] = [
  [null, /^options must be an object/],
  [{ url: 'x' }, /^options\.url is not an option of nats: did you mean 'servers'\?$/],
  [{ password: 'x' }, /^options\.password is not an option of nats: did you mean 'pass'\?$/],
  [{ noEcho: false }, /^options\.noEcho is not an option of nats/],
  [{ inboxPrefix: 'x' }, /^options\.inboxPrefix is not an option of nats/],
  [{ prefix: '' }, /^options\.prefix must be words of/],
  [{ prefix: 'a..b' }, /^options\.prefix must be words of .*, not 'a\.\.b'$/],
  [{ prefix: 'a.*' }, /^options\.prefix must be words of/],
  [{ prefix: 'a b' }, /^options\.prefix must be words of/],
  [{ prefix: 'a'.repeat(129) }, /^options\.prefix must be words of/],
  [{ servers: '' }, /^options\.servers must be 'host:port'/],
  [{ servers: [] }, /^options\.servers must be 'host:port'/],
  [{ servers: ['x', 1] }, /^options\.servers must be 'host:port'/],
  [{ servers: 'wss://x' }, /^options\.servers must be reached over TCP/],
  [{ servers: 'x', port: 4222 }, /^options\.servers and options\.port exclude each other/],
  [{ port: 0 }, /^options\.port must be a whole number from 1 to 65535, not 0$/],
  [{ port: 65_536 }, /^options\.port must be a whole number from 1 to 65535/],
  [
    { maxReconnectAttempts: -2 },
    /^options\.maxReconnectAttempts must be a whole number of at least -1, not -2$/,
  ],
  [{ maxPingOut: 0 }, /^options\.maxPingOut must be a whole number of at least 1/],
  [{ pingInterval: 'soon' }, /^options\.pingInterval must be a number of milliseconds/],
  [{ reconnect: 1 }, /^options\.reconnect must be true or false, not 1$/],
  [{ authenticator: 'x' }, /^options\.authenticator must be a function, or an array of functions$/],
  [{ tls: true }, /^options\.tls must be an object, not true$/],
  [{ user: 1 }, /^options\.user must be a string$/],
]

for (const [options, message] of wrong) {
  test(`nats throws at once for ${JSON.stringify(options).slice(0, 60)}`, () => {
    assert.throws(
      () => nats(options as NatsOptions),
      (error: Error) => {
        assert.ok(error instanceof TypeError || error instanceof RangeError)
        assert.match(error.message, message)
        return true
      },
    )
  })
}

test('nats shows no password, also where it is no string', () => {
  assert.throws(
    () => nats({ pass: ['secret of mine'] as never }),
    ({ message }: Error) => message === 'options.pass must be a string',
  )
})

test('nats takes the options of the client, and those that are undefined', () => {
  const { name, isShared } = nats({
    servers: ['one:4222', 'two'],
    prefix: 'a.b-c_D9',
    user: 'u',
    pass: 'p',
    tls: null,
    maxReconnectAttempts: -1,
    pingInterval: undefined as never,
  })
  assert.deepEqual([name, isShared], ['nats', true])
})
