/** Tells of the beginning of a connection and of each step of connecting. */

import type { Socket } from 'node:net'
import { GunError } from '../errors.js'
import type { Events } from '../events/events.js'
import type { ConnPid } from '../handles.js'
import type { Owner } from '../messages.js'
import type { ConnectEvent, DomainLookupEvent, TlsHandshakeEvent } from '../options/events.js'
import { harmlessOpts } from '../options/harmless.js'
import type { Origin } from '../options/host.js'
import type { Opts } from '../options/options.js'
import type { Secured } from '../transport/tls.js'
import type { Addresses } from '../words.js'
import type { Entrance } from './entrance.js'
import type { Tell } from './events.js'

/** The parts of a connection that events tell of. */
export interface LifeTeller {
  readonly connPid: ConnPid
  readonly events: Events
  readonly owner: Owner
  readonly transport: 'tcp' | 'tls'
  readonly origin: Origin
  readonly entrance: Entrance
  readonly opts: Opts
}

export function tellInit({ connPid, events, owner, transport, origin, opts }: LifeTeller): void {
  if (!events.wants('init')) return
  events.tell('init', {
    connPid,
    owner,
    transport,
    originScheme: transport === 'tls' ? 'https' : 'http',
    originHost: origin.host.given,
    originPort: origin.port,
    opts: harmlessOpts(opts),
  })
}

export function lookupTeller({ connPid, events, entrance, opts }: LifeTeller): Tell<Addresses> {
  const { destination } = entrance
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

export function connectTeller(connection: LifeTeller, lookupInfo: Addresses): Tell<Socket> {
  const { connPid, entrance, events, opts } = connection
  const { protocols, transport } = entrance
  return (when, outcome) => {
    const name = `connect${when}` as const
    if (!events.wants(name)) return
    const begun: ConnectEvent = { connPid, lookupInfo, timeout: timeoutOf(opts.connectTimeout) }
    events.tell(
      name,
      ended(begun, outcome, socket =>
        transport === 'tls' ? { socket } : { socket, protocol: protocols[0] ?? 'http' },
      ),
    )
  }
}

export function handshakeTeller(
  { connPid, entrance, events, opts }: LifeTeller,
  below: Socket,
): Tell<Secured> {
  return (when, outcome) => {
    const name = `tlsHandshake${when}` as const
    if (!events.wants(name)) return
    const timeout = timeoutOf(opts.tlsHandshakeTimeout)
    const begun: TlsHandshakeEvent = { connPid, socket: below, tlsOpts: entrance.tlsOpts, timeout }
    events.tell(
      name,
      ended(begun, outcome, ({ socket, protocol }) => ({ socket, protocol })),
    )
  }
}

function timeoutOf(option: number | undefined): number {
  return option ?? Number.POSITIVE_INFINITY
}

/** Gives the event, with the outcome of the step where that is known. */
function ended<Event extends object, T>(
  event: Event,
  outcome: T | GunError | undefined,
  given: (outcome: T) => Partial<Event>,
): Event {
  if (outcome === undefined) return event
  return { ...event, ...(outcome instanceof GunError ? { error: outcome } : given(outcome)) }
}
