/** The opening handshake: what the request carries, and what the answer must say (RFC 6455 section 4). */

import { hash, randomFillSync } from 'node:crypto'
import { GunError } from '../errors.js'
import { headerValue } from '../headers.js'
import type { Headers } from '../messages.js'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** What only the handshake may set. A caller's own would be a second copy. */
const OURS = new Set([
  'connection',
  'upgrade',
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-accept',
  'sec-websocket-extensions',
  'content-length',
  'transfer-encoding',
])

/** A handshake under way. */
export interface Handshake {
  /** The headers of the request but for host. */
  readonly headers: Headers
  readonly key: string
  /** The subprotocols that were asked for. */
  readonly protocols: readonly string[]
}

/** Begins a handshake; `given` are the caller's headers, normalised. */
export function startHandshake(given: Headers): Handshake {
  const key = newKey()
  const own: Headers = [
    ['connection', 'upgrade'],
    ['upgrade', 'websocket'],
    ['sec-websocket-version', '13'],
    ['sec-websocket-key', key],
  ]
  const protocols = headerValue(given, 'sec-websocket-protocol')
  return {
    headers: [...own, ...given.filter(([name]) => !OURS.has(name))],
    key,
    protocols: protocols === undefined ? [] : listOf(protocols),
  }
}

/** What is wrong with the 101 response, as the error that ends the connection; `undefined` if nothing is. */
export function findFault(handshake: Handshake, headers: Headers): GunError | undefined {
  const upgrade = headerValue(headers, 'upgrade')
  if (upgrade?.toLowerCase() !== 'websocket') return fault(`upgrade is ${say(upgrade)}, not websocket`)
  const connection = headerValue(headers, 'connection')
  if (!listOf(connection?.toLowerCase() ?? '').includes('upgrade')) {
    return fault(`connection is ${say(connection)}, without upgrade`)
  }
  const accept = headerValue(headers, 'sec-websocket-accept')
  if (accept !== acceptFor(handshake.key))
    return fault(`sec-websocket-accept is ${say(accept)}, which does not match the key`)
  const protocol = headerValue(headers, 'sec-websocket-protocol')
  if (protocol !== undefined && !handshake.protocols.includes(protocol)) {
    return fault(`the subprotocol ${say(protocol)} was not asked for`)
  }
  const extensions = headerValue(headers, 'sec-websocket-extensions')
  if (extensions !== undefined) return fault(`the extension ${say(extensions)} was not offered`)
  return undefined
}

const KEY_BYTES = 16
/** Random bytes for the next handshakes: a call of the system for each would cost more than all else in here. */
const pool = Buffer.alloc(256 * KEY_BYTES)
let taken = pool.length

function newKey(): string {
  if (taken === pool.length) {
    randomFillSync(pool)
    taken = 0
  }
  taken += KEY_BYTES
  return pool.toString('base64', taken - KEY_BYTES, taken)
}

function acceptFor(key: string): string {
  return hash('sha1', key + GUID, 'base64')
}

function listOf(value: string): string[] {
  return value
    .split(',')
    .map(item => item.trim())
    .filter(item => item !== '')
}

function say(value: string | undefined): string {
  return value === undefined ? 'missing' : JSON.stringify(value)
}

function fault(what: string): GunError {
  return new GunError('bad_upgrade', 'connection_error', `the server accepted the upgrade wrongly: ${what}`)
}
