/** The steps of connecting, in their order: each is an attempt's, is told of, and ends with an event of the machine. */

import type { Socket } from 'node:net'
import { connect, dialTcp, lookup } from '../transport/tcp.js'
import { dialTls, handshake } from '../transport/tls.js'
import type { Addresses } from '../words.js'
import type { Attempt } from './attempt.js'
import { connectTeller, handshakeTeller, type LifeTeller, lookupTeller } from './life-events.js'

/** Looks the host's name up. */
export function beginLookUp(attempt: Attempt, connection: LifeTeller): void {
  const { entrance, opts } = connection
  attempt.begin<Addresses>(
    answer => lookup(entrance.destination, opts.tcpOpts, answer),
    addresses => ({ type: 'resolved', addresses }),
    'domainLookupTimeout',
    lookupTeller(connection),
  )
}

/** Connects to one of the addresses. */
export function beginConnect(attempt: Attempt, connection: LifeTeller, addresses: Addresses): void {
  const { entrance, opts } = connection
  const { destination, identity, protocols, tlsOpts, transport } = entrance
  const isTls = transport === 'tls'
  const dial = isTls ? dialTls(identity, tlsOpts, protocols) : dialTcp
  attempt.begin<Socket>(
    answer => connect(destination, addresses, opts.tcpOpts, dial, answer),
    socket => ({ type: 'connected', socket, protocol: isTls ? undefined : protocols[0] }),
    'connectTimeout',
    connectTeller(connection, addresses),
  )
}

/** Speaks TLS over the socket that is connected, and agrees on a protocol. */
export function beginHandshake(attempt: Attempt, connection: LifeTeller, below: Socket): void {
  const { identity, protocols, tlsOpts } = connection.entrance
  attempt.begin(
    answer => handshake(below, identity, tlsOpts, protocols, answer),
    ({ socket, protocol }) => ({ type: 'connected', socket, protocol }),
    'tlsHandshakeTimeout',
    handshakeTeller(connection, below),
  )
}
