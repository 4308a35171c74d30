/** Makes a connection of what its opener has given, once that is checked, and says what its machine begins with. */

import { createProcess } from '@holster/process'
import type { GunMessage, Owner } from '../messages.js'
import { checkChoice, checkOpts, checkUses } from '../options/checks.js'
import { type Opts, protocolsOf, RETRY_DEFAULTS } from '../options/options.js'
import { type Destination, destinationOf } from '../transport/contract.js'
import { Connection } from './connection.js'
import type { ConnectionContext, Machine } from './events.js'

/** The input of `connectionMachine`, which a machine that invokes it gives: a host and port, or the path of a Unix socket. */
export type ConnectionInput =
  | {
      /** A name or an address, without brackets. */
      readonly host: string
      /** 1 to 65535. */
      readonly port: number
      /** Absent where there is a host. */
      readonly path?: undefined
      /** The options of `open`. Without an `owner` the machine that invokes this one owns the connection. */
      readonly opts?: Opts
    }
  | {
      /** The path of the Unix socket. */
      readonly path: string
      /** The options of `openUnix`. Without an `owner` the machine that invokes this one owns the connection. */
      readonly opts?: Opts
    }

interface CheckedInput {
  readonly destination: Destination
  readonly transport: 'tcp' | 'tls'
  readonly opts: Opts
}

/**
 * Makes the connection that `machine` runs. `parent` owns the connection unless the options name an owner. Throws a TypeError,
 * RangeError or GunError `bad_option` for what is wrong.
 */
export function makeConnection(input: ConnectionInput, machine: Machine, parent?: Owner): Connection {
  const { destination, transport, opts } = checkInput(input)
  const given = opts.owner ?? parent
  const owner = given ?? createProcess<GunMessage>()
  return new Connection(machine, destination, transport, opts, owner, given === undefined)
}

/** Gives what the input says. Throws as `makeConnection` does. */
export function checkInput(input: ConnectionInput): CheckedInput {
  if (typeof input !== 'object' || input === null) {
    throw new TypeError('input must be { host, port, opts? } or { path, opts? }')
  }
  const { opts = {} } = input
  checkOpts(opts)
  const destination = destinationOf(input)
  const isUnix = destination.path !== undefined
  const isHttps = destination.path === undefined && destination.port === 443
  const transport = opts.transport ?? (isHttps ? 'tls' : 'tcp')
  checkChoice(protocolsOf(opts, transport), transport)
  checkUses(opts, transport, isUnix)
  return { destination, transport, opts }
}

/** Gives the context with which the machine of a connection begins. */
export function firstContextOf({ connPid, entrance, opts, proxies }: Connection): ConnectionContext {
  const { retry = RETRY_DEFAULTS.retry } = opts
  return {
    connPid,
    isTls: entrance.transport === 'tls',
    isProxied: proxies.length > 0,
    isUnix: entrance.destination.path !== undefined,
    retry,
    retriesLeft: retry,
    retryDelay: 0,
    closingTimeout: 0,
    setback: 'attempt',
    hasBeenUp: false,
    protocol: undefined,
    lastError: undefined,
    ending: undefined,
  }
}
