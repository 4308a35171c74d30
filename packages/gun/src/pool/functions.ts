/** The public functions of pools, in the order of Gun's manual. */

import type { Body, FullResponse, StreamMessage } from '../await/await.js'
import { GunError } from '../errors.js'
import { checkFraming, checkTrailers } from '../exchange/framing.js'
import * as gun from '../functions.js'
import { sendMarkOf } from '../handles.js'
import { checkMethod, checkPath, type HeadersInit, normalizeHeaders } from '../headers.js'
import type { StreamInfo } from '../layer/info.js'
import { type Bytes, toBytes } from '../octets.js'
import { checkAwaitBodyOpts, checkAwaitOpts, checkTimeout } from '../options/checks.js'
import type {
  CheckoutOpts,
  PoolAwaitOpts,
  PoolAwaitUpOpts,
  PoolOpts,
  PoolReqOpts,
  PoolWsSendOpts,
  StopPoolOpts,
} from '../options/pool.js'
import {
  checkAwaitUpOpts,
  checkCheckoutOpts,
  checkPoolReqOpts,
  checkPoolWsSendOpts,
  checkStopPoolOpts,
} from '../options/pool-checks.js'
import { isOwner } from '../options/values.js'
import type { IsFin, WsFrame } from '../words.js'
import { bound, withTimeout } from './awaiting.js'
import type { Checkout } from './checkout.js'

export { childSpec } from './child-spec.js'

import { collect, isUntouched } from './collector.js'
import type { PoolInfo } from './info.js'
import { authorityAt, poolFor, poolNamed, start } from './lookup.js'
import type { PoolPid } from './process.js'
import { PoolStreamRef, waiterOf } from './reference.js'
import { allPools, findPool, notFound } from './registry.js'
import { untilUp } from './up.js'

/**
 * Starts a pool of connections to one host, and returns its process at once. The connections are made in the background;
 * `awaitUp` waits for them. A pool is found by its scope and its authority: the host and port as in a `host` header.
 *
 * The pool lives until `stopPool`, or until its process gets an exit signal: a reason other than `'normal'` and `'kill'` ends the
 * pool in order, so that streams may finish, and `'kill'` ends it at once. The connections end with the pool. Under a supervisor
 * use `childSpec`.
 *
 * Throws a TypeError or RangeError for a wrong host or port, a GunError `bad_option` for a wrong option, and `already_started`
 * where there is such a pool. Source: gun_pool:start_pool.
 */
export function startPool(host: string, port: number, opts: PoolOpts = {}): PoolPid {
  return start(host, port, opts).pid
}

/**
 * Stops a pool in order: callers that wait get the error `shutdown`, and each connection ends with the last of its streams,
 * within `closingTimeout`. Resolves when all connections have ended. Rejects with a GunError `pool_not_found`. Source:
 * gun_pool:stop_pool.
 */
export async function stopPool(host: string, port: number, stopOpts: StopPoolOpts = {}): Promise<void> {
  checkStopPoolOpts(stopOpts)
  const authority = authorityAt(host, port, stopOpts.transport)
  const pool = findPool(authority, stopOpts.scope)
  if (pool === undefined) throw notFound(authority)
  pool.stop('shutdown')
  await pool.pid.exited
}

/** Returns the facts about all pools. Source: gun_pool:info. */
export function info(): readonly PoolInfo[]
/**
 * Returns the facts about one pool, by its process or by its authority within a scope; `undefined` if there is none. Source:
 * gun_pool:info, which gives `{StateName, Info}`.
 */
export function info(pool: PoolPid | string, scope?: unknown): PoolInfo | undefined
export function info(pool?: PoolPid | string, scope?: unknown): readonly PoolInfo[] | PoolInfo | undefined {
  if (pool === undefined) return allPools().map(each => each.info)
  return poolNamed(pool, scope)?.info
}

/**
 * Waits until the pool is operational: all connections that it wants are up. Rejects with a GunError `pool_not_found`, with one
 * of kind `timeout` (after 5000 ms by default) or `down`, whose cause is the error of a connection, or with the signal's reason.
 * Source: gun_pool:await_up.
 */
export async function awaitUp(pool: PoolPid | string, awaitOpts: PoolAwaitUpOpts = {}): Promise<void> {
  checkAwaitUpOpts(awaitOpts)
  const found = poolNamed(pool, awaitOpts.scope)
  if (found === undefined) throw notFound(String(pool))
  await untilUp(found, awaitOpts)
}

