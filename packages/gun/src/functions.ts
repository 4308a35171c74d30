/** The public functions, in the order of Gun's manual: they check arguments, and hand on to a connection here or on another node. */

import { MonitorRef } from '@holster/process'
import {
  awaitBare,
  awaitBody as awaitBodyOf,
  awaitMessage,
  awaitResponse as awaitResponseOf,
  awaitUp as awaitUpOf,
  type BareMessage,
  type Body,
  type FullResponse,
  type Limits,
  type StreamMessage,
} from './await/await.js'
import { flushConnection, flushStream } from './await/flush.js'
import { AwayConnection } from './connection/away.js'
import { calleeOf, connectionHere } from './connection/callee.js'
import { living } from './connection/connection.js'
import { behind } from './connection/crossing.js'
import { infoOf, listed, streamInfoOf } from './connection/info.js'
import { openConnection } from './connection/opening.js'
import { openAt as openConnectionAt } from './connection/opening-at.js'
import { ask, remoteInfoOf, remoteStreamInfoOf } from './connection/questions.js'
import { tellCreated } from './events/request-create.js'
import { checkFraming, checkTrailers, targetOf } from './exchange/framing.js'
import { type ConnPid, connPidOf, StreamRef } from './handles.js'
import { checkMethod, checkPath, checkWithoutBody, type HeadersInit, normalizeHeaders } from './headers.js'
import { briefly } from './layer/brief.js'
import type { Command, DataCommand, FlowCommand } from './layer/commands.js'
import type { ConnectionInfo, Info, RemoteInfo, RemoteStreamInfo, StreamInfo } from './layer/info.js'
import type { Owner } from './messages.js'
import { type Bytes, toBytes } from './octets.js'
import { AWAIT_DEFAULTS, type AwaitBodyOpts, type AwaitOpts } from './options/await.js'
import {
  checkAwaitBodyOpts,
  checkAwaitOpts,
  checkConnectDestination,
  checkPingOpts,
  checkReqOpts,
  checkTimeout,
  checkWsOpts,
} from './options/checks.js'
import type { PingOpts, ReqOpts } from './options/http.js'
import { merge } from './options/merge.js'
import type { Opts } from './options/options.js'
import type { ConnectDestination } from './options/tunnel.js'
import { isOwner } from './options/values.js'
import type { WsOpts } from './options/websocket.js'
import { goalOf, withCredentials } from './tunnel/goal.js'
import { checkFrames } from './websocket/frame.js'
import type { IsFin, ProtocolName, WsFrame } from './words.js'

/**
 * Starts a connection and returns its handle at once. The outcome arrives as messages to the owner, `gun_up`
 * first. `host` is a name or an address without brackets. Before anything is opened, throws a TypeError or
 * RangeError for a wrong host or port, and a GunError `bad_option` for a wrong option. Source:
 * manual page gun:open.
 *
 * ```ts
 * const connPid = gun.open('example.org', 443, { owner: self, retry: 0 })
 * const protocol = await gun.awaitUp(connPid)
 * ```
 */
export function open(host: string, port: number, opts: Opts = {}): ConnPid {
  return openConnection({ host, port, opts })
}

/**
 * Starts a connection like `open`, over the Unix socket at `path`. The origin's host is `localhost`. Source:
 * manual page gun:open_unix.
 *
 * @param path The path of the socket's file.
 */
export function openUnix(path: string, opts: Opts = {}): ConnPid {
  if (path === undefined) throw new TypeError('path must be a non-empty string')
  return openConnection({ path, opts })
}

/**
 * Starts a connection like `open` on the node `node`, which needs nothing but this package, and resolves to its handle. The socket is
 * there; the owner may be here, and hears what happens as from a connection of this node: see `Owner`. Default of `opts.owner`: a
 * process made for it on this node.
 *
 * Throws as `open` does, a GunError `bad_option` for an option that cannot be sent, such as a function, and an Error if this program is
 * no node. Rejects with a `CallError` whose `reason` is `'noconnection'` if the node cannot be reached, and with the error of a node
 * that cannot load this package. Gun has no such function; in Erlang `erpc:call(Node, gun, open, …)` would be it.
 *
 * ```ts
 * const connPid = await gun.openAt('main.1', 'example.org', 443, { owner: self })
 * const protocol = await gun.awaitUp(connPid)
 * ```
 */
