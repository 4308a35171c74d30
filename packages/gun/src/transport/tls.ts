/** TLS: dialled, or over a stream that is connected; the peer is verified and ALPN says what will be spoken. */

import { isIP, connect as netConnect } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket, connect as tlsConnect } from 'node:tls'
import { GunError } from '../errors.js'
import { parseHost } from '../options/host.js'
import { merge } from '../options/merge.js'
import type { TlsOpts } from '../options/socket.js'
import type { ProtocolName } from '../words.js'
import { offer, problemWith } from './alpn.js'
import { type Abandon, type Answer, later } from './contract.js'
import { textOf } from './error-text.js'
import { ignoreErrors } from './race.js'
import { RECORD, readingShared } from './reading.js'
import type { Dial, DialOpts } from './tcp.js'
import { guardFunctions, type GuardedOptions as Secure } from './tls-functions.js'

/** What a socket speaks TLS with. */
const speakers = new WeakMap<TLSSocket, Secure>()

/**
 * Dials with a socket that will speak TLS itself, since of those that do only such a one is read into the shared buffer.
 * Where that cannot be, TLS will be spoken over a plain socket.
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
      // The handshake will tell what is wrong with the options of TLS.
    }
    return netConnect(opts)
  }
}

/** Shakes hands over `stream` for `host`, and agrees on one of the protocols. */
export function handshake(
  stream: Duplex,
  host: string,
  tlsOpts: TlsOpts | undefined,
  protocols: readonly ProtocolName[],
  answer: Answer<TLSSocket>,
): Abandon {
  let socket: TLSSocket
  try {
    const isOurs = stream instanceof TLSSocket && stream.alpnProtocol === null
    socket = isOurs ? stream : speakOver(stream, optionsOf(host, tlsOpts, protocols))
  } catch (cause) {
    stream.on('error', () => {})
    stream.destroy()
    return later(() => answer(failure(host, cause, true)))
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
    // Who takes the socket over listens before anything can happen to it.
    socket.off('error', fail)
    socket.off('close', closed)
    answer(socket)
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
  const { host: other, servername: given, ...own } = merge({} as TlsOpts, tlsOpts)
  // The caller says for whom the certificate has to be, or what to ask for as well.
  const identity = parseHost(given || other || host).identity
  const name = given ?? (other === undefined ? identity : '')
  // RFC 6066 section 3: SNI names a host, never an address.
  const servername = name === '' || isIP(identity) !== 0 ? '' : identity
  const options = { ...own, host: identity, ALPNProtocols: offer(protocols) }
  return guardFunctions(servername === '' ? options : { ...options, servername })
}

/** Whether a socket that connects by itself would want the right certificate: without a name, that of where it connects to. */
function canBeOne({ options: { host, servername } }: Secure, opts: DialOpts): boolean {
  return servername !== undefined || opts.host === host
}

function connectSecure(secure: Secure, opts: DialOpts): TLSSocket {
  const socket = readingShared(reading => tlsConnect({ ...secure.options, ...opts, ...reading }), RECORD)
  speakers.set(socket, secure)
  // Node 20 leaves these out.
  if (opts.noDelay) socket.setNoDelay(true)
  if (opts.keepAlive) socket.setKeepAlive(true, opts.keepAliveInitialDelay)
  return socket
}

function speakOver(stream: Duplex, secure: Secure): TLSSocket {
  const socket = tlsConnect({ ...secure.options, socket: stream })
  speakers.set(socket, secure)
  // Else a reset would look like an ordinary close.
  stream.on('error', cause => socket.destroy(cause))
  return socket
}

/** `isPermanent`: the options are wrong, and so would be the next attempt's. */
function failure(host: string, cause: unknown, isPermanent = false): GunError {
  if (cause instanceof GunError) return cause
  const text = `the TLS handshake with ${host} failed: ${textOf(cause)}`
  return new GunError('tls_error', 'connection_error', text, { cause, isPermanent })
}
