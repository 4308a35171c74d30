/** The checks of the options of pools and of gun's child specs. */

import * as v from 'valibot'
import { GunError } from '../errors.js'
import { check, checkChoice, checkOpts, checkUses, opts } from './checks.js'
import type { ChildSpecOpts, PoolChildSpecOpts } from './child-spec.js'
import { protocolsOf } from './options.js'
import {
  type CheckoutOpts,
  type PoolAwaitUpOpts,
  type PoolOpts,
  type PoolReqOpts,
  type PoolWsSendOpts,
  poolSettingsOf,
  type StopPoolOpts,
} from './pool.js'
import { reqOpts } from './protocol-schemas.js'
import { transport } from './tunnel-schemas.js'
import {
  count,
  duration,
  finiteDuration,
  isBag,
  namesIn,
  options,
  owner,
  period,
  positiveCount,
  refused,
} from './values.js'

const scope = v.optional(v.unknown())
const signal = v.optional(v.instance(AbortSignal, 'must be an AbortSignal'))
const wholeCount = v.pipe(
  count,
  v.check(n => Number.isFinite(n), 'must be finite'),
)
const ownConn = "the pool owns its connections and makes them again itself: see the pool's backoff"

const poolEntries = {
  backoff: v.optional(finiteDuration),
  connOpts: v.optional(v.custom<object>(isBag, 'must be an object')),
  idleTimeout: v.optional(period),
  maxBackoff: v.optional(finiteDuration),
  maxLifetime: v.optional(period),
  pipelining: v.optional(positiveCount),
  setupFun: v.optional(
    v.custom<PoolOpts['setupFun']>(
      value => Array.isArray(value) && value.length === 2 && typeof value[0] === 'function',
      'must be a list of a function and its first state: [fun, state]',
    ),
  ),
  size: v.optional(wholeCount),
  sizeMax: v.optional(
    v.pipe(
      wholeCount,
      v.check(n => n >= 1, 'must be at least 1'),
    ),
  ),
  sizeMin: v.optional(wholeCount),
}
const elsewhere = namesIn('connOpts', opts).filter(name => !/\.(owner|retry|retryFun)$/.test(name))
const poolOpts = options({ ...poolEntries, scope }, elsewhere)
const poolOptsOfRequest = options(
  { ...poolEntries, scope: refused('is an option of the request itself') },
  elsewhere,
)
const checkoutEntries = {
  checkoutRetry: v.optional(v.array(finiteDuration, 'must be a list of pauses in milliseconds')),
  checkoutTimeout: v.optional(duration),
  signal,
}
const checkoutOpts = options({ ...checkoutEntries, caller: v.optional(owner) })
const stopOpts = options({ scope, transport: v.optional(transport) })
const lookupOpts = options({ scope, timeout: v.optional(duration), signal })
const wsSendOpts = options({
  authority: v.pipe(
    v.string('must be a string'),
    v.check(text => text !== '', 'must not be empty'),
  ),
  scope,
})
const { tunnel: _tunnel, ...reqEntries } = reqOpts.pipe[1].entries
const poolReqOpts = options({
  ...reqEntries,
  ...checkoutEntries,
  scope,
  startPoolIfMissing: v.optional(
    v.custom<PoolReqOpts['startPoolIfMissing']>(
      value => typeof value === 'boolean' || isBag(value),
      'must be a boolean, or the options of the pool',
    ),
  ),
  tunnel: refused(
    'is no option of a pooled request: the way of each connection is the option proxy of connOpts',
  ),
})
const childEntries = {
  id: v.optional(
    v.pipe(
      v.string('must be a string'),
      v.check(text => text !== '', 'must not be empty'),
    ),
  ),
  shutdown: v.optional(
    v.union(
      [duration, v.literal('brutal_kill')],
      "must be a number of milliseconds, Infinity or 'brutal_kill'",
    ),
  ),
}

function refuse(text: string): never {
  throw new GunError('bad_option', 'options', text)
}