export function openAt(node: string, host: string, port: number, opts: Opts = {}): Promise<ConnPid> {
  return openConnectionAt(node, { host, port, opts })
}

/**
 * Starts a connection like `openAt`, over the Unix socket at `path` of the node's machine.
 *
 * @param path The path of the socket's file on that machine.
 */
export function openUnixAt(node: string, path: string, opts: Opts = {}): Promise<ConnPid> {
  if (path === undefined) throw new TypeError('path must be a non-empty string')
  return openConnectionAt(node, { path, opts })
}

/** No options; these need no check. */
const NONE: ReqOpts = {}

/**
 * Hands the connection to another owner. Existing streams go on replying to the same recipients as before.
 * While the connection shuts down, the owner does not change and a `gun_error` `badstate` is posted instead.
 * Source: manual page gun:set_owner.
 */
export function setOwner(connPid: ConnPid, newOwner: Owner): void {
  const connection = calleeOf(connPid)
  if (!isOwner(newOwner)) throw new TypeError('newOwner must be a process or an xstate actor')
  connection.setOwner(newOwner)
}

/**
 * Ends the connection gracefully: open streams may finish within `closingTimeout`, and a WebSocket is closed
 * with 1001. The connection is not made again. Monitors get `DOWN` with `'shutdown'`. Source:
 * manual page gun:shutdown.
 */
export function shutdown(connPid: ConnPid): void {
  calleeOf(connPid).shutdown()
}

/**
 * Ends the connection at once: open streams get a `gun_error`, and monitors get `DOWN` with `'shutdown'`.
 *
 * Called within a callback, silences the connection at once and ends it behind the callback: only errors, such
 * as those of the open streams, and `DOWN` are still posted. Source: manual page gun:close.
 */
export function close(connPid: ConnPid): void {
  calleeOf(connPid).close()
}

/**
 * Returns the current facts about the connection. Called within a callback, does not show the calls made
 * there, which are carried out behind it. Throws a GunError `badstate` for a connection of another node, of which `remoteInfo` tells.
 * Source: manual page gun:info.
 */
export function info(connPid: ConnPid): Info {
  return infoOf(connectionHere(connPid, 'remoteInfo(connPid)'))
}

/**
 * Resolves to the facts about a connection, which may be on another node. Rejects with a GunError of kind `down` if the connection has
 * ended or its node cannot be reached, and of kind `timeout` after `timeout` milliseconds, 5000 by default. Throws a RangeError for a
 * timeout that no timer can wait.
 *
 * @param timeout How long to wait for the other node, in milliseconds.
 */
export async function remoteInfo(connPid: ConnPid, timeout = AWAIT_DEFAULTS.timeout): Promise<RemoteInfo> {
  const connection = behind(connPid)
  checkTimeout(timeout)
  if (!(connection instanceof AwayConnection)) return remoteInfoOf(connection)
  return (await ask(connection, undefined, timeout)) as RemoteInfo
}

/**
 * Resolves to the facts about a stream, whose connection may be on another node; `undefined` for one that is not open. Rejects as
 * `remoteInfo` does, and with a GunError `badstate` while the connection is not up.
 *
 * @param timeout How long to wait for the other node, in milliseconds.
 */
export async function remoteStreamInfo(
  connPid: ConnPid,
  streamRef: StreamRef,
  timeout = AWAIT_DEFAULTS.timeout,
): Promise<RemoteStreamInfo | undefined> {
  const connection = behind(connPid)
  checkStreamRef(connPid, streamRef)
  checkTimeout(timeout)
  if (!(connection instanceof AwayConnection)) return remoteStreamInfoOf(connection, streamRef)
  return (await ask(connection, streamRef, timeout)) as RemoteStreamInfo | undefined
}

/**
 * Returns the connections of this program that have not ended, in the order in which they were opened, with the facts that `info`
 * tells. Asks nothing of them, and keeps none of them alive. Gun has no such function; Erlang's processes() is like it.
 */
export function connections(): readonly ConnectionInfo[] {
  return living.list().map(listed)
}

