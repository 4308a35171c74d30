/** The options of `nats` are those of the NATS client, and one of our own. */

import { inspect } from 'node:util'
import { checkDuration, checkNames, checkObject } from '@holster/process/internal'
import type { NodeConnectionOptions } from '@nats-io/transport-node'

/**
 * The options of `nats`: those of the NATS client, such as `servers`, `user`, `pass`, `token`, `authenticator` and `tls`, and `prefix`.
 * Three have other defaults than in the client: `maxReconnectAttempts` is -1, so that the client never gives up, `pingInterval` is
 * 20,000 ms, so that a server which is silent is left within a minute, and `name`, by which the server lists the client, is that of the
 * node.
 */
export interface NatsOptions extends Omit<NodeConnectionOptions, 'noEcho' | 'inboxPrefix'> {
  /**
   * The subject below which the cluster speaks: nodes with different prefixes do not see each other. Words of `A` to `Z`, `a` to `z`,
   * `0` to `9`, `_` and `-` with dots between them, at most 128 characters long. Default: `'holster'`. The client needs no other
   * permission than to publish and subscribe to the prefix and all below it.
   */
  readonly prefix?: string
}

/** Below which subject a cluster speaks that is given none. */
export const DEFAULT_PREFIX = 'holster'

const PREFIX = /^(?=.{1,128}$)[\w-]+(\.[\w-]+)*$/

type Check = (argument: string, value: unknown) => void

const flag: Check = (argument, value) => need(typeof value === 'boolean', argument, 'true or false', value)
const text: Check = (argument, value) => need(typeof value === 'string', argument, 'a string', value)
const method: Check = (argument, value) => need(typeof value === 'function', argument, 'a function', value)
const duration: Check = (argument, value) => checkDuration(argument, value, false)

/** Gives the check of a whole number within bounds. */
function whole(least: number, most = Number.MAX_SAFE_INTEGER): Check {
  return (argument, value) => {
    if (Number.isInteger(value) && Number(value) >= least && Number(value) <= most) return
    const bounds = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`
    throw new RangeError(`${argument} must be a whole number ${bounds}, not ${inspect(value, { depth: 0 })}`)
  }
}

const checks: { readonly [Name in keyof NatsOptions]-?: Check } = {
  prefix(argument, value) {
    const words =
      "words of A to Z, a to z, 0 to 9, '_' and '-' with dots between them, at most 128 characters"
    need(typeof value === 'string' && PREFIX.test(value), argument, words, value)
  },
  servers(argument, value) {
    const servers = Array.isArray(value) ? value : [value]
    need(servers.length > 0 && servers.every(isServer), argument, "'host:port', or an array of such", value)
    const isWeb = servers.some(server => /^wss?:/i.test(server))
    need(!isWeb, argument, 'reached over TCP: WebSockets are not supported', value)
  },
  authenticator(argument, value) {
    const all = Array.isArray(value) ? value : [value]
    need(
      all.every(one => typeof one === 'function'),
      argument,
      'a function, or an array of functions',
      value,
    )
  },
  tls(argument, value) {
    if (value !== null) checkObject(value, argument)
  },
  debug: flag,
  ignoreAuthErrorAbort: flag,
  ignoreClusterUpdates: flag,
  maxPingOut: whole(1),
  maxReconnectAttempts: whole(-1),
  name: text,
  noAsyncTraces: flag,
  noRandomize: flag,
  pass: text,
  pedantic: flag,
  pingInterval: duration,
  port: whole(1, 65_535),
  reconnect: flag,
  reconnectDelayHandler: method,
  reconnectJitter: duration,
  reconnectJitterTLS: duration,
  reconnectTimeWait: duration,
  reconnectToServer: method,
  resolve: flag,
  timeout: duration,
  token: text,
  user: text,
  verbose: flag,
  waitOnFirstConnect: flag,
}

/** Throws a TypeError or RangeError that names the option which is wrong, and shows no secret. */
export function checkNatsOptions(options: NatsOptions): void {
  checkNames(options, Object.keys(checks), 'nats', {
    url: ['servers'],
    server: ['servers'],
    host: ['servers'],
    password: ['pass'],
    username: ['user'],
    subject: ['prefix'],
  })
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined) checks[name as keyof NatsOptions](`options.${name}`, value)
  }
  if (options.servers !== undefined && options.port !== undefined) {
    throw new TypeError(
      'options.servers and options.port exclude each other: write the port behind the server',
    )
  }
}

/** The options that may hold a secret, also where they have the wrong type. */
const SECRET = /\.(pass|token|servers|user|authenticator)$/

function need(isRight: boolean, argument: string, wanted: string, value: unknown): void {
  if (isRight) return
  const given = SECRET.test(argument) ? '' : `, not ${inspect(value, { depth: 0 })}`
  throw new TypeError(`${argument} must be ${wanted}${given}`)
}

function isServer(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
