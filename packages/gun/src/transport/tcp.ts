/** tcp and Unix sockets: a look-up, then a connection; both stop when their signal aborts. */

import { lookup as lookupHost } from 'node:dns/promises'
import { isIP, connect as netConnect, type Socket } from 'node:net'
import { GunError } from '../errors.js'
import type { Opts } from '../options.js'
import type { Addresses, Destination } from './contract.js'

/** All addresses of the host. A Unix socket has none; an address stands for itself. */
export async function lookup(destination: Destination): Promise<Addresses> {
  if (destination.path !== undefined) return []
  const { host } = destination
  const family = isIP(host)
  if (family !== 0) return [{ address: host, family }]
  try {
    return await lookupHost(host, { all: true, verbatim: true })
  } catch (cause) {
    throw new GunError(
      'domain_lookup_error',
      'connection_error',
      `${host} could not be looked up: ${textOf(cause)}`,
      { cause },
    )
  }
}

/** Connects to the first address that answers (RFC 8305: the families race). */
export function connect(
  destination: Destination,
  addresses: Addresses,
  tcpOpts: Opts['tcpOpts'],
  signal: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = netConnect(
      destination.path !== undefined
        ? { ...tcpOpts, path: destination.path }
        : {
            noDelay: true,
            autoSelectFamily: true,
            ...tcpOpts,
            host: destination.host,
            port: destination.port,
            lookup: (_host, options, answer) => {
              if (options.all) return answer(null, [...addresses])
              const [first] = addresses
              answer(
                first === undefined ? new Error('no address') : null,
                first?.address ?? '',
                first?.family,
              )
            },
          },
    )
    const settle = () => {
      socket.off('error', fail)
      // Until somebody takes the socket over, and after it was let go, an error must not end the program.
      socket.on('error', () => {})
    }
    const fail = (cause: unknown) => {
      settle()
      const where = destination.path ?? `${destination.host}:${destination.port}`
      reject(
        new GunError('connect_error', 'connection_error', `no connection to ${where}: ${textOf(cause)}`, {
          cause,
        }),
      )
    }
    const abort = () => {
      settle()
      socket.destroy()
      reject(signal.reason)
    }
    socket.on('error', fail)
    socket.once('connect', () => {
      settle()
      resolve(socket)
    })
    // Not removed after the connection is made: it may be given up before anybody takes it over.
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
  })
}

/** What an error says. One that stands for several attempts has no message of its own. */
export function textOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(textOf).join('; ')
  return error instanceof Error ? error.message : String(error)
}