/** Sends a GET request. Source: manual page gun:get. */
export function get(connPid: ConnPid, path: string, headers?: HeadersInit, reqOpts?: ReqOpts): StreamRef {
  return request(connPid, 'GET', path, headers, '', reqOpts)
}

/** Sends a HEAD request. Source: manual page gun:head. */
export function head(connPid: ConnPid, path: string, headers?: HeadersInit, reqOpts?: ReqOpts): StreamRef {
  return request(connPid, 'HEAD', path, headers, '', reqOpts)
}

/**
 * Sends an OPTIONS request. The path may be `*`, which addresses the server as a whole. Source:
 * manual page gun:options.
 */
export function options(connPid: ConnPid, path: string, headers?: HeadersInit, reqOpts?: ReqOpts): StreamRef {
  return request(connPid, 'OPTIONS', path, headers, '', reqOpts)
}

/** Sends a DELETE request. Exported as `delete`. Source: manual page gun:delete. */
function deleteResource(connPid: ConnPid, path: string, headers?: HeadersInit, reqOpts?: ReqOpts): StreamRef {
  return request(connPid, 'DELETE', path, headers, '', reqOpts)
}

export { deleteResource as delete }

/**
 * Sends a PATCH request. With `body` the request is complete. Without it the body follows through `data`, as
 * with `headers`. Source: manual page gun:patch.
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
 * Sends a POST request. With `body` the request is complete. Without it the body follows through `data`, as
 * with `headers`. Source: manual page gun:post.
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
 * Sends a PUT request. With `body` the request is complete. Without it the body follows through `data`, as
 * with `headers`. Source: manual page gun:put.
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
  return startRequest(
    connPid,
    method,
    path,
    headers,
    body === undefined ? undefined : toBytes(body, 'body'),
    reqOpts,
  )
}

/**
 * Sends a request with any method and its whole body. `host` and `content-length` are set unless given.
 *
 * With the header `expect: 100-continue` the body waits for `gun_inform` 100, at most one second; if the
 * final response arrives before, the body is not sent and the connection ends with that response.
 *
 * The response's messages go to `reqOpts.replyTo`, by default the owner. Throws a TypeError that names the
 * argument with a value that cannot be sent. Source: manual page gun:request.
 *
 * @param body The whole body; `''`: none.
 */
export function request(
  connPid: ConnPid,
  method: string,
  path: string,
  headers: HeadersInit | undefined,
  body: Bytes,
  reqOpts: ReqOpts = NONE,
): StreamRef {
  return startRequest(connPid, method, path, headers, toBytes(body, 'body'), reqOpts)
}

/**
 * Sends the head of a request whose body follows through `data`. Without a `content-length` the body is sent
 * in chunks. Source: manual page gun:headers.
 */
export function headers(
  connPid: ConnPid,
  method: string,
  path: string,
  headers?: HeadersInit,
  reqOpts: ReqOpts = NONE,
): StreamRef {
  return startRequest(connPid, method, path, headers, undefined, reqOpts)
}

function startRequest(
  connPid: ConnPid,
  method: string,
  path: string,
  headers: HeadersInit | undefined,
  body: Uint8Array | undefined,
  reqOpts: ReqOpts,
): StreamRef {
  const connection = calleeOf(connPid)
  if (reqOpts !== NONE) checkReqOpts(reqOpts)
  const { flow, invalidRequestHeaders, replyTo, sendHighWaterMark, tunnel } = reqOpts
  if (tunnel !== undefined) checkTunnel(connPid, tunnel)
  const isChecked = invalidRequestHeaders !== 'ignore'
  checkMethod(method, isChecked)
  checkPath(path, isChecked)
  const fields = normalizeHeaders(headers, isChecked)
  checkFraming(fields, body)
  const streamRef = new StreamRef(connPid, replyTo ?? connection.owner, sendHighWaterMark, tunnel)
  tellCreated(streamRef, body === undefined ? 'headers' : 'request', method, path, fields)
  connection.commands.perform({
    type: 'request',
    streamRef,
    method,
    path,
    headers: fields,
    isChecked,
    body,
    flow,
  })
  return streamRef
}

