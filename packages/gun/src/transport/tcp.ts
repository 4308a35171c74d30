/** tcp and Unix sockets: a look-up, then a connection; both can be given up. */

import { lookup as lookupHost } from 'node:dns'
import { isIP, connect as netConnect, type Socket, type TcpNetConnectOpts } from 'node:net'
import { GunError } from '../errors.js'
import type { Opts } from '../options.js'
import { type Abandon, type Addresses, type Answer, type Destination, later } from './contract.js'
import { textOf } from './error-text.js'
import type { Origin } from './host.js'
import { readingShared } from './reading.js'

/** All addresses of the host. A Unix socket has none; an address stands for itself. */
export function lookup(destination: Destination, answer: Answer<Addresses>): Abandon {
  if (destination.path !== undefined) return later(() => answer([]))
  const host = destination.host.target
  const family = isIP(host)
  if (family !== 0) return later(() => answer([{ address: host, family }]))
  let isWanted = true
  lookupHost(host, { all: true, verbatim: true }, (cause, addresses) => {
    if (!isWanted) return
    if (cause === null) return answer(addresses)
    const text = `${host} could not be looked up: ${textOf(cause)}`
    answer(new GunError('domain_lookup_error', 'connection_error', text, { cause }))
  })
  return () => {
    isWanted = false
  }
}

export type DialOpts = Partial<TcpNetConnectOpts> & ({ readonly port: number } | { readonly path: string })

/** Makes a socket that connects. */
export type Dial = (opts: DialOpts) => Socket

/** Dials with a socket that nothing else is spoken over. */
export const dialTcp: Dial = opts => readingShared(reading => netConnect({ ...opts, ...reading }))

/** Connects to the first address that answers (RFC 8305: the families race). */
export function connect(
  destination: Destination,
  addresses: Addresses,
  tcpOpts: Opts['tcpOpts'],
  dial: Dial,
  answer: Answer<Socket>,
): Abandon {
  const socket = dial({
    // What the peer sent before it ended may still have to be read, and answered.
    allowHalfOpen: true,
    noDelay: true,
    autoSelectFamily: true,
    ...tcpOpts,
    ...(destination.path !== undefined ? { path: destination.path } : addressOf(destination, addresses)),
  })
  const fail = (cause: Error) => {
    ignoreErrors(socket, fail)
    const where = destination.path ?? `${destination.host.target}:${destination.port}`
    const text = `no connection to ${where}: ${textOf(cause)}`
    answer(new GunError('connect_error', 'connection_error', text, { cause }))
  }
  const done = () => {
    // Who takes the socket over listens before anything can happen to it.
    socket.off('error', fail)
    answer(socket)
  }
  socket.on('error', fail)
  // TLS begins at the same event, but not before it is known that it may.
  socket.prependOnceListener('connect', done)
  return () => {
    socket.off('connect', done)
    ignoreErrors(socket, fail)
    socket.destroy()
  }
}

function addressOf(
  { host: { target: host }, port }: Origin,
  addresses: Addresses,
): Pick<TcpNetConnectOpts, 'host' | 'port' | 'lookup'> {
  const [first, second] = addresses
  if (first !== undefined && second === undefined) return { host: first.address, port }
  return {
    host,
    port,
    lookup: (_host, options, found) => {
      if (options.all) return found(null, [...addresses])
      found(first === undefined ? new Error('no address') : null, first?.address ?? '', first?.family)
    },
  }
}

/** What happens to a socket that nobody wants any more must not end the program. */
export function ignoreErrors(socket: Socket, listener: (cause: Error) => void): void {
  socket.off('error', listener)
  socket.on('error', () => {})
}
