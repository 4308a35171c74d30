/** The functions of this package, in the order of Gun's manual. */

import { MonitorRef } from '@holster/process'
import { createActor } from 'xstate'
import {
  awaitBody as awaitBodyOf,
  awaitMessage,
  awaitResponse as awaitResponseOf,
  awaitUp as awaitUpOf,
  type Body,
  type FullResponse,
  type Limits,
  type StreamMessage,
} from './await/await.js'
import { flushConnection, flushStream } from './await/flush.js'
import { connectionOf } from './connection/connection.js'
import { infoOf } from './connection/info.js'
import { type ConnectionInput, connectionMachine } from './connection/machine.js'
import { checkFraming, checkTrailers } from './exchange/framing.js'
import { type ConnPid, connPidOf, StreamRef, sendMarkOf } from './handles.js'
import { checkMethod, checkPath, type HeadersInit, normalizeHeaders } from './headers.js'
import { briefly } from './layer/brief.js'
import type { Info, StreamInfo } from './layer/info.js'
import type { Owner } from './messages.js'
import { type Bytes, toBytes } from './octets.js'
import { AWAIT_DEFAULTS, type AwaitBodyOpts, type AwaitOpts } from './options/await.js'
import {
  checkAwaitBodyOpts,
  checkAwaitOpts,
  checkReqOpts,
  checkTimeout,
  checkWsOpts,
  isOwner,
} from './options/checks.js'
import type { ReqOpts } from './options/http.js'
import { merge } from './options/merge.js'
import type { Opts } from './options/options.js'
import type { WsOpts } from './options/websocket.js'
import { checkFrames } from './websocket/frame.js'
import type { IsFin, ProtocolName, WsFrame } from './words.js'

/**
 * Starts a connection and gives its handle at once; the outcome arrives as messages to the owner, `gun_up` first.
 * `host` is a name or an address, without brackets. Throws a TypeError or RangeError for a wrong host or port, and a
 * GunError `bad_option` for a wrong option, before anything is opened. Source: manual page gun:open.
 */
export function open(host: string, port: number, opts: Opts = {}): ConnPid {
  return start({ host, port, opts })
}

/** As `open`, over the Unix socket at `path`; the origin's host is `localhost`. Source: manual page gun:open_unix. */
export function openUnix(path: string, opts: Opts = {}): ConnPid {
  if (path === undefined) throw new TypeError('path must be a non-empty string')
  return start({ path, opts })
}

/** No options: they need no check. */
const NONE: ReqOpts = {}

function start(input: ConnectionInput): ConnPid {
  const actor = createActor(connectionMachine, { input })
  const { status, error, context } = actor.getSnapshot()
  if (status === 'error') throw error
  actor.start()
  return context.connPid
}

/**
 * Hands the connection to another owner. Streams that exist go on replying to whom they did. While the connection
 * shuts down it is a `gun_error` `badstate` instead. Source: manual page gun:set_owner.
 */
export function setOwner(connPid: ConnPid, newOwner: Owner): void {
  const connection = connectionOf(connPid)
  if (!isOwner(newOwner)) throw new TypeError('newOwner must be a process or an xstate actor')
  connection.setOwner(newOwner)
}

/**
 * Ends the connection gracefully: streams that are open may finish, at most for `closingTimeout`, a WebSocket is closed
 * with 1001. It is not made again; monitors get `DOWN` with `'shutdown'`. Source: manual page gun:shutdown.
 */
export function shutdown(connPid: ConnPid): void {
  connectionOf(connPid).shutdown()
}

/** Ends the connection at once: open streams get a `gun_error`, monitors `DOWN` with `'shutdown'`. Source: manual page gun:close. */
export function close(connPid: ConnPid): void {
  connectionOf(connPid).close()
}

/** What is known of the connection now. Source: manual page gun:info. */
export function info(connPid: ConnPid): Info {
  return infoOf(connectionOf(connPid))
}

/** A GET request. Source: manual page gun:get. */
export function get(connPid: ConnPid, path: string, headers?: HeadersInit, reqOpts?: ReqOpts): StreamRef {
  return request(connPid, 'GET', path, headers, '', reqOpts)
}

/** A HEAD request. Source: manual page gun:head. */
export function head(connPid: ConnPid, path: string, headers?: HeadersInit, reqOpts?: ReqOpts): StreamRef {
  return request(connPid, 'HEAD', path, headers, '', reqOpts)
}