/**
 * Asks a proxy for a tunnel to another host, through which other protocols are spoken. Returns the stream of the tunnel.
 *
 * Where the proxy agrees, a `gun_response` with `'fin'` comes first, and then, once TLS is agreed on where the destination wants
 * it, a `gun_tunnel_up` with the protocol. Any other response is one like that to a request, and the connection to the proxy
 * stays usable.
 *
 * Over HTTP/1.1 the connection becomes the tunnel: requests wait until the proxy has answered, and then lead to the destination,
 * with or without `tunnel`. Over HTTP/2 a stream becomes the tunnel, and several may be open beside requests to the proxy; a
 * request goes through one where its options name the tunnel's stream as `tunnel`. Tunnels lead through each other in the same
 * way. A request for a tunnel that is not up yet waits for the tunnel, and fails with `refused_stream` if the tunnel never comes up.
 *
 * A tunnel that ends while the connection around it lives gets a `gun_error`, behind those of the streams in it. `cancel` ends a
 * tunnel and all that is in it; over HTTP/1.1 the connection with it. A tunnel is not made again when the connection is: see the
 * option `proxy` of `open` for one that is.
 *
 * The messages go to `reqOpts.replyTo`, by default the owner. Throws a GunError `bad_option` for a wrong destination, and a
 * TypeError for header fields that cannot be sent or that announce a body. Source: manual page gun:connect.
 *
 * ```ts
 * const streamRef = gun.connect(connPid, { host: 'example.org', port: 443, transport: 'tls' })
 * const answer = await gun.await(connPid, streamRef)
 * if (answer.type !== 'gun_response' || answer.status !== 200) throw new Error('refused', { cause: answer })
 * await gun.await(connPid, streamRef) // gun_tunnel_up
 * gun.get(connPid, '/', {}, { tunnel: streamRef })
 * ```
 */
export function connect(
  connPid: ConnPid,
  destination: ConnectDestination,
  headers?: HeadersInit,
  reqOpts: ReqOpts = NONE,
): StreamRef {
  const connection = calleeOf(connPid)
  checkConnectDestination(destination)
  if (reqOpts !== NONE) checkReqOpts(reqOpts)
  const { flow, invalidRequestHeaders, replyTo, sendHighWaterMark, tunnel } = reqOpts
  if (tunnel !== undefined) checkTunnel(connPid, tunnel)
  const isChecked = invalidRequestHeaders !== 'ignore'
  const given = normalizeHeaders(headers, isChecked)
  checkWithoutBody(given)
  const streamRef = new StreamRef(connPid, replyTo ?? connection.owner, sendHighWaterMark, tunnel, true)
  const goal = goalOf(destination)
  tellCreated(streamRef, 'connect', 'CONNECT', targetOf(goal), given)
  const fields = withCredentials(given, destination)
  connection.commands.perform({ type: 'connect', streamRef, goal, headers: fields, isChecked, flow })
  return streamRef
}

/**
 * Sends a part of a request's body. Only `'fin'` ends the body; an empty chunk does not.
 *
 * Returns `false` in two cases. In the first the part was not taken: the stream takes no data, because its
 * body is complete or the stream has ended, or the part is longer than `content-length` allows. A
 * `gun_error`, mostly `badstate`, gives the reason, and no `'drain'` follows.
 *
 * In the second case, which needs a `sendHighWaterMark`, the part was taken and the caller should pause,
 * because more bytes than that wait to be sent or the connection is still being made. One of these follows,
 * unless the caller sends `'fin'` or cancels: a `gun_notify` `'drain'` when there is room again, a
 * `gun_response`, after which the server may want no more, or a `gun_error`. A part that was taken is never
 * dropped.
 *
 * A connection of another node cannot answer at once. There the result is `false` each time that half of the `sendHighWaterMark` was
 * given, and otherwise `true`, also for a part that is not taken.
 *
 * Called within a callback, counts the earlier calls made there as carried out, and gives the part to be sent
 * behind the callback; only a `close` or `shutdown` made there before is not foreseen. Source:
 * manual page gun:data.
 *
 * ```ts
 * const streamRef = gun.post(connPid, '/upload', {}, undefined, { sendHighWaterMark: 65536 })
 * for (const chunk of chunks) {
 *   // Resolves to the gun_notify 'drain', or to a response that came first.
 *   if (!gun.data(connPid, streamRef, 'nofin', chunk)) await gun.await(connPid, streamRef)
 * }
 * gun.data(connPid, streamRef, 'fin', '')
 * ```
 *
 * @param streamRef The stream, as the request or the upgrade returned it; `undefined`: the whole connection, which speaks raw.
 */