/** Checks the options of a pool whose connections lead to that port. */
export function checkPoolOpts(value: unknown, port: number, prefix = ''): asserts value is PoolOpts {
  check(prefix === '' ? poolOpts : poolOptsOfRequest, value, prefix)
  const given = value as PoolOpts
  const at = (name: string) => (prefix === '' ? name : `${prefix}.${name}`)
  const { connOpts = {}, size, sizeMin, sizeMax, idleTimeout } = given
  for (const name of ['owner', 'retry', 'retryFun']) {
    if (name in connOpts) refuse(`${at(`connOpts.${name}`)} is no option here: ${ownConn}`)
  }
  checkOpts(connOpts, at('connOpts'))
  const carrier = connOpts.transport ?? (port === 443 ? 'tls' : 'tcp')
  checkChoice(protocolsOf(connOpts, carrier), carrier)
  checkUses(connOpts, carrier, false)
  if (size !== undefined && (sizeMin !== undefined || sizeMax !== undefined)) {
    refuse(`${at('size')} means a fixed size: leave it out beside sizeMin and sizeMax`)
  }
  const settings = poolSettingsOf(given)
  if (settings.sizeMin > settings.sizeMax) refuse(`${at('sizeMin')} must not be more than sizeMax`)
  if (idleTimeout !== undefined && Number.isFinite(idleTimeout) && settings.sizeMin === settings.sizeMax) {
    refuse(`${at('idleTimeout')} means nothing in a pool of fixed size: give sizeMin and sizeMax`)
  }
}

export function checkStopPoolOpts(value: unknown): asserts value is StopPoolOpts {
  check(stopOpts, value, 'stopOpts')
}

export function checkAwaitUpOpts(value: unknown): asserts value is PoolAwaitUpOpts {
  check(lookupOpts, value, 'awaitOpts')
}

export function checkCheckoutOpts(value: unknown): asserts value is CheckoutOpts {
  check(checkoutOpts, value, 'checkoutOpts')
  checkPauses(value as CheckoutOpts, 'checkoutOpts')
}

export function checkPoolReqOpts(value: unknown): asserts value is PoolReqOpts {
  check(poolReqOpts, value, 'reqOpts')
  checkPauses(value as PoolReqOpts, 'reqOpts')
}

export function checkPoolWsSendOpts(value: unknown): asserts value is PoolWsSendOpts {
  check(wsSendOpts, value, 'wsSendOpts')
}

/** Checks what a child spec of a pool says beside the options of the pool. Gives these. */
export function poolOptsIn({ id, shutdown, ...rest }: PoolChildSpecOpts, port: number): PoolOpts {
  check(
    options(childEntries),
    { ...(id !== undefined && { id }), ...(shutdown !== undefined && { shutdown }) },
    '',
  )
  checkPoolOpts(rest, port)
  return rest
}

/** Checks the options of a child spec. Gives those of `open` but for the owner. */
export function connOptsIn(value: ChildSpecOpts): Omit<ChildSpecOpts, 'id' | 'shutdown' | 'owner'> {
  if (!isBag(value)) refuse('opts must be an object')
  const { id, shutdown, owner: to, ...rest } = value
  check(
    options(childEntries),
    { ...(id !== undefined && { id }), ...(shutdown !== undefined && { shutdown }) },
    '',
  )
  if (typeof to === 'string' ? to === '' : !v.is(owner, to)) {
    refuse('owner must be given: a process, an xstate actor, or the name of one')
  }
  for (const name of ['retry', 'retryFun']) {
    if (name in rest) refuse(`${name} is no option here: the supervisor starts the connection anew`)
  }
  checkOpts(rest)
  return rest
}

function checkPauses({ checkoutRetry, checkoutTimeout }: CheckoutOpts | PoolReqOpts, prefix: string): void {
  if (checkoutRetry === undefined || checkoutTimeout === undefined) return
  refuse(`${prefix}.checkoutRetry is given beside checkoutTimeout, and both say how long to wait`)
}
