import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { Headers } from '../src/messages.ts'
import { findFault, type Handshake, startHandshake } from '../src/ws/handshake.ts'

/** RFC 6455 section 1.3. */
const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='

function handshake(protocols: readonly string[] = []): Handshake {
  return { headers: [], key: KEY, protocols }
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
  const fault = findFault(handshake(protocols), headers)
  if (fault === undefined) return undefined
  assert.equal(fault.code, 'bad_upgrade')
  assert.equal(fault.kind, 'connection_error')
  return fault.message.replace('the server accepted the upgrade wrongly: ', '')
}

test('a handshake has all that an upgrade needs and a fresh key of 16 bytes', () => {
  const { headers, key, protocols } = startHandshake([])
  assert.deepEqual(headers, [
    ['connection', 'upgrade'],
    ['upgrade', 'websocket'],
    ['sec-websocket-version', '13'],
    ['sec-websocket-key', key],
  ])
  assert.equal(Buffer.from(key, 'base64').length, 16)
  assert.notEqual(startHandshake([]).key, key)
  assert.deepEqual(protocols, [])
})

test("a caller's headers follow, but for those that only the handshake may set", () => {
  const { headers, key } = startHandshake([
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
  ])
  assert.deepEqual(headers.slice(4), [
    ['authorization', 'Basic Og=='],
    ['cookie', 'a=1'],
    ['cookie', 'b=2'],
  ])
  assert.equal(headers.filter(([name]) => name === 'sec-websocket-key').length, 1)
  assert.notEqual(key, 'mine')
})

test('subprotocols are taken from plain headers, from one or several', () => {
  const { headers, protocols } = startHandshake([
    ['sec-websocket-protocol', 'a, b ,c'],
    ['sec-websocket-protocol', 'd'],
  ])
  assert.deepEqual(protocols, ['a', 'b', 'c', 'd'])
  assert.deepEqual(headers.slice(4), [
    ['sec-websocket-protocol', 'a, b ,c'],
    ['sec-websocket-protocol', 'd'],
  ])
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
    'the extension "permessage-deflate" was not offered',
  )
})