export function data(
  connPid: ConnPid,
  streamRef: StreamRef | undefined,
  isFin: IsFin,
  chunk: Bytes,
): boolean {
  const connection = calleeOf(connPid)
  if (streamRef !== undefined) checkStreamRef(connPid, streamRef)
  if (isFin !== 'fin' && isFin !== 'nofin')
    throw new TypeError(`isFin must be 'fin' or 'nofin', not ${isFin}`)
  const bytes = toBytes(chunk, 'chunk')
  // A literal gives all commands of a kind one shape. A copy has a shape of its own, which slows down all that looks at commands.
  const command: DataCommand = { type: 'data', streamRef, isFin, data: bytes, isToldToWait: false }
  return connection.commands.perform(command as Command)
}

/**
 * Ends a request's body with trailer fields. A stream that takes no data gets a `gun_error` `badstate`; over
 * HTTP/1.1 so does a stream with a `content-length`. Throws a TypeError for a field that is forbidden in
 * trailers (RFC 9110 section 6.5.1). Gun has no such function.
 *
 * @param headers The trailer fields: a record, pairs or a `Headers`; names in any case.
 */
export function trailers(connPid: ConnPid, streamRef: StreamRef, headers: HeadersInit): void {
  const connection = calleeOf(connPid)
  checkStreamRef(connPid, streamRef)
  const fields = normalizeHeaders(headers)
  checkTrailers(fields)
  connection.commands.perform({ type: 'trailers', streamRef, headers: fields })
}

/**
 * Ends a stream for the caller: none of its messages is posted any more, and the stream is not among
 * `killedStreams`. A request that was not sent yet is never sent. Called within a callback, silences the
 * stream at once as well, and takes back a request that was made there.
 *
 * HTTP/2 resets the stream. HTTP/1.1 cannot take back a request that was sent, so the rest of its response is
 * read and dropped. The connection is lost with `cancelled`, once the responses before this one have arrived,
 * if that rest is more than 1 MiB, takes longer than `httpOpts.cancelTimeout`, or if the request's own body
 * is not complete. A request that hangs therefore does not hold up the requests behind it for ever; their
 * errors state whether it is safe to repeat them.
 *
 * A WebSocket that has the connection to itself cannot be cancelled, and gets a `gun_error` `badstate`: send a close frame. So does a
 * stream that is not open. Messages that are on their way from another node still arrive; `flush` drops
 * those that have. Source: manual page gun:cancel.
 */
export function cancel(connPid: ConnPid, streamRef: StreamRef): void {
  const connection = calleeOf(connPid)
  checkStreamRef(connPid, streamRef)
  connection.commands.cancel(streamRef)
}

/**
 * Asks the peer of an HTTP/2 connection to answer. Returns a ref that the answer carries: a `gun_notify`
 * `'ping_ack'` with the time taken, in milliseconds. Over HTTP/1.1 and on a WebSocket the result is a
 * `gun_error` `badstate`, and the connection stays as it is; a WebSocket is pinged by sending a ping frame.
 * Source: manual page gun:ping.
 *
 * @param reqOpts The options of this ping.
 */
export function ping(connPid: ConnPid, reqOpts: PingOpts = {}): StreamRef {
  const connection = calleeOf(connPid)
  checkPingOpts(reqOpts)
  const { replyTo, tunnel } = reqOpts
  if (tunnel !== undefined) checkTunnel(connPid, tunnel)
  const streamRef = new StreamRef(connPid, replyTo ?? connection.owner, undefined, tunnel)
  connection.commands.perform({ type: 'ping', streamRef })
  return streamRef
}

/**
 * Takes the next message that names no stream from the owner's mailbox, and resolves to it: a `gun_tunnel_up` behind a SOCKS5
 * server, or a `gun_data` or a `gun_notify` `'drain'` of a connection that speaks raw.
 *
 * Rejects with a GunError of kind `down` if the connection has ended, or of kind `timeout` if no such message came within the
 * timeout (5000 ms by default); and with the signal's reason if the signal aborts. Throws a TypeError if the owner is no process.
 * Source: manual page gun:await.
 *
 * @param streamRef `undefined`: none.
 */
