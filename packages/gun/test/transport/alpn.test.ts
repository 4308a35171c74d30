import assert from 'node:assert/strict'
import { test } from 'node:test'
import { offer, problemWith } from '../../src/transport/alpn.ts'

// No server of OpenSSL's chooses what was not offered, so there is no real peer for this.

test('what is offered is named as ALPN has it, in the order in which it is preferred', () => {
  assert.deepEqual(offer(['http2', 'http']), ['h2', 'http/1.1'])
  assert.deepEqual(offer(['http', 'http2']), ['http/1.1', 'h2'])
})

for (const [chosen, protocols] of [
  ['h2', ['http']],
  ['http/1.1', ['http2']],
  ['http/1.0', ['http2', 'http']],
  ['H2', ['http2', 'http']],
  ['h2c', ['http2']],
  ['http2', ['http2']],
] as const) {
  test(`${chosen} is a problem where ${offer(protocols).join(' and ')} was offered, which says both`, () => {
    const expected = `the server chose "${chosen}" by ALPN, which was not offered (${offer(protocols).join(', ')})`
    assert.equal(problemWith(chosen, protocols), expected)
  })
}

test('what was offered is none, nor is a server that chooses nothing', () => {
  for (const chosen of ['h2', 'http/1.1', false, null] as const) {
    assert.equal(problemWith(chosen, ['http2', 'http']), undefined)
  }
  assert.equal(problemWith(false, ['http2']), undefined)
})