/**
 * Lends a connection to the caller for one stream, which the caller begins with the functions of gun. The pool counts the
 * checkout and its stream as one stream: until the stream ends, or until the caller gives the connection back without having
 * begun one. A caller that exits gives the connection back, and the stream is cancelled. The owner of the connection is the
 * pool, which has no use for messages of the stream: give the stream a `replyTo`.
 *
 * Gives the connection with least to do; where the set-up has turned all connections into something else, such as WebSockets, a
 * different one each time. Waits while no connection is free. Rejects with a GunError `no_connection_available`, and with the
 * signal's reason. Source: gun_pool:checkout.
 *
 * ```ts
 * using checkout = await gun.pool.checkout(pool)
 * const streamRef = gun.get(checkout.connPid, '/', {}, { replyTo: self })
 * ```
 *
 * @param pool The pool, as `startPool` returned it.
 */
export async function checkout(pool: PoolPid, checkoutOpts: CheckoutOpts = {}): Promise<Checkout> {
  checkCheckoutOpts(checkoutOpts)
  const found = poolNamed(pool, undefined)
  if (found === undefined) throw notFound(String(pool))
  return found.checkout(checkoutOpts)
}

/** Sends a GET request through a pool. Source: gun_pool:get. */
export function get(path: string, headers: HeadersInit, reqOpts?: PoolReqOpts): PoolStreamRef {
  return begin('GET', path, headers, EMPTY, reqOpts)
}

/** Sends a HEAD request through a pool. Source: gun_pool:head. */
export function head(path: string, headers: HeadersInit, reqOpts?: PoolReqOpts): PoolStreamRef {
  return begin('HEAD', path, headers, EMPTY, reqOpts)
}

/** Sends an OPTIONS request through a pool. Source: gun_pool:options. */
export function options(path: string, headers: HeadersInit, reqOpts?: PoolReqOpts): PoolStreamRef {
  return begin('OPTIONS', path, headers, EMPTY, reqOpts)
}

/** Sends a DELETE request through a pool. Exported as `delete`. Source: gun_pool:delete. */
function deleteResource(path: string, headers: HeadersInit, reqOpts?: PoolReqOpts): PoolStreamRef {
  return begin('DELETE', path, headers, EMPTY, reqOpts)
}

export { deleteResource as delete }

/** Sends a PATCH request through a pool; without `body` it follows through `data`. Source: gun_pool:patch. */
export function patch(
  path: string,
  headers: HeadersInit,
  body?: Bytes,
  reqOpts?: PoolReqOpts,
): PoolStreamRef {
  return begin('PATCH', path, headers, bodyOf(body), reqOpts)
}

/** Sends a POST request through a pool; without `body` it follows through `data`. Source: gun_pool:post. */
export function post(path: string, headers: HeadersInit, body?: Bytes, reqOpts?: PoolReqOpts): PoolStreamRef {
  return begin('POST', path, headers, bodyOf(body), reqOpts)
}

/** Sends a PUT request through a pool; without `body` it follows through `data`. Source: gun_pool:put. */
export function put(path: string, headers: HeadersInit, body?: Bytes, reqOpts?: PoolReqOpts): PoolStreamRef {
  return begin('PUT', path, headers, bodyOf(body), reqOpts)
}

/**
 * Sends a request with its whole body through the pool of the scope in `reqOpts` and of the authority in the header `host`.
 * Returns its stream at once. Where no connection is free the stream waits in a fair queue. Until its turn comes the stream has
 * no `connPid`, but can be used with `data`, `trailers`, `updateFlow`, `cancel`, `await` and `awaitResponse` already.
 *
 * The messages go to `reqOpts.replyTo`, and carry the returned reference as their `streamRef`. Without a replyTo they wait in a
 * mailbox of the pool's own, from which `await`, `awaitBody` and `awaitResponse` take them, within a process or not. A replyTo
 * that is a process or an actor is the caller: when it exits, its place in the queue is given up, and its stream is cancelled.
 *
 * A stream that gets no connection in time, or whose pool ends or fails, ends with a `gun_error` like any other stream. The
 * `connPid` of the stream is then that of the connection that was tried last.
 *
 * Throws a GunError `pool_not_found`; `no_connection_available` where the caller does not want to wait, or where no connection
 * can ever be made; the signal's reason if the signal has aborted; and a TypeError for a value that cannot be sent, or where the
 * headers have no `host`. Source: gun_pool:request.
 *
 * @param body The whole body; `''`: none.
 */
export function request(
  method: string,
  path: string,
  headers: HeadersInit,
  body: Bytes,
  reqOpts?: PoolReqOpts,
): PoolStreamRef {
  return begin(method, path, headers, toBytes(body, 'body'), reqOpts)
}

