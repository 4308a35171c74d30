/**
 * TLS: dialled directly or spoken over a connected stream; the peer is verified, and ALPN chooses the
 * protocol.
 */

import { isIP, connect as netConnect } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket, connect as tlsConnect } from 'node:tls'
import { GunError } from '../errors.js'
import { parseHost } from '../options/host.js'
import { merge } from '../options/merge.js'
import type { TlsOpts } from '../options/socket.js'
import type { ProtocolName } from '../words.js'
import { offer, problemWith, spokenOver } from './alpn.js'
import { type Abort, type Answer, defer } from './contract.js'
import { textOf } from './error-text.js'
import { ignoreErrors } from './race.js'
import { RECORD, readingShared } from './reading.js'
import type { Dial, DialOpts } from './tcp.js'
import { guardFunctions, type GuardedOptions as Secure } from './tls-functions.js'

/** The guarded options with which a socket speaks TLS. */
const speakers = new WeakMap<TLSSocket, Secure>()

/**
 * Dials with a socket that speaks TLS itself, because among TLS sockets only such a one can be read into the
 * shared buffer. Where that is impossible, dials with a plain socket over which TLS is spoken later.
 */
export function dialTls(
  host: string,
  tlsOpts: TlsOpts | undefined,
  protocols: readonly ProtocolName[],
): Dial {
  return opts => {
    try {
      const secure = optionsOf(host, tlsOpts, protocols)
      if (canBeOne(secure, opts)) return connectSecure(secure, opts)
    } catch {
      // The handshake reports wrong options of TLS.
    }
    return netConnect(opts)
  }
}

/** A socket that speaks TLS, and the protocol that was agreed on for it. */
export interface Secured {
  readonly socket: TLSSocket
  readonly protocol: ProtocolName
}

/** Performs the TLS handshake over `stream` for `host`, and agrees on one of the protocols. */
export function handshake(
  stream: Duplex,
  host: string,
  tlsOpts: TlsOpts | undefined,
  protocols: readonly ProtocolName[],
  answer: Answer<Secured>,
): Abort {
  let socket: TLSSocket
  try {
    const isOurs = stream instanceof TLSSocket && stream.alpnProtocol === null
    socket = isOurs ? stream : speakOver(stream, optionsOf(host, tlsOpts, protocols))
  } catch (cause) {
    stream.on('error', () => {})
    stream.destroy()
    return defer(() => answer(failure(host, cause, true)))
  }
  const leave = () => {
    socket.off('secureConnect', done)
    socket.off('close', closed)
    ignoreErrors(socket, fail)
  }
  const fail = (cause: unknown) => {
    leave()
    socket.destroy()
    answer(speakers.get(socket)?.mistake ?? failure(host, cause))
  }
  const closed = () => fail(new Error('the peer closed the connection'))
  const done = () => {
    const problem = problemWith(socket.alpnProtocol, protocols)
    if (problem !== undefined) return fail(new Error(problem))
    // The new user of the socket adds its own listeners before anything can happen to the socket.
    socket.off('error', fail)
    socket.off('close', closed)
    answer({ socket, protocol: spokenOver(socket, protocols) })
  }
  socket.on('error', fail)
  socket.on('close', closed)
  socket.once('secureConnect', done)
  return () => {
    leave()
    socket.destroy()
    stream.destroy()
    return []
  }
}

function optionsOf(host: string, tlsOpts: TlsOpts | undefined, protocols: readonly ProtocolName[]): Secure {
  const { host: certificateHost, servername: sniName, ...rest } = merge({} as TlsOpts, tlsOpts)
  // `servername` sets both the name sent by SNI and the certificate's name, `host` only the latter.
  const identity = parseHost(sniName || certificateHost || host).identity
  const name = sniName ?? (certificateHost === undefined ? identity : '')
  // RFC 6066 section 3: SNI names a host, never an address.
  const servername = name === '' || isIP(identity) !== 0 ? '' : identity
  const names = offer(protocols)
  const options = { ...rest, host: identity, ...(names.length > 0 && { ALPNProtocols: names }) }
  return guardFunctions(servername === '' ? options : { ...options, servername })
}

/**
 * Whether a socket that connects and speaks TLS by itself would verify the right name. Without a `servername`
 * it verifies the address that it connects to.
 */
function canBeOne({ options: { host, servername } }: Secure, opts: DialOpts): boolean {
  return servername !== undefined || opts.host === host
}

function connectSecure(secure: Secure, opts: DialOpts): TLSSocket {
  const socket = readingShared(reading => tlsConnect({ ...secure.options, ...opts, ...reading }), RECORD)
  speakers.set(socket, secure)
  // Node 20 ignores these options for TLS sockets.
  if (opts.noDelay) socket.setNoDelay(true)
  if (opts.keepAlive) socket.setKeepAlive(true, opts.keepAliveInitialDelay)
  return socket
}

function speakOver(stream: Duplex, secure: Secure): TLSSocket {
  const socket = tlsConnect({ ...secure.options, socket: stream })
  speakers.set(socket, secure)
  // Without this a reset would look like an ordinary close.
  stream.on('error', cause => socket.destroy(cause))
  return socket
}

/**
 * Returns the error of a failed handshake. With `isPermanent` the options are wrong and would fail the next
 * attempt too.
 */
function failure(host: string, cause: unknown, isPermanent = false): GunError {
  if (cause instanceof GunError) return cause
  const text = `the TLS handshake with ${host} failed: ${textOf(cause)}`
  return new GunError('tls_error', 'connection_error', text, { cause, isPermanent })
}
