/** TLS over a stream that is connected: the peer is verified and ALPN says what will be spoken. */

import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { type TLSSocket, connect as tlsConnect } from 'node:tls'
import { GunError } from '../errors.js'
import type { Opts } from '../options.js'
import { textOf } from './tcp.js'

const ALPN = ['http/1.1']

/** Shakes hands over `stream` for `host`. */
export function handshake(
  stream: Duplex,
  host: string,
  tlsOpts: Opts['tlsOpts'],
  signal: AbortSignal,
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    // RFC 6066 section 3: SNI names a host, never an address.
    const name = isIP(host) === 0 ? { servername: host } : {}
    let socket: TLSSocket
    try {
      socket = tlsConnect({ host, ...name, ...tlsOpts, ALPNProtocols: ALPN, socket: stream })
    } catch (cause) {
      stream.destroy()
      return reject(failure(host, cause))
    }
    const settle = () => {
      socket.off('error', fail)
      socket.off('close', closed)
      // Until somebody takes the socket over, and after it was let go, an error must not end the program.
      socket.on('error', () => {})
    }
    const fail = (cause: unknown) => {
      settle()
      socket.destroy()
      reject(failure(host, cause))
    }
    const closed = () => fail(new Error('the peer closed the connection'))
    // Else a reset would look like an ordinary close.
    stream.once('error', cause => socket.destroy(cause))
    const abort = () => {
      settle()
      socket.destroy()
      stream.destroy()
      reject(signal.reason)
    }
    socket.on('error', fail)
    socket.on('close', closed)
    socket.once('secureConnect', () => {
      settle()
      resolve(socket)
    })
    // Not removed after the handshake: the socket may be given up before anybody takes it over.
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  })
}

function failure(host: string, cause: unknown): GunError {
  const text = `the TLS handshake with ${host} failed: ${textOf(cause)}`
  return new GunError('tls_error', 'connection_error', text, { cause })
}
