/** TLS over a stream that is connected: the peer is verified and ALPN says what will be spoken. */

import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { type TLSSocket, connect as tlsConnect } from 'node:tls'
import { GunError } from '../errors.js'
import type { ProtocolName } from '../messages.js'
import type { Opts } from '../options.js'
import { offer, problemWith } from './alpn.js'
import { type Abandon, type Answer, later } from './contract.js'
import { ignoreErrors, textOf } from './tcp.js'

/** Shakes hands over `stream` for `host`, and agrees on one of the protocols. */
export function handshake(
  stream: Duplex,
  host: string,
  tlsOpts: Opts['tlsOpts'],
  protocols: readonly ProtocolName[],
  answer: Answer<TLSSocket>,
): Abandon {
  // RFC 6066 section 3: SNI names a host, never an address.
  const name = isIP(host) === 0 ? { servername: host } : {}
  let socket: TLSSocket
  try {
    socket = tlsConnect({ host, ...name, ...tlsOpts, ALPNProtocols: offer(protocols), socket: stream })
  } catch (cause) {
    stream.on('error', () => {})
    stream.destroy()
    return later(() => answer(failure(host, cause)))
  }
  const leave = () => {
    socket.off('secureConnect', done)
    socket.off('close', closed)
    ignoreErrors(socket, fail)
  }
  const fail = (cause: unknown) => {
    leave()
    socket.destroy()
    answer(failure(host, cause))
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
  // Else a reset would look like an ordinary close.
  stream.on('error', cause => socket.destroy(cause))
  socket.on('error', fail)
  socket.on('close', closed)
  socket.once('secureConnect', done)
  return () => {
    leave()
    socket.destroy()
    stream.destroy()
  }
}

function failure(host: string, cause: unknown): GunError {
  const text = `the TLS handshake with ${host} failed: ${textOf(cause)}`
  return new GunError('tls_error', 'connection_error', text, { cause })
}