/** An OPTIONS request; its path may be `*`, for the server as a whole. Source: manual page gun:options. */
export function options(connPid: ConnPid, path: string, headers?: HeadersInit, reqOpts?: ReqOpts): StreamRef {
  return request(connPid, 'OPTIONS', path, headers, '', reqOpts)
}

/** A DELETE request. Exported as `delete`. Source: manual page gun:delete. */
function deleteResource(connPid: ConnPid, path: string, headers?: HeadersInit, reqOpts?: ReqOpts): StreamRef {
  return request(connPid, 'DELETE', path, headers, '', reqOpts)
}

export { deleteResource as delete }

/**
 * A PATCH request: with `body` a whole one, without it as `headers`, so that the body follows through `data`.
 * Source: manual page gun:patch.
 */
export function patch(
  connPid: ConnPid,
  path: string,
  headers?: HeadersInit,
  body?: Bytes,
  reqOpts?: ReqOpts,
): StreamRef {
  return withBody(connPid, 'PATCH', path, headers, body, reqOpts)
}

/**
 * A POST request: with `body` a whole one, without it as `headers`, so that the body follows through `data`.
 * Source: manual page gun:post.
 */
export function post(
  connPid: ConnPid,
  path: string,
  headers?: HeadersInit,
  body?: Bytes,
  reqOpts?: ReqOpts,
): StreamRef {
  return withBody(connPid, 'POST', path, headers, body, reqOpts)
}

/**
 * A PUT request: with `body` a whole one, without it as `headers`, so that the body follows through `data`.
 * Source: manual page gun:put.
 */
export function put(
  connPid: ConnPid,
  path: string,
  headers?: HeadersInit,
  body?: Bytes,
  reqOpts?: ReqOpts,
): StreamRef {
  return withBody(connPid, 'PUT', path, headers, body, reqOpts)
}

function withBody(
  connPid: ConnPid,
  method: string,
  path: string,
  headers: HeadersInit | undefined,
  body: Bytes | undefined,
  reqOpts: ReqOpts = NONE,
): StreamRef {
  return ask(connPid, method, path, headers, body === undefined ? undefined : toBytes(body, 'body'), reqOpts)
}

/**
 * A request with any method and its whole body. `host` and `content-length` are set unless given. With the header
 * `expect: 100-continue` the body waits for `gun_inform` 100, at most a second; if the final response comes before, the
 * body is not sent and the connection ends with that response. Its messages go to
 * `reqOpts.replyTo`, the owner by default. Throws a TypeError that names the argument for what may not be sent.
 * Source: manual page gun:request.
 */
export function request(
  connPid: ConnPid,
  method: string,
  path: string,
  headers: HeadersInit | undefined,
  body: Bytes,
  reqOpts: ReqOpts = NONE,
): StreamRef {
  return ask(connPid, method, path, headers, toBytes(body, 'body'), reqOpts)
}

/**
 * A request whose body follows through `data`. Without a `content-length` it is sent in chunks.
 * Source: manual page gun:headers.
 */
export function headers(
  connPid: ConnPid,
  method: string,
  path: string,
  headers?: HeadersInit,
  reqOpts: ReqOpts = NONE,
): StreamRef {
  return ask(connPid, method, path, headers, undefined, reqOpts)
}

function ask(
  connPid: ConnPid,
  method: string,
  path: string,
  given: HeadersInit | undefined,
  body: Uint8Array | undefined,
  reqOpts: ReqOpts,
): StreamRef {
  const connection = connectionOf(connPid)
  if (reqOpts !== NONE) checkReqOpts(reqOpts)
  const { flow, invalidRequestHeaders, replyTo, sendHighWaterMark } = reqOpts
  const isChecked = invalidRequestHeaders !== 'ignore'
  checkMethod(method, isChecked)
  checkPath(path, isChecked)
  const fields = normalizeHeaders(given, isChecked)
  checkFraming(fields, body)
  const streamRef = new StreamRef(connPid, replyTo ?? connection.owner, sendHighWaterMark)
  connection.perform(streamRef, 'a request', protocol => {
    protocol.request?.({ streamRef, method, path, headers: fields, isChecked, body, flow })
    return protocol.request !== undefined
  })
  return streamRef
}