/**
 * Sends the head of a request through a pool; the body follows through `data`. Source: gun_pool:headers.
 *
 * @param fields The header fields. `host` says which pool is meant.
 */
export function headers(
  method: string,
  path: string,
  fields: HeadersInit,
  reqOpts?: PoolReqOpts,
): PoolStreamRef {
  return begin(method, path, fields, undefined, reqOpts)
}

/**
 * Sends a part of a request's body, as `data` of gun does. The parts for a stream that waits for its connection are kept, and the
 * answer is `false` then if the stream has a `sendHighWaterMark`. Source: gun_pool:data.
 */
export function data(streamRef: PoolStreamRef, isFin: IsFin, chunk: Bytes): boolean {
  const waiter = waiterOf(checked(streamRef))
  if (waiter === undefined) return gun.data(connOf(streamRef), streamRef, isFin, chunk)
  if (isFin !== 'fin' && isFin !== 'nofin')
    throw new TypeError(`isFin must be 'fin' or 'nofin', not ${isFin}`)
  const isToldToWait = sendMarkOf(streamRef) !== undefined
  waiter.add({ type: 'data', streamRef, isFin, data: toBytes(chunk, 'chunk'), isToldToWait })
  return !isToldToWait
}

/**
 * Ends a request's body with trailer fields, as `trailers` of gun does. Gun has no such function.
 *
 * @param fields The trailer fields: a record, pairs or a `Headers`; names in any case.
 */
export function trailers(streamRef: PoolStreamRef, fields: HeadersInit): void {
  const waiter = waiterOf(checked(streamRef))
  if (waiter === undefined) return gun.trailers(connOf(streamRef), streamRef, fields)
  const normal = normalizeHeaders(fields)
  checkTrailers(normal)
  waiter.add({ type: 'trailers', streamRef, headers: normal })
}

/**
 * Takes the next message of the stream, as `await` of gun does; the wait for a connection counts towards the timeout. Source:
 * gun_pool:await.
 */
async function awaitStream(
  streamRef: PoolStreamRef,
  timeout?: number | PoolAwaitOpts,
): Promise<StreamMessage> {
  checkAwaiting(streamRef, timeout, checkAwaitOpts)
  if (streamRef.connPid !== undefined) return gun.await(streamRef.connPid, streamRef, timeout)
  const it = await bound(streamRef, timeout)
  return gun.await(it.connPid, streamRef, withTimeout(timeout, it.timeout))
}

export { awaitStream as await }

/** Waits for the body of a response, as `awaitBody` of gun does. Source: gun_pool:await_body. */
export function awaitBody(streamRef: PoolStreamRef, timeout?: number | PoolAwaitOpts): Promise<Body> {
  checkAwaiting(streamRef, timeout, checkAwaitBodyOpts)
  return gun.awaitBody(connOf(streamRef), streamRef, timeout)
}

/**
 * Waits for the whole response of a pooled request: status, headers, body, and trailers if there are any. The timeout, 5000 ms by
 * default, covers the wait for a connection as well. Rejects as `awaitResponse` of gun does; after every rejection the stream, or
 * its place in the queue, is given up. Gun has no such function.
 *
 * ```ts
 * const { status, body } = await gun.pool.awaitResponse(gun.pool.get('/', { host: 'example.org' }))
 * ```
 */
export function awaitResponse(
  streamRef: PoolStreamRef,
  timeout?: number | PoolAwaitOpts,
): Promise<FullResponse> {
  checkAwaiting(streamRef, timeout, checkAwaitBodyOpts)
  if (isUntouched(streamRef)) return collect(streamRef, timeout)
  const { connPid } = streamRef
  return connPid === undefined
    ? awaitLater(streamRef, timeout)
    : gun.awaitResponse(connPid, streamRef, timeout)
}

async function awaitLater(streamRef: PoolStreamRef, timeout?: number | PoolAwaitOpts): Promise<FullResponse> {
  const it = await bound(streamRef, timeout).catch(error => {
    waiterOf(streamRef)?.giveUp()
    throw error
  })
  return gun.awaitResponse(it.connPid, streamRef, withTimeout(timeout, it.timeout))
}

/** Drops the waiting messages of the stream, and returns their number. Source: gun_pool:flush. */
export function flush(streamRef: PoolStreamRef): number {
  return checked(streamRef).connPid === undefined ? 0 : gun.flush(streamRef)
}