function awaitStream(
  connPid: ConnPid,
  streamRef: undefined,
  timeout?: number | MonitorRef | AwaitOpts,
  monitorRef?: MonitorRef,
): Promise<BareMessage>
/**
 * Takes the next message of the stream from the mailbox of the process that the stream replies to, and
 * resolves to it.
 *
 * Rejects with a GunError: of kind `stream_error`, `connection_error` or `badstate` if that message is a
 * `gun_error`; of kind `down` if the connection has ended; of kind `timeout` if no message came within the
 * timeout (5000 ms by default). The message of a timeout gives the reason as far as it can be known: the
 * stream has ended and was read already, was cancelled, was not sent, waits behind another stream, or the
 * peer sent nothing. Rejects with the signal's reason if the signal aborts; no message is taken then. Throws
 * a TypeError if the stream does not reply to a process.
 *
 * `monitorRef` may be a monitor that the caller already holds, as third or fourth argument; otherwise one is
 * made for the call. Source: manual page gun:await.
 */
function awaitStream(
  connPid: ConnPid,
  streamRef: StreamRef,
  timeout?: number | MonitorRef | AwaitOpts,
  monitorRef?: MonitorRef,
): Promise<StreamMessage>
function awaitStream(
  connPid: ConnPid,
  streamRef: StreamRef | undefined,
  timeout?: number | MonitorRef | AwaitOpts,
  monitorRef?: MonitorRef,
): Promise<StreamMessage | BareMessage> {
  calleeOf(connPid)
  if (streamRef === undefined) return awaitBare(connPid, limitsOf(timeout, monitorRef, checkAwaitOpts))
  checkStreamRef(connPid, streamRef)
  return awaitMessage(connPid, streamRef, limitsOf(timeout, monitorRef, checkAwaitOpts))
}

export { awaitStream as await }

/**
 * Waits for the body of a response whose `gun_response` was received. The timeout applies to each message. If
 * `flow` is set, the function asks for more messages by itself.
 *
 * Rejects as `await` does; the part of the body taken until then is lost, so such a stream is best cancelled.
 * A body of more than `maxBodySize` bytes rejects with a GunError `limit_reached` of kind `stream_error`, and
 * the stream is cancelled and flushed. Source: manual page gun:await_body.
 */
export function awaitBody(
  connPid: ConnPid,
  streamRef: StreamRef,
  timeout?: number | MonitorRef | AwaitBodyOpts,
  monitorRef?: MonitorRef,
): Promise<Body> {
  calleeOf(connPid)
  checkStreamRef(connPid, streamRef)
  return awaitBodyOf(connPid, streamRef, limitsOf(timeout, monitorRef, checkAwaitBodyOpts))
}

/**
 * Waits for the whole response of a request: status, headers, body, and trailers if there are any.
 * Informational responses are skipped. The timeout, 5000 ms by default, covers the whole response. If `flow`
 * is set, the function asks for more messages by itself.
 *
 * Rejects as `await` does, and with `limit_reached` of kind `stream_error` if the body has more than
 * `maxBodySize` bytes. Rejects with `badstate` if the head of the response was read before. After every
 * rejection the stream is given up: cancelled if it is still open, and flushed. The exception is a stream
 * that became a WebSocket, which has no response: the promise rejects with `badstate`, and the WebSocket
 * stays.
 *
 * Events of `sse` do not count as a body; they arrive as `gun_sse`. Gun has no such function.
 *
 * @param timeout How long to wait for the whole response, in milliseconds, or the options.
 */
export function awaitResponse(
  connPid: ConnPid,
  streamRef: StreamRef,
  timeout?: number | AwaitBodyOpts,
): Promise<FullResponse> {
  calleeOf(connPid)
  checkStreamRef(connPid, streamRef)
  return awaitResponseOf(connPid, streamRef, limitsOf(timeout, undefined, checkAwaitBodyOpts))
}

/**
 * Waits for `gun_up` in the owner's mailbox and resolves to the protocol. Rejects with a GunError of kind
 * `down` or `timeout`, whose cause is the error of the last attempt, or with the signal's reason if the
 * signal aborts. Source: manual page gun:await_up.
 */
