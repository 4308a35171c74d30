/** tcp and Unix sockets: a look-up, then a connection; both steps can be aborted. */

import { type LookupAddress, lookup as lookupHost } from 'node:dns'
import { type BlockList, isIP, connect as netConnect, type Socket, type TcpNetConnectOpts } from 'node:net'
import { inspect } from 'node:util'
import { nodesMicrotask, onRejection } from '@holster/process/internal'
import { GunError } from '../errors.js'
import { merge } from '../options/merge.js'
import type { TcpOpts } from '../options/socket.js'
import type { Addresses } from '../words.js'
import { type Abort, type Answer, type Destination, defer } from './contract.js'
import { textOf } from './error-text.js'
import { Race, takingTurns } from './race.js'
import { readingShared } from './reading.js'

const NONE: TcpOpts = {}

/** RFC 8305 section 5, in milliseconds. */
const ATTEMPT_DELAY = 250

/**
 * Looks up all addresses of the host that may be connected to. A Unix socket has none; a host that is an
 * address needs no look-up.
 */
export function lookup(
  destination: Destination,
  tcpOpts: TcpOpts | undefined,
  answer: Answer<Addresses>,
): Abort {
  if (destination.path !== undefined) return defer(() => answer([]))
  const { target } = destination.host
  if (isIP(target) !== 0) return defer(() => answer([{ address: target, family: isIP(target) }]))
  const { lookup: ask = lookupHost, family = 0, hints = 0, localAddress = '' } = merge(NONE, tcpOpts)
  let isWanted = true
  // Deferred, since the caller's own look-up may answer before it returns.
  const settle = (outcome: Addresses | GunError) =>
    nodesMicrotask(() => {
      if (isWanted) answer(outcome)
      isWanted = false
    })
  const fail = (cause: unknown) => {
    const text = `${target} could not be looked up: ${textOf(cause)}`
    settle(new GunError('domain_lookup_error', 'connection_error', text, { cause }))
  }
  const done = (cause: unknown, found: unknown) => {
    if (cause) return fail(cause)
    const addresses = usable(found, [family, isIP(localAddress)])
    if (addresses instanceof Error) fail(addresses)
    else settle(addresses)
  }
  try {
    onRejection(ask(target, { all: true, family, hints }, done), fail)
  } catch (cause) {
    fail(cause)
  }
  return () => {
    isWanted = false
    return []
  }
}

/**
 * Returns the found addresses that belong to all of these families, of which 0 stands for either; an error if
 * there is none.
 */
function usable(found: unknown, families: readonly number[]): Addresses | Error {
  const all: LookupAddress[] = []
  // The caller's own look-up may return a single address.
  for (const item of Array.isArray(found) ? found : [found]) {
    const address = typeof item === 'object' && item !== null ? item.address : item
    const family = isIP(String(address))
    if (family === 0) return new TypeError(`the look-up gave ${inspect(item)}, which is no address`)
    all.push({ address, family })
  }
  if (all.length === 0) return new Error('it has no address')
  const fitting = all.filter(({ family }) => families.every(allowed => allowed === 0 || allowed === family))
  if (fitting.length > 0) return fitting
  const others = all.map(({ address }) => address).join(', ')
  return new Error(`tcpOpts.family and tcpOpts.localAddress allow none of ${others}`)
}

/** The options of one attempt to connect. */
export type DialOpts = Partial<TcpNetConnectOpts> & ({ readonly port: number } | { readonly path: string })

/** Creates a socket that is connecting. */
export type Dial = (opts: DialOpts) => Socket

/** Dials with a plain socket, which nothing but the protocol uses. */
export const dialTcp: Dial = opts => readingShared(reading => netConnect({ ...opts, ...reading }))

/** Connects to the first address that answers (RFC 8305). */
export function connect(
  destination: Destination,
  addresses: Addresses,
  tcpOpts: TcpOpts | undefined,
  dial: Dial,
  answer: Answer<Socket>,
): Abort {
  const {
    autoSelectFamily = true,
    autoSelectFamilyAttemptTimeout = ATTEMPT_DELAY,
    blockList,
    family,
    hints,
    lookup: _,
    ...socketOpts
  } = merge(NONE, tcpOpts)
  // Data that the peer sent before it ended its side may still have to be read and answered.
  const opts = { allowHalfOpen: true, noDelay: true, ...socketOpts }
  const attempts = goalsOf(
    destination,
    autoSelectFamily ? takingTurns(addresses) : addresses.slice(0, 1),
  ).map(goal => () => {
    if (goal.host !== undefined && blockList !== undefined && isBlocked(goal.host, blockList)) {
      throw new Error(`${goal.host} is blocked by tcpOpts.blockList`)
    }
    return dial({ ...opts, ...goal })
  })
  const race = new Race(attempts, autoSelectFamilyAttemptTimeout, (socket, errors) => {
    if (socket !== undefined) return answer(socket)
    const where = destination.path ?? `${destination.host.target}:${destination.port}`
    const cause = errors.length === 1 ? errors[0] : new AggregateError(errors)
    const text = `no connection to ${where}: ${textOf(cause)}`
    answer(new GunError('connect_error', 'connection_error', text, { cause }))
  })
  return () => {
    race.abort()
    return race.errors
  }
}

type Goal =
  | { readonly path: string; readonly host?: undefined }
  | { readonly host: string; readonly port: number; readonly autoSelectFamily: false }

function goalsOf(destination: Destination, addresses: Addresses): Goal[] {
  const { path } = destination
  if (path !== undefined) return [{ path }]
  return addresses.map(({ address: host }) => ({ host, port: destination.port, autoSelectFamily: false }))
}

function isBlocked(host: string, blockList: BlockList): boolean {
  const [address = ''] = host.split('%')
  return blockList.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}
