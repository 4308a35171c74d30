/** Tells of the beginning of a connection and of each step of connecting. */

import type { Socket } from 'node:net'
import { GunError } from '../errors.js'
import type { ConnectEvent, DomainLookupEvent, TlsHandshakeEvent } from '../options/events.js'
import { spokenOver } from '../transport/alpn.js'
import type { Addresses } from '../words.js'
import type { Connection } from './connection.js'
import type { Tell } from './events.js'

export function tellInit({ connPid, events, owner, transport, origin, opts }: Connection): void {
  if (!events.wants('init')) return
  events.tell('init', {
    connPid,
    owner,
    transport,
    originScheme: transport === 'tls' ? 'https' : 'http',
    originHost: origin.host.given,
    originPort: origin.port,
    opts,
  })
}

export function lookupTeller({ connPid, events, destination, opts }: Connection): Tell<Addresses> {
  return (when, outcome) => {
    const name = `domainLookup${when}` as const
    if (!events.wants(name)) return
    const begun: DomainLookupEvent = {
      connPid,
      host: destination.path ?? destination.host.target,
      port: destination.path === undefined ? destination.port : undefined,
      tcpOpts: opts.tcpOpts,
      timeout: timeoutOf(opts.domainLookupTimeout),
    }
    events.tell(
      name,
      ended(begun, outcome, lookupInfo => ({ lookupInfo })),
    )
  }
}

export function connectTeller(connection: Connection, lookupInfo: Addresses): Tell<Socket> {
  const { connPid, events, opts, protocols, transport } = connection
  return (when, outcome) => {
    const name = `connect${when}` as const
    if (!events.wants(name)) return
    const begun: ConnectEvent = { connPid, lookupInfo, timeout: timeoutOf(opts.connectTimeout) }
    events.tell(
      name,
      ended(begun, outcome, socket =>
        transport === 'tls' ? { socket } : { socket, protocol: spokenOver(socket, protocols) },
      ),
    )
  }
}

export function handshakeTeller(
  { connPid, events, opts, protocols }: Connection,
  below: Socket,
): Tell<Socket> {
  return (when, outcome) => {
    const name = `tlsHandshake${when}` as const
    if (!events.wants(name)) return
    const timeout = timeoutOf(opts.tlsHandshakeTimeout)
    const begun: TlsHandshakeEvent = { connPid, socket: below, tlsOpts: opts.tlsOpts, timeout }
    events.tell(
      name,
      ended(begun, outcome, socket => ({ socket, protocol: spokenOver(socket, protocols) })),
    )
  }
}

function timeoutOf(option: number | undefined): number {
  return option ?? Number.POSITIVE_INFINITY
}

/** The event, with what came of the step if that is known. */
function ended<Event extends object, T>(
  event: Event,
  outcome: T | GunError | undefined,
  given: (outcome: T) => Partial<Event>,
): Event {
  if (outcome === undefined) return event
  return { ...event, ...(outcome instanceof GunError ? { error: outcome } : given(outcome)) }
}
