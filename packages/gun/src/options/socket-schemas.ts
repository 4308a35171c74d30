/**
 * The schemas of the options of sockets and of TLS: each of Node's options is either supported or refused by
 * name.
 */

import { BlockList, isIP, type TcpNetConnectOpts } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import * as v from 'valibot'
import { isHost } from './host.js'
import { count, flag, fun, integerBetween, LONGEST, options, positiveCount, refused } from './values.js'

const fromOpen = refused('is an argument of open, not an option')
const ofServers = refused('is an option of servers')
const existing = refused('is for an existing socket, and open makes its own')
const silent = refused('would not end the connection: use connectTimeout, or keepalive of the protocol')

/** Requires a schema for each option of Node, so that none is forgotten. */
type Every<T> = Record<keyof T, v.GenericSchema>

const tcpEntries = {
  allowHalfOpen: v.optional(flag),
  autoSelectFamily: v.optional(flag),
  autoSelectFamilyAttemptTimeout: v.optional(integerBetween(10, LONGEST)),
  family: v.optional(v.picklist([0, 4, 6], 'must be 0, 4 or 6')),
  hints: v.optional(count),
  keepAlive: v.optional(flag),
  keepAliveInitialDelay: v.optional(integerBetween(0, LONGEST)),
  localAddress: v.optional(
    v.custom<string>(value => typeof value === 'string' && isIP(value) !== 0, 'must be an address'),
  ),
  localPort: v.optional(integerBetween(0, 65535)),
  lookup: v.optional(fun),
  noDelay: v.optional(flag),
  fd: existing,
  host: fromOpen,
  onread: refused("is reserved for the connection's own reads"),
  port: fromOpen,
  readable: existing,
  signal: refused('would end only the socket: end the connection with close, or with its owner'),
  timeout: silent,
  writable: existing,
} satisfies Every<TcpNetConnectOpts>
export const tcpOpts = options({
  ...tcpEntries,
  blockList: v.optional(v.instance(BlockList, 'must be a BlockList')),
  path: fromOpen,
})

const hostName = v.custom<string>(
  value => value === '' || isHost(value),
  "must be a host's name or address, or empty",
)
/** An option that TLS itself checks. */
const any = v.optional(v.unknown())
const belowTls = refused('belongs in tcpOpts')

const tlsEntries = {
  allowPartialTrustChain: v.optional(flag),
  ca: any,
  cert: any,
  checkServerIdentity: v.optional(fun),
  ciphers: any,
  clientCertEngine: any,
  crl: any,
  ecdhCurve: any,
  enableTrace: v.optional(flag),
  host: v.optional(hostName),
  key: any,
  maxVersion: any,
  minDHSize: v.optional(positiveCount),
  minVersion: any,
  passphrase: any,
  pfx: any,
  privateKeyEngine: any,
  privateKeyIdentifier: any,
  pskCallback: v.optional(fun),
  rejectUnauthorized: v.optional(flag),
  secureContext: any,
  secureOptions: any,
  secureProtocol: any,
  servername: v.optional(hostName),
  session: v.optional(v.instance(Uint8Array, 'must be a Buffer')),
  sigalgs: any,
  ALPNCallback: ofServers,
  ALPNProtocols: refused('is derived from protocols'),
  SNICallback: ofServers,
  dhparam: ofServers,
  honorCipherOrder: ofServers,
  lookup: belowTls,
  path: fromOpen,
  port: fromOpen,
  requestCert: ofServers,
  sessionIdContext: ofServers,
  sessionTimeout: ofServers,
  socket: existing,
  ticketKeys: ofServers,
  timeout: silent,
} satisfies Every<ConnectionOptions>
export const tlsOpts = options({ ...tlsEntries, allowHalfOpen: belowTls, requestOCSP: v.optional(flag) })