/** Allows the stream to post so many messages more, as `updateFlow` of gun does. Source: gun_pool:update_flow. */
export function updateFlow(streamRef: PoolStreamRef, increment: number): void {
  const waiter = waiterOf(checked(streamRef))
  if (waiter === undefined) return gun.updateFlow(connOf(streamRef), streamRef, increment)
  if (!Number.isInteger(increment) || increment < 1) {
    throw new RangeError(`increment must be a whole number of at least 1, not ${increment}`)
  }
  waiter.add({ type: 'flow', streamRef, increment })
}

/**
 * Ends a stream for the caller, as `cancel` of gun does: none of its messages is posted any more. A stream that waits gives up
 * its place, and is never sent. Source: gun_pool:cancel.
 */
export function cancel(streamRef: PoolStreamRef): void {
  const waiter = waiterOf(checked(streamRef))
  if (waiter !== undefined) return waiter.giveUp()
  if (streamRef.connPid !== undefined) gun.cancel(streamRef.connPid, streamRef)
}

/**
 * Returns the current facts about a stream; `undefined` if it is not open, or waits for its connection. Source:
 * gun_pool:stream_info.
 */
export function streamInfo(streamRef: PoolStreamRef): StreamInfo | undefined {
  const { connPid } = checked(streamRef)
  return connPid === undefined ? undefined : gun.streamInfo(connPid, streamRef)
}

/**
 * Sends frames on a WebSocket of the pool of that authority and scope, which the set-up has named as `meta.ws`: on a different
 * one each time. Returns as `wsSend` of gun does. Throws a GunError `pool_not_found`, or `no_connection_available` where no
 * WebSocket is up. Source: gun_pool:ws_send.
 */
export function wsSend(frames: WsFrame | readonly WsFrame[], wsSendOpts: PoolWsSendOpts): boolean {
  checkPoolWsSendOpts(wsSendOpts)
  const pool = findPool(wsSendOpts.authority, wsSendOpts.scope)
  if (pool === undefined) throw notFound(wsSendOpts.authority)
  return pool.send(frames)
}

const EMPTY = new Uint8Array()
/** No options; these need no check. */
const NONE: PoolReqOpts = {}

function bodyOf(body: Bytes | undefined): Uint8Array | undefined {
  return body === undefined ? undefined : toBytes(body, 'body')
}

function begin(
  method: string,
  path: string,
  headersInit: HeadersInit,
  body: Uint8Array | undefined,
  reqOpts: PoolReqOpts = NONE,
): PoolStreamRef {
  if (reqOpts !== NONE && !isPlain(reqOpts)) checkPoolReqOpts(reqOpts)
  const { flow, invalidRequestHeaders } = reqOpts
  const isChecked = invalidRequestHeaders !== 'ignore'
  checkMethod(method, isChecked)
  checkPath(path, isChecked)
  const fields = normalizeHeaders(headersInit, isChecked)
  checkFraming(fields, body)
  return poolFor(fields, reqOpts).begin({ method, path, headers: fields, isChecked, body, flow }, reqOpts)
}

/** Whether the options are those of most requests, and right: the whole check takes longer than the rest of a begin. */
function isPlain(reqOpts: PoolReqOpts): boolean {
  for (const name in reqOpts) {
    if (name === 'scope') continue
    if (name !== 'replyTo') return false
    const { replyTo } = reqOpts
    if (replyTo !== undefined && typeof replyTo !== 'function' && !isOwner(replyTo)) return false
  }
  return typeof reqOpts === 'object' && reqOpts !== null && !Array.isArray(reqOpts)
}

function checked(streamRef: PoolStreamRef): PoolStreamRef {
  if (!(streamRef instanceof PoolStreamRef)) {
    throw new TypeError('streamRef must be a handle that a request of gun.pool returned')
  }
  return streamRef
}

/**
 * Gives the connection of a stream that does not wait. Throws for a stream that waits, or that was given up before it had a
 * connection.
 */
function connOf(streamRef: PoolStreamRef) {
  const { connPid } = checked(streamRef)
  if (connPid !== undefined) return connPid
  const what = waiterOf(streamRef) === undefined ? 'was given up before it had one' : 'still waits for one'
  throw new GunError('badstate', 'badstate', `${streamRef} has no connection: it ${what}`)
}

function checkAwaiting(
  streamRef: PoolStreamRef,
  init: number | PoolAwaitOpts | undefined,
  check: (value: unknown) => void,
): void {
  checked(streamRef)
  if (typeof init === 'number') checkTimeout(init)
  else if (init !== undefined) check(init)
}
