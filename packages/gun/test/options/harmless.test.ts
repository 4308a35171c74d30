import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { harmlessOpts } from '../../src/options/harmless.ts'
import type { Opts } from '../../src/options/options.ts'

test('options without credentials are the same object', () => {
  for (const opts of [{}, { retry: 0 }, { protocols: ['http'] }] as Opts[])
    assert.equal(harmlessOpts(opts), opts)
})

test('credentials are left out wherever they stand, and all else stays', () => {
  const auth = ['none', ['username_password', 'joe', 'secret']] as const
  const end = { host: 'origin.test', port: 80 }
  const inner = { ...end, auth, transport: 'tls' } as const
  const opts: Opts = {
    retry: 3,
    proxy: ['http://joe:secret@one:1', 'socks5://joe:secret@two'],
    socksOpts: { ...end, auth },
    protocols: [['socks', { ...end, auth, protocols: [['socks', inner]] }]],
  }
  const harmless = harmlessOpts(opts)
  assert.doesNotMatch(inspect(harmless, { depth: 20 }), /joe|secret/)
  const hidden = ['none', ['username_password', '…', '…']]
  assert.deepEqual(harmless, {
    retry: 3,
    proxy: ['http://one:1', 'socks5://two:1080'],
    socksOpts: { ...end, auth: hidden },
    protocols: [['socks', { ...end, auth: hidden, protocols: [['socks', { ...inner, auth: hidden }]] }]],
  })
  assert.match(inspect(opts, { depth: 20 }), /secret/)
})