/**
 * A part of a request's body. Only `'fin'` ends the body, an empty chunk does not. Nothing that was taken is dropped. Gives
 * `false`, which has two meanings. Either the part was not taken: the stream takes no data, since its body is complete or it
 * has ended, or the part is longer than `content-length` allows; a `gun_error` says why, mostly `badstate`, and no drain is
 * told of it. Or, where the request has a `sendHighWaterMark`, the part was taken and the caller should wait, since more than
 * that is to be sent or the connection is being made. Then one of these follows, unless `'fin'` or `cancel` does: a
 * `gun_notify` `'drain'` when there is room, a `gun_response`, since then more may not be wanted, or a `gun_error`.
 * Source: manual page gun:data.
 */
export function data(connPid: ConnPid, streamRef: StreamRef, isFin: IsFin, chunk: Bytes): boolean {
  const connection = connectionOf(connPid)
  checkStreamRef(connPid, streamRef)
  if (isFin !== 'fin' && isFin !== 'nofin')
    throw new TypeError(`isFin must be 'fin' or 'nofin', not ${isFin}`)
  const bytes = toBytes(chunk, 'chunk')
  let hasRoom: boolean | undefined
  const waits = connection.proceed(streamRef, 'data of a request', protocol => {
    const isLate = hasRoom !== undefined
    hasRoom = protocol.data?.(streamRef, isFin, bytes, isLate)
    return protocol.data !== undefined
  })
  // What runs later sees by this that the caller has been told.
  hasRoom ??= waits && sendMarkOf(streamRef) === undefined
  return hasRoom
}

/**
 * Ends a request's body with trailer fields. For a stream that takes no data, and over HTTP/1.1 for one that has a
 * `content-length`, it is a `gun_error` `badstate`. Throws a TypeError for a field that may not stand there
 * (RFC 9110 section 6.5.1). Gun has no such function.
 */
export function trailers(connPid: ConnPid, streamRef: StreamRef, headers: HeadersInit): void {
  const connection = connectionOf(connPid)
  checkStreamRef(connPid, streamRef)
  const fields = normalizeHeaders(headers)
  checkTrailers(fields)
  connection.proceed(streamRef, 'trailers of a request', protocol => {
    protocol.trailers?.(streamRef, fields)
    return protocol.trailers !== undefined
  })
}

/**
 * Ends a stream as far as you are concerned: no more messages of it are posted, nor is it among `killedStreams`. A
 * request that was not sent yet never is. HTTP/2 resets the stream. HTTP/1.1 cannot take back what was sent: the rest of
 * the response is read and dropped. If that is more than 1 MiB or takes longer than `httpOpts.cancelTimeout`, or if the
 * request's own body is not complete, the connection is lost with `cancelled`, once the responses before it have come: a
 * request that hangs does not hold up those behind it for ever, whose errors say whether it is safe to ask again. For a
 * stream that is not open it is a `gun_error` `badstate`. Source: manual page gun:cancel.
 */
export function cancel(connPid: ConnPid, streamRef: StreamRef): void {
  const connection = connectionOf(connPid)
  checkStreamRef(connPid, streamRef)
  connection.cancel(streamRef)
}

/**
 * Asks the peer for a sign of life. Gives a ref that the answer carries: a `gun_notify` `'ping_ack'` with the milliseconds
 * that it took. Only HTTP/2 can: over HTTP/1.1 and on a WebSocket the answer is a `gun_error` `badstate`, and the connection
 * stays as it is. To ping a WebSocket send it a ping frame. Source: manual page gun:ping.
 */
export function ping(connPid: ConnPid, reqOpts: Pick<ReqOpts, 'replyTo'> = {}): StreamRef {
  const connection = connectionOf(connPid)
  checkReqOpts(reqOpts)
  const streamRef = new StreamRef(connPid, reqOpts.replyTo ?? connection.owner)
  connection.perform(streamRef, 'a ping', protocol => {
    protocol.ping?.(streamRef)
    return protocol.ping !== undefined
  })
  return streamRef
}

/**
 * The next message of the stream, as it is. Rejects with a GunError: of kind `stream_error`, `connection_error` or
 * `badstate` when that message is a `gun_error`, `down` when the connection has ended, `timeout` when nothing came
 * within so many milliseconds (5000 by default); its message says why, as far as that can be known: the stream has ended and
 * was read already, was cancelled, was not sent, waits behind another, or the peer sent nothing. Rejects with the signal's
 * reason when that aborts. Nothing is taken then. The monitor may be one of yours (given third or fourth); else one is made
 * for the call. It receives in the mailbox that the stream replies to; a TypeError where that is not a process.
 * Source: manual page gun:await.
 */
