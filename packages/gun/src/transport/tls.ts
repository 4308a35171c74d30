/** TLS: dialled, or over a stream that is connected; the peer is verified and ALPN says what will be spoken. */

import { isIP, connect as netConnect } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket, connect as tlsConnect } from 'node:tls'
import { inspect } from 'node:util'
import { GunError } from '../errors.js'
import type { ProtocolName } from '../messages.js'
import type { Opts } from '../options.js'
import { offer, problemWith } from './alpn.js'
import { type Abandon, type Answer, later } from './contract.js'
import { textOf } from './error-text.js'
import { RECORD, readingShared } from './reading.js'
import { type Dial, type DialOpts, ignoreErrors } from './tcp.js'
import { guardFunctions, type GuardedOptions as Secure } from './tls-functions.js'

/** What a socket speaks TLS with. */
const speakers = new WeakMap<TLSSocket, Secure>()

/** What `tls.connect` takes as `net.connect` does; of anything else only a socket without TLS knows. */
const SHARED_OPTS = new Set([
  'allowHalfOpen',
  'autoSelectFamily',
  'autoSelectFamilyAttemptTimeout',
  'family',
  'hints',
  'host',
  'keepAlive',
  'keepAliveInitialDelay',
  'localAddress',
  'localPort',
  'lookup',
  'noDelay',
  'path',
  'port',
  'timeout',
])

/**
 * Dials with a socket that will speak TLS itself, since of those that do only such a one is read into the shared buffer.
 * Where that cannot be, TLS will be spoken over a plain socket.
 */
export function dialTls(host: string, tlsOpts: Opts['tlsOpts'], protocols: readonly ProtocolName[]): Dial {
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
  tlsOpts: Opts['tlsOpts'],
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
  }
}

function optionsOf(host: string, tlsOpts: Opts['tlsOpts'], protocols: readonly ProtocolName[]): Secure {
  // RFC 6066 section 3: SNI names a host, never an address.
  const name = isIP(host) === 0 ? { servername: host } : {}
  const options = { host, ...name, ...tlsOpts, ALPNProtocols: offer(protocols) }
  const { servername } = options
  // Node finds out when there is a socket already, which it forgets.
  if (servername && typeof servername !== 'string') {
    throw new TypeError(`servername must be a string, not ${inspect(servername)}`)
  }
  return guardFunctions(options)
}

/** Whether `tls.connect` does with all these options what they say. */
function canBeOne({ options: { host, servername } }: Secure, opts: DialOpts): boolean {
  // Without a name it wants the certificate for the host that it connects to.
  const isVerified = Boolean(servername) || opts.host === host
  return isVerified && Object.keys(opts).every(name => SHARED_OPTS.has(name))
}

function connectSecure(secure: Secure, opts: DialOpts): TLSSocket {
  // Where it leads is not for TLS to say.
  const both = { ...secure.options, socket: undefined, path: undefined, lookup: undefined, ...opts }
  const socket = readingShared(reading => tlsConnect({ ...both, ...reading }), RECORD)
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
