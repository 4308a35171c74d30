/**
 * The opening handshake: the headers of the request, and the check of the server's answer
 * (RFC 6455 section 4).
 */

import { hash, randomFillSync } from 'node:crypto'
import { GunError } from '../errors.js'
import { headerValue } from '../headers.js'
import { WS_DEFAULTS, type WsOpts } from '../options/websocket.js'
import type { Headers } from '../words.js'
import { agreeOn, type Deflation, type Offer, offerDeflate } from './deflate.js'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

const PROTOCOL = 'sec-websocket-protocol'
const EXTENSIONS = 'sec-websocket-extensions'

/** Headers that only the handshake may set; a header of the caller's would be a second copy. */
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

/** The parts of an upgrade request. */
export interface Proposal {
  /** The headers of the request, except host. */
  readonly headers: Headers
  /** The subprotocols requested. */
  readonly protocols: readonly string[]
  /** The compression offered. */
  readonly offer: Offer | undefined
}

/** A handshake under way over HTTP/1.1. */
export interface Handshake extends Proposal {
  readonly key: string
}

/** The result of a handshake that succeeded. */
export interface Agreement {
  readonly subprotocol: string | undefined
  readonly deflation: Deflation | undefined
}

/** Begins a handshake over HTTP/1.1. `callerHeaders` are the caller's normalised headers. */
export function proposeUpgrade(callerHeaders: Headers, opts: WsOpts): Handshake {
  const key = newKey()
  const required: [string, string][] = [
    ['connection', 'upgrade'],
    ['upgrade', 'websocket'],
    ['sec-websocket-version', '13'],
    ['sec-websocket-key', key],
  ]
  return { ...propose(required, callerHeaders, opts), key }
}

/**
 * Begins a handshake over an HTTP/2 stream, whose `:protocol` header already names WebSocket
 * (RFC 8441 section 5).
 */
export function proposeConnect(callerHeaders: Headers, opts: WsOpts): Proposal {
  return propose([['sec-websocket-version', '13']], callerHeaders, opts)
}

function propose(required: [string, string][], callerHeaders: Headers, opts: WsOpts): Proposal {
  // Each subprotocol once (RFC 6455 section 4.1): servers refuse a list with duplicates.
  const protocols = [
    ...new Set([
      ...(opts.protocols ?? []).map(([name]) => name),
      ...listOf(headerValue(callerHeaders, PROTOCOL) ?? ''),
    ]),
  ]
  if (protocols.length > 0) required.push([PROTOCOL, protocols.join(', ')])
  const offer = opts.compress
    ? offerDeflate(opts.compress === true ? {} : opts.compress, opts.maxPayload ?? WS_DEFAULTS.maxPayload)
    : undefined
  if (offer !== undefined) required.push([EXTENSIONS, offer.value])
  return { headers: [...required, ...callerHeaders.filter(([name]) => !OURS.has(name))], protocols, offer }
}

/**
 * Returns the agreement that a 101 response makes, or the error that ends the connection if the response is
 * wrong.
 */
export function agreeOnUpgrade(handshake: Handshake, headers: Headers): Agreement | GunError {
  const upgrade = headerValue(headers, 'upgrade')
  if (upgrade?.toLowerCase() !== 'websocket') return fault(`upgrade is ${quote(upgrade)}, not websocket`)
  const connection = headerValue(headers, 'connection')
  if (!listOf(connection?.toLowerCase() ?? '').includes('upgrade')) {
    return fault(`connection is ${quote(connection)}, without upgrade`)
  }
  const accept = headerValue(headers, 'sec-websocket-accept')
  if (accept !== acceptFor(handshake.key))
    return fault(`sec-websocket-accept is ${quote(accept)}, which does not match the key`)
  return agreeOnConnect(handshake, headers)
}

/** Returns the agreement that the response to a CONNECT makes, or the error if the response is wrong. */
export function agreeOnConnect(proposal: Proposal, headers: Headers): Agreement | GunError {
  const subprotocol = headerValue(headers, PROTOCOL)
  if (subprotocol !== undefined && !proposal.protocols.includes(subprotocol)) {
    return fault(`the subprotocol ${quote(subprotocol)} was not asked for`)
  }
  const answer = headerValue(headers, EXTENSIONS)
  try {
    return { subprotocol, deflation: agreeOn(proposal.offer, answer) }
  } catch (cause) {
    return fault(`sec-websocket-extensions is ${quote(answer)}: ${(cause as Error).message}`, cause)
  }
}

const KEY_BYTES = 16
/**
 * Random bytes for the next handshakes; a system call for each would cost more than the rest of a handshake.
 */
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

function quote(value: string | undefined): string {
  return value === undefined ? 'missing' : JSON.stringify(value)
}

function fault(problem: string, cause?: unknown): GunError {
  const text = `the server accepted the upgrade wrongly: ${problem}`
  return new GunError('bad_upgrade', 'connection_error', text, { cause })
}