function awaitStream(
  connPid: ConnPid,
  streamRef: StreamRef,
  timeout?: number | MonitorRef | AwaitOpts,
  monitorRef?: MonitorRef,
): Promise<StreamMessage> {
  connectionOf(connPid)
  checkStreamRef(connPid, streamRef)
  return awaitMessage(connPid, streamRef, limitsOf(timeout, monitorRef, checkAwaitOpts))
}

export { awaitStream as await }

/**
 * The body of a response whose `gun_response` was received; the timeout applies to each message. Rejects as `await`
 * does; what was taken of the body until then is lost, so that such a stream is best cancelled. With more than `maxBodySize`
 * bytes it is a GunError `limit_reached` of kind `stream_error`, and the stream is cancelled and flushed. Where `flow` is set
 * it asks for more by itself. Source: manual page gun:await_body.
 */
export function awaitBody(
  connPid: ConnPid,
  streamRef: StreamRef,
  timeout?: number | MonitorRef | AwaitBodyOpts,
  monitorRef?: MonitorRef,
): Promise<Body> {
  connectionOf(connPid)
  checkStreamRef(connPid, streamRef)
  return awaitBodyOf(connPid, streamRef, limitsOf(timeout, monitorRef, checkAwaitBodyOpts))
}

/**
 * The whole response of a request: status, headers, body, and trailers if it has any. Informational responses are skipped. The
 * timeout, 5000 ms by default, is for all of it together. Rejects as `await` does, and with `limit_reached` of kind
 * `stream_error` where the body has more than `maxBodySize` bytes. Whenever it rejects the stream is given up: cancelled if it
 * is still open, and flushed; so it is, with `badstate`, where the head of the response was read before. Where `flow` is set it
 * asks for more by itself. A stream that became a WebSocket has no response: `badstate`, and the WebSocket stays. Events of `sse` are no body; they come as `gun_sse`. Gun has no such function.
 */
export function awaitResponse(
  connPid: ConnPid,
  streamRef: StreamRef,
  timeout?: number | AwaitBodyOpts,
): Promise<FullResponse> {
  connectionOf(connPid)
  checkStreamRef(connPid, streamRef)
  return awaitResponseOf(connPid, streamRef, limitsOf(timeout, undefined, checkAwaitBodyOpts))
}

/**
 * Waits for `gun_up` in the owner's mailbox, and gives the protocol. Rejects with a GunError of kind `down` or
 * `timeout`, whose cause is why the last attempt failed, or with the signal's reason when that aborts.
 * Source: manual page gun:await_up.
 */
export function awaitUp(
  connPid: ConnPid,
  timeout?: number | MonitorRef | AwaitOpts,
  monitorRef?: MonitorRef,
): Promise<ProtocolName> {
  connectionOf(connPid)
  return awaitUpOf(connPid, limitsOf(timeout, monitorRef, checkAwaitOpts))
}

function limitsOf(
  given: number | MonitorRef | AwaitBodyOpts | undefined,
  monitorRef: MonitorRef | undefined,
  check: (value: unknown) => void,
): Limits {
  const { timeout, maxBodySize } = AWAIT_DEFAULTS
  if (given instanceof MonitorRef) return { timeout, monitorRef: given, signal: undefined, maxBodySize }
  if (monitorRef !== undefined && !(monitorRef instanceof MonitorRef)) {
    throw new TypeError('monitorRef must be what monitor gave')
  }
  if (given === undefined) return { timeout, monitorRef, signal: undefined, maxBodySize }
  if (typeof given === 'number') {
    checkTimeout(given)
    return { timeout: given, monitorRef, signal: undefined, maxBodySize }
  }
  if (typeof given !== 'object')
    throw new TypeError(`timeout must be a number of milliseconds, not ${String(given)}`)
  check(given)
  if (monitorRef !== undefined)
    throw new TypeError('monitorRef must be given within awaitOpts, where there are any')
  return {
    timeout: given.timeout ?? timeout,
    monitorRef: given.monitorRef,
    signal: given.signal,
    maxBodySize: given.maxBodySize ?? maxBodySize,
  }
}

/**
 * Drops the waiting messages of a connection (from its owner's mailbox, with its `DOWN`) or of a stream (from the
 * mailbox it replies to), and says how many they were. A `gun_push` of the stream stays while the stream that it tells of
 * is open, or has messages that wait: that is a stream of its own. Source: manual page gun:flush.
 */
export function flush(target: ConnPid | StreamRef): number {
  return target instanceof StreamRef ? flushStream(target) : flushConnection(target)
}

