/** The schemas of protocols and of the ends of tunnels, each of which may name protocols in turn. */

import * as v from 'valibot'
import { isBasicName, isPassword, isSocksText } from './credentials.js'
import { isHost } from './host.js'
import { http2Opts, httpOpts } from './protocol-schemas.js'
import { tlsOpts } from './socket-schemas.js'
import { count, duration, integerBetween, options, positiveCount } from './values.js'

export const transport = v.picklist(['tcp', 'tls'], "must be 'tcp' or 'tls'")

export const rawOpts = options({ flow: v.optional(positiveCount), sendHighWaterMark: v.optional(count) })

const tunnelEntries = {
  host: v.custom<string>(isHost, 'must be a name or an address alone'),
  port: integerBetween(1, 65535),
  // Lazy, because the protocols include SOCKS5, whose options these are.
  protocols: v.optional(v.lazy((): v.GenericSchema => protocolsWithin)),
  transport: v.optional(transport),
  tlsOpts: v.optional(tlsOpts),
  tlsHandshakeTimeout: v.optional(duration),
}

/** The part of an end of a tunnel that says how it is spoken to. */
interface Manner {
  readonly protocols?: unknown
  readonly transport?: 'tcp' | 'tls' | undefined
  readonly tlsOpts?: object | undefined
}

/** Refuses options that would have no effect, or no certain one, as `open` does. */
const hasUses = <T extends Manner>() =>
  v.rawCheck<T>(({ dataset, addIssue }) => {
    if (!dataset.typed) return
    const { value } = dataset
    const refuse = (key: keyof Manner, message: string) =>
      addIssue({ message, path: [{ type: 'object', origin: 'value', input: {}, key, value: value[key] }] })
    // A named transport may be one of several that share the same options.
    if (value.tlsOpts !== undefined && value.transport === undefined) {
      refuse(
        'tlsOpts',
        "are given, but transport does not say that TLS is used: add transport: 'tls', or 'tcp' if it is not",
      )
    }
    if (Array.isArray(value.protocols) && value.protocols.length > 1 && value.transport !== 'tls') {
      refuse('protocols', 'must name exactly one protocol over tcp')
    }
  })

export const connectDestination = v.pipe(
  options({
    ...tunnelEntries,
    username: v.optional(
      v.custom<string>(isBasicName, 'must be a string without a colon and without control characters'),
    ),
    password: v.optional(v.custom<string>(isPassword, 'must be a string without control characters')),
  }),
  hasUses(),
)

const socksText = v.custom<string>(isSocksText, 'must be a string of 1 to 255 bytes')
const SOCKS_AUTH = "must be 'none' or ['username_password', username, password]"
const credentials = v.strictTuple(
  [v.literal('username_password', SOCKS_AUTH), socksText, socksText],
  SOCKS_AUTH,
)
const socksAuth = v.pipe(
  v.array(
    v.lazy(value => (Array.isArray(value) ? credentials : v.literal('none', SOCKS_AUTH))),
    'must be an array',
  ),
  v.minLength(1, 'must name at least one method'),
  v.check(inits => namesEachOnce(inits), 'must name each method once'),
)

export const socksOpts = v.pipe(
  options({
    ...tunnelEntries,
    auth: v.optional(socksAuth),
    version: v.optional(v.literal(5, 'must be 5')),
  }),
  hasUses(),
)

const NAMES = ['http', 'http2', 'raw', 'socks'] as const
const bareProtocol = v.picklist(
  NAMES,
  "must be 'http', 'http2', 'raw' or 'socks', or one of them with its options: ['http', httpOpts]",
)
const withOpts = {
  http: v.strictTuple([v.literal('http'), httpOpts]),
  http2: v.strictTuple([v.literal('http2'), http2Opts]),
  raw: v.strictTuple([v.literal('raw'), rawOpts]),
  socks: v.strictTuple([v.literal('socks'), socksOpts]),
}
const isName = (value: unknown): value is (typeof NAMES)[number] => NAMES.some(name => name === value)
/** A lazy schema rather than a union, whose issue would not name the wrong option of the protocol. */
const protocol = v.lazy(value => {
  if (!Array.isArray(value) || value.length !== 2 || !isName(value[0])) return bareProtocol
  return withOpts[value[0]]
})

/** The protocols that have no name in ALPN: the two ends could not agree on one of them. */
const ALONE = ['raw', 'socks']

/** The protocols of a connection, whose options may stand elsewhere. */
export const protocols = v.pipe(
  v.array(protocol, 'must be an array'),
  v.minLength(1, 'must name at least one protocol'),
  v.check(inits => namesEachOnce(inits), 'must name each protocol once'),
  v.check(
    inits => inits.length === 1 || !inits.some(init => ALONE.includes(nameOf(init))),
    'must name raw or socks alone: no server can choose between one of them and another protocol',
  ),
)

/** The protocols within a tunnel. */
const protocolsWithin = v.pipe(
  protocols,
  v.check(
    inits => !inits.includes('socks'),
    "must have options for socks: ['socks', { host, port }]; socksOpts are those of open alone",
  ),
)

/** Returns the name of a protocol, or of a method of SOCKS5, that is given alone or with what belongs to it. */
function nameOf(init: string | readonly [string, ...unknown[]]): string {
  return typeof init === 'string' ? init : init[0]
}

function namesEachOnce(inits: readonly (string | readonly [string, ...unknown[]])[]): boolean {
  return new Set(inits.map(nameOf)).size === inits.length
}