export function awaitUp(
  connPid: ConnPid,
  timeout?: number | MonitorRef | AwaitOpts,
  monitorRef?: MonitorRef,
): Promise<ProtocolName> {
  calleeOf(connPid)
  return awaitUpOf(connPid, limitsOf(timeout, monitorRef, checkAwaitOpts))
}

function limitsOf(
  init: number | MonitorRef | AwaitBodyOpts | undefined,
  monitorRef: MonitorRef | undefined,
  check: (value: unknown) => void,
): Limits {
  const { timeout, maxBodySize } = AWAIT_DEFAULTS
  if (init instanceof MonitorRef) return { timeout, monitorRef: init, signal: undefined, maxBodySize }
  if (monitorRef !== undefined && !(monitorRef instanceof MonitorRef)) {
    throw new TypeError('monitorRef must be a MonitorRef that monitor returned')
  }
  if (init === undefined) return { timeout, monitorRef, signal: undefined, maxBodySize }
  if (typeof init === 'number') {
    checkTimeout(init)
    return { timeout: init, monitorRef, signal: undefined, maxBodySize }
  }
  if (typeof init !== 'object')
    throw new TypeError(`timeout must be a number of milliseconds, not ${String(init)}`)
  check(init)
  if (monitorRef !== undefined)
    throw new TypeError('monitorRef must be given within awaitOpts if there are awaitOpts')
  return {
    timeout: init.timeout ?? timeout,
    monitorRef: init.monitorRef,
    signal: init.signal,
    maxBodySize: init.maxBodySize ?? maxBodySize,
  }
}

/**
 * Drops the waiting messages of a connection, including its `DOWN`, from its owner's mailbox, or those of a
 * stream from the mailbox that it replies to. Returns the number of messages dropped. A `gun_push` of the
 * stream is kept while the pushed stream is open or has waiting messages, since that is a stream of its own; on a connection of another
 * node it is always kept.
 * Source: manual page gun:flush.
 */
export function flush(target: ConnPid | StreamRef): number {
  return target instanceof StreamRef ? flushStream(target) : flushConnection(target)
}

/**
 * Allows the stream to post so many messages more, if `flow` is set; does nothing otherwise, and for a stream
 * that has ended. Throws a RangeError unless `increment` is a whole number of at least 1. Source:
 * manual page gun:update_flow.
 *
 * @param streamRef The stream, as the request or the upgrade returned it; `undefined`: the whole connection, which speaks raw.
 */
export function updateFlow(connPid: ConnPid, streamRef: StreamRef | undefined, increment: number): void {
  const connection = calleeOf(connPid)
  if (streamRef !== undefined) checkStreamRef(connPid, streamRef)
  if (!Number.isInteger(increment) || increment < 1) {
    throw new RangeError(`increment must be a whole number of at least 1, not ${increment}`)
  }
  const command: FlowCommand = { type: 'flow', streamRef, increment }
  connection.commands.perform(command as Command)
}

/**
 * Returns the current facts about a stream, or `undefined` if the stream is not open. Called within a
 * callback, gives `undefined` for a stream that was asked for there. Throws a GunError `badstate` while the
 * connection is not up, and for one of another node, of whose streams `remoteStreamInfo` tells. Source: manual page gun:stream_info.
 */
export function streamInfo(connPid: ConnPid, streamRef: StreamRef): StreamInfo | undefined {
  const connection = connectionHere(connPid, 'remoteStreamInfo(connPid, streamRef)')
  checkStreamRef(connPid, streamRef)
  const info = streamInfoOf(connection, streamRef)
  return info && briefly(info, ['replyTo'])
}

/**
 * Requests an upgrade to WebSocket, at any time: before `gun_up`, which the request then waits for, and behind requests whose
 * responses are still to come. Over HTTP/2 only the stream becomes a WebSocket (RFC 8441), if the server allows that, and
 * the rest of the connection goes on. All headers that the upgrade needs are set; `headers` may add others,
 * for example `authorization`, or `sec-websocket-protocol` to request a subprotocol. `wsOpts` win over those
 * of `open`.
 *
 * The answer is `gun_upgrade`; or `gun_response` if the server refuses, after which the connection goes on
 * with requests; or `gun_error` if the upgrade is not possible or the server's answer is wrong. Source:
 * manual page gun:ws_upgrade.
 *
 * ```ts
 * const streamRef = gun.wsUpgrade(connPid, '/chat', { authorization: 'Basic …' }, { compress: true })
 * const answer = await gun.await(connPid, streamRef)
 * if (answer.type !== 'gun_upgrade') throw new Error('refused', { cause: answer })
 * ```
 */
