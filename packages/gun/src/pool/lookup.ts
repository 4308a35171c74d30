/** Finds the pool that a call is for, by its scope and authority, and starts one where the caller wants that. */

import { GunError } from '../errors.js'
import { headerValue } from '../headers.js'
import { authorityOf, parseHost } from '../options/host.js'
import type { PoolOpts, PoolReqOpts } from '../options/pool.js'
import { checkPoolOpts } from '../options/pool-checks.js'
import { destinationOf } from '../transport/contract.js'
import type { Headers } from '../words.js'
import { Pool } from './pool.js'
import type { PoolPid } from './process.js'
import { addPool, checkFree, findPool, notFound, poolOf, removePool } from './registry.js'

/** Starts a pool. Throws where its arguments are wrong, or where there is one already. */
export function start(host: string, port: number, opts: PoolOpts): Pool {
  return startIn(opts.scope, host, port, opts, '')
}

function startIn(scope: unknown, host: string, port: number, opts: PoolOpts, prefix: string): Pool {
  const destination = destinationOf({ host, port })
  if (destination.path !== undefined) throw new TypeError('host must be a name or an address')
  checkPoolOpts(opts, port, prefix)
  checkFree(authorityAt(host, port, opts.connOpts?.transport), scope)
  const pool = new Pool(destination.host, port, { ...opts, scope }, removePool)
  addPool(pool)
  return pool
}

/** Gives the authority of a pool: the host header of its requests. */
export function authorityAt(host: string, port: number, transport?: 'tcp' | 'tls'): string {
  return authorityOf({ host: parseHost(host, port), port }, transport ?? (port === 443 ? 'tls' : 'tcp'))
}

/** Finds or starts the pool for a request. Throws a GunError `pool_not_found`, and a TypeError where the headers name no host. */
export function poolFor(fields: Headers, { scope, startPoolIfMissing = false }: PoolReqOpts): Pool {
  const authority = headerValue(fields, 'host')
  if (authority === undefined) {
    throw new TypeError("headers must have a host, which names the pool: { host: 'example.org' }")
  }
  const pool = findPool(authority, scope)
  if (pool !== undefined) return pool
  if (startPoolIfMissing === false) throw notFound(authority)
  const opts = startPoolIfMissing === true ? {} : startPoolIfMissing
  const { host, port } = placeOf(authority, opts.connOpts?.transport)
  // The header may name the usual port, or an address in another form.
  const known = findPool(authorityAt(host, port, opts.connOpts?.transport), scope)
  return known ?? startIn(scope, host, port, opts, 'reqOpts.startPoolIfMissing')
}

/** Gives the pool that the caller names by its process, or by its authority within a scope; `undefined` if there is none. */
export function poolNamed(pool: PoolPid | string, scope: unknown): Pool | undefined {
  if (typeof pool === 'string') return findPool(pool, scope)
  const found = poolOf(pool)
  return found.isOver ? undefined : found
}

function placeOf(authority: string, transport: 'tcp' | 'tls' | undefined): { host: string; port: number } {
  const scheme = transport === 'tls' ? 'https:' : 'http:'
  const text = `${scheme}//${authority}/`
  if (!URL.canParse(text) || /[\s/@?#\\]/.test(authority)) {
    throw new GunError('bad_option', 'options', `headers: no pool can be started for the host ${authority}`)
  }
  const { hostname, port } = new URL(text)
  const usual = transport === 'tls' ? 443 : 80
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? usual : Number(port) }
}