/**
 * Asks for so many messages more, where `flow` is set; elsewhere, and for a stream that has ended, it does nothing.
 * Throws a RangeError unless `increment` is a whole number of at least 1. Source: manual page gun:update_flow.
 */
export function updateFlow(connPid: ConnPid, streamRef: StreamRef, increment: number): void {
  const connection = connectionOf(connPid)
  checkStreamRef(connPid, streamRef)
  if (!Number.isInteger(increment) || increment < 1) {
    throw new RangeError(`increment must be a whole number of at least 1, not ${increment}`)
  }
  connection.updateFlow(streamRef, increment)
}

/**
 * What is known of a stream now; `undefined` for one that is not open. Throws a GunError `badstate` while the
 * connection is not up. Source: manual page gun:stream_info.
 */
export function streamInfo(connPid: ConnPid, streamRef: StreamRef): StreamInfo | undefined {
  const connection = connectionOf(connPid)
  checkStreamRef(connPid, streamRef)
  const info = connection.streamInfo(streamRef)
  return info && briefly(info, ['replyTo'])
}

/**
 * Asks for the connection to be upgraded to WebSocket; any time after it is up, also behind requests whose responses
 * are still to come. Over HTTP/2 it is just the stream that becomes a WebSocket (RFC 8441), if the server allows that; the
 * rest of the connection goes on. All headers that the upgrade needs are set; `headers` may add to them, for example
 * `authorization`, or `sec-websocket-protocol` to ask for a subprotocol. `wsOpts` win over those of `open`.
 *
 * The answer is `gun_upgrade`; or `gun_response` when the server refuses, after which requests may go on; or
 * `gun_error` when it cannot be done or the server's answer is wrong. Source: manual page gun:ws_upgrade.
 */
export function wsUpgrade(
  connPid: ConnPid,
  path: string,
  headers?: HeadersInit,
  wsOpts: WsOpts = {},
): StreamRef {
  const connection = connectionOf(connPid)
  checkWsOpts(wsOpts)
  const opts = merge(connection.opts.wsOpts ?? {}, wsOpts)
  const isChecked = opts.invalidRequestHeaders !== 'ignore'
  checkPath(path, isChecked)
  const fields = normalizeHeaders(headers, isChecked)
  const streamRef = new StreamRef(connPid, opts.replyTo ?? connection.owner)
  connection.perform(streamRef, 'an upgrade', protocol => {
    protocol.wsUpgrade?.({ streamRef, path, headers: fields, isChecked, opts })
    return protocol.wsUpgrade !== undefined
  })
  return streamRef
}

/**
 * Sends one frame or a list of frames, in order; all that is sent within one tick leaves in one write. A close frame
 * closes the connection cleanly, and nothing is connected again; over HTTP/2 it closes the stream. Gives `false`, which has two
 * meanings. Either frames were not sent: there is no WebSocket yet or any more, or a close frame was sent before; they come
 * back in a `gun_error` (`reason.frames`), and no drain is told of them. Or all were taken and the caller should wait, since
 * more than `sendHighWaterMark` is to be sent: a `gun_notify` `'drain'` says when to go on, or a `gun_error` why that cannot be.
 * Without a stream there must be exactly one WebSocket on the connection. Throws a TypeError that names the frame when it is none, and shows the right one.
 * Source: manual page gun:ws_send.
 */
export function wsSend(connPid: ConnPid, frames: WsFrame | readonly WsFrame[]): boolean
/** As above, for one stream: what cannot be sent comes back to its replyTo instead of the owner. */
export function wsSend(connPid: ConnPid, streamRef: StreamRef, frames: WsFrame | readonly WsFrame[]): boolean
export function wsSend(
  connPid: ConnPid,
  ...args: [WsFrame | readonly WsFrame[]] | [StreamRef, WsFrame | readonly WsFrame[]]
): boolean {
  const connection = connectionOf(connPid)
  if (args.length === 1) return connection.wsSend(undefined, checkFrames(args[0]))
  checkStreamRef(connPid, args[0])
  return connection.wsSend(args[0], checkFrames(args[1]))
}

function checkStreamRef(connPid: ConnPid, streamRef: unknown): asserts streamRef is StreamRef {
  if (!(streamRef instanceof StreamRef))
    throw new TypeError('streamRef must be what a request or wsUpgrade gave')
  if (connPidOf(streamRef) !== connPid) throw new TypeError(`streamRef ${streamRef} is not of ${connPid}`)
}
