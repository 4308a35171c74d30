/** The opening handshake: what the request carries, and what the answer must say (RFC 6455 section 4). */

import { hash, randomFillSync } from 'node:crypto'
import { GunError } from '../errors.js'
import { headerValue } from '../headers.js'
import { WS_DEFAULTS, type WsOpts } from '../options/websocket.js'
import type { Headers } from '../words.js'
import { agreeOn, type Deflation, type Offer, offerDeflate } from './deflate.js'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

const PROTOCOL = 'sec-websocket-protocol'
const EXTENSIONS = 'sec-websocket-extensions'

/** What only the handshake may set. A caller's own would be a second copy. */
const OURS = new Set([
  'connection',
  'upgrade',
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-accept',
  EXTENSIONS,
  PROTOCOL,
  'content-length',
  'transfer-encoding',
])

/** What is asked for. */
export interface Proposal {
  /** The headers of the request but for host. */
  readonly headers: Headers
  /** The subprotocols that were asked for. */
  readonly protocols: readonly string[]
  /** The compression that was offered. */
  readonly offer: Offer | undefined
}

/** A handshake under way over HTTP/1.1. */
export interface Handshake extends Proposal {
  readonly key: string
}

/** What both sides have agreed on. */
export interface Agreement {
  readonly subprotocol: string | undefined
  readonly deflation: Deflation | undefined
}

/** Begins a handshake over HTTP/1.1; `given` are the caller's headers, normalised. */
export function startHandshake(given: Headers, opts: WsOpts): Handshake {
  const key = newKey()
  const own: [string, string][] = [
    ['connection', 'upgrade'],
    ['upgrade', 'websocket'],
    ['sec-websocket-version', '13'],
    ['sec-websocket-key', key],
  ]
  return { ...propose(own, given, opts), key }
}

/** Begins a handshake over a stream of HTTP/2, which says by itself what it is to become (RFC 8441 section 5). */
export function startConnect(given: Headers, opts: WsOpts): Proposal {
  return propose([['sec-websocket-version', '13']], given, opts)
}

function propose(own: [string, string][], given: Headers, opts: WsOpts): Proposal {
  // Each once (RFC 6455 section 4.1): servers refuse a list that has one twice.
  const protocols = [
    ...new Set([
      ...(opts.protocols ?? []).map(([name]) => name),
      ...listOf(headerValue(given, PROTOCOL) ?? ''),
    ]),
  ]
  if (protocols.length > 0) own.push([PROTOCOL, protocols.join(', ')])
  const offer = opts.compress
    ? offerDeflate(opts.compress === true ? {} : opts.compress, opts.maxPayload ?? WS_DEFAULTS.maxPayload)
    : undefined
  if (offer !== undefined) own.push([EXTENSIONS, offer.value])
  return { headers: [...own, ...given.filter(([name]) => !OURS.has(name))], protocols, offer }
}

/** What the 101 response agrees to, or what is wrong with it, as the error that ends the connection. */
export function finishHandshake(handshake: Handshake, headers: Headers): Agreement | GunError {
  const upgrade = headerValue(headers, 'upgrade')
  if (upgrade?.toLowerCase() !== 'websocket') return fault(`upgrade is ${say(upgrade)}, not websocket`)
  const connection = headerValue(headers, 'connection')
  if (!listOf(connection?.toLowerCase() ?? '').includes('upgrade')) {
    return fault(`connection is ${say(connection)}, without upgrade`)
  }
  const accept = headerValue(headers, 'sec-websocket-accept')
  if (accept !== acceptFor(handshake.key))
    return fault(`sec-websocket-accept is ${say(accept)}, which does not match the key`)
  return finishConnect(handshake, headers)
}

/** What the response to a CONNECT agrees to, or what is wrong with it. */
export function finishConnect(proposal: Proposal, headers: Headers): Agreement | GunError {
  const subprotocol = headerValue(headers, PROTOCOL)
  if (subprotocol !== undefined && !proposal.protocols.includes(subprotocol)) {
    return fault(`the subprotocol ${say(subprotocol)} was not asked for`)
  }
  const answer = headerValue(headers, EXTENSIONS)
  try {
    return { subprotocol, deflation: agreeOn(proposal.offer, answer) }
  } catch (cause) {
    return fault(`sec-websocket-extensions is ${say(answer)}: ${(cause as Error).message}`, cause)
  }
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

function fault(what: string, cause?: unknown): GunError {
  const text = `the server accepted the upgrade wrongly: ${what}`
  return new GunError('bad_upgrade', 'connection_error', text, { cause })
}