export function wsUpgrade(
  connPid: ConnPid,
  path: string,
  headers?: HeadersInit,
  wsOpts: WsOpts = {},
): StreamRef {
  const connection = calleeOf(connPid)
  checkWsOpts(wsOpts)
  const opts = merge(connection.opts.wsOpts ?? {}, wsOpts)
  const isChecked = opts.invalidRequestHeaders !== 'ignore'
  checkPath(path, isChecked)
  const fields = normalizeHeaders(headers, isChecked)
  const { tunnel } = wsOpts
  if (tunnel !== undefined) checkTunnel(connPid, tunnel)
  const streamRef = new StreamRef(connPid, opts.replyTo ?? connection.owner, undefined, tunnel)
  tellCreated(streamRef, 'wsUpgrade', 'GET', path, fields)
  connection.commands.perform({ type: 'upgrade', streamRef, path, headers: fields, isChecked, opts })
  return streamRef
}

/**
 * Sends one frame or a list of frames, in order. All frames sent within one tick leave in one write. A close
 * frame closes the connection cleanly, and the connection is not made again; over HTTP/2 it closes the
 * stream. Without `streamRef` there must be exactly one WebSocket on the connection.
 *
 * Returns `false` in two cases. In the first the frames were not sent, because there is no WebSocket yet or
 * any more, or because a close frame was sent before: a `gun_error` returns them in `reason.frames`, and no
 * `'drain'` follows. In the second all frames were taken and the caller should pause, because more than
 * `sendHighWaterMark` bytes wait to be sent: a `gun_notify` `'drain'` follows when there is room again, or a
 * `gun_error` if there never will be.
 *
 * Called within a callback, counts the earlier calls made there as carried out, and sends the frames behind the
 * callback and before the next frame is handed on; only a `close` or `shutdown` made there before is not
 * foreseen.
 *
 * On a connection of another node, `false` comes each time that half of the `sendHighWaterMark` was given, and otherwise `true`.
 *
 * Throws a TypeError for a value that is not a frame; the message names the value and shows a correct frame.
 * Source: manual page gun:ws_send.
 *
 * ```ts
 * gun.wsSend(connPid, ['text', 'Hello!'])
 * gun.wsSend(connPid, [['binary', Buffer.of(1, 2)], ['close', 1000, 'done']])
 * ```
 */
export function wsSend(connPid: ConnPid, frames: WsFrame | readonly WsFrame[]): boolean
/**
 * Sends frames on one stream. Frames that cannot be sent come back to the stream's replyTo instead of the
 * owner.
 */
export function wsSend(connPid: ConnPid, streamRef: StreamRef, frames: WsFrame | readonly WsFrame[]): boolean
export function wsSend(
  connPid: ConnPid,
  ...args: [WsFrame | readonly WsFrame[]] | [StreamRef, WsFrame | readonly WsFrame[]]
): boolean {
  const connection = calleeOf(connPid)
  const [streamRef, frames] = args.length === 1 ? [undefined, args[0]] : args
  if (args.length !== 1) checkStreamRef(connPid, streamRef)
  return connection.commands.perform({
    type: 'frames',
    streamRef,
    frames: checkFrames(frames),
    isToldToWait: false,
  })
}

function checkTunnel(connPid: ConnPid, tunnel: StreamRef): void {
  if (connPidOf(tunnel) !== connPid) throw new TypeError(`tunnel ${tunnel} does not belong to ${connPid}`)
}

function checkStreamRef(connPid: ConnPid, streamRef: unknown): asserts streamRef is StreamRef {
  if (!(streamRef instanceof StreamRef))
    throw new TypeError('streamRef must be a handle that a request or wsUpgrade returned')
  if (connPidOf(streamRef) !== connPid)
    throw new TypeError(`streamRef ${streamRef} does not belong to ${connPid}`)
}
