/**
 * The errors of an await that has timed out, with the reason why nothing came as far as this side can know
 * it.
 */

import { AwayConnection } from '../connection/away.js'
import type { Connection } from '../connection/connection.js'
import { behind } from '../connection/crossing.js'
import { GunError } from '../errors.js'
import { type ConnPid, type StreamRef, tunnelOf, wasCancelled } from '../handles.js'
import type { RequestInfo, StreamInfo } from '../layer/info.js'

/**
 * Returns the error for a stream of which nothing came in time. `missing` names the expected message, and
 * `before` adds what had come before.
 */
export function silent(
  connPid: ConnPid,
  streamRef: StreamRef,
  missing: string,
  ms: number,
  before = '',
): GunError {
  const connection = behind(connPid)
  if (connection instanceof AwayConnection) return unknown(connection, `${missing} within ${ms} ms${before}`)
  const why = reasonOf(connection, streamRef)
  return timeout(connection, `${missing} within ${ms} ms: ${why}; ${stateOf(connection)}${before}`)
}

/** Returns the error for a connection that was not up in time. */
export function notUp(connPid: ConnPid, ms: number): GunError {
  const connection = behind(connPid)
  if (connection instanceof AwayConnection) {
    return unknown(connection, `no gun_up of ${connPid} came within ${ms} ms`)
  }
  const why = isUp(connection) ? 'it is up, and its gun_up was read already' : stateOf(connection)
  return timeout(connection, `no gun_up of ${connPid} came within ${ms} ms: ${why}`)
}

/** Returns the error for a connection that posted nothing without a stream in time. */
export function noBytes(connPid: ConnPid, ms: number): GunError {
  const connection = behind(connPid)
  const text = `no gun_tunnel_up and no gun_data of ${connPid} itself came within ${ms} ms`
  if (connection instanceof AwayConnection) return unknown(connection, text)
  return timeout(connection, `${text}: ${stateOf(connection)}`)
}

function unknown({ node }: AwayConnection, text: string): GunError {
  const hint = `the connection is on the node '${node}': remoteInfo and remoteStreamInfo tell of it`
  return new GunError('timeout', 'timeout', `${text}; ${hint}`)
}

function timeout({ lastError }: Connection, text: string): GunError {
  return new GunError('timeout', 'timeout', text, { cause: lastError })
}

function isUp({ stateName }: Connection): boolean {
  return stateName.startsWith('connected')
}

function stateOf(connection: Connection): string {
  const { connPid, lastError, stateName, waitsFor } = connection
  if (isUp(connection)) return `${connPid} is up`
  const where = waitsFor === undefined ? '' : `, waiting for ${waitsFor}`
  const last = lastError === undefined ? '' : `, and the last error was: ${lastError.message}`
  return `${connPid} is not up (${stateName}${where})${last}`
}

function reasonOf(connection: Connection, streamRef: StreamRef): string {
  if (connection.commands.isPostponed(streamRef)) {
    const tunnel = tunnelOf(streamRef)
    const next = connection.layer === undefined ? 'the connection' : 'the next connection'
    const isMaking = connection.layer?.isWaiting ?? false
    const own = isMaking ? 'the tunnel that the connection is to become' : next
    return `nothing of it was sent, since it waits for ${tunnel === undefined ? own : `the tunnel ${tunnel}`}`
  }
  if (connection.commands.isPinging(streamRef)) return 'the peer has not answered the ping'
  const info = infoOf(connection, streamRef)
  if (wasCancelled(streamRef)) return 'it was cancelled'
  if (info === undefined || info.request?.response === 'complete') {
    return 'it has ended, and its messages were read already'
  }
  if (info.websocket !== undefined) {
    return info.websocket.flow > 0
      ? 'the peer sent no message'
      : 'its flow is used up, and updateFlow asks for more'
  }
  if (info.tunnel !== undefined && info.tunnel.protocol === undefined) {
    return 'the proxy has agreed to the tunnel, and TLS with its end is not agreed on'
  }
  if (info.request === undefined) return 'the peer sent nothing'
  return info.request.state === 'waiting'
    ? `nothing of it was sent, since ${describeWait(connection, info.request)}`
    : describeSilence(connection, info.request)
}

function infoOf({ commands }: Connection, streamRef: StreamRef): StreamInfo | undefined {
  return commands.streamInfo(streamRef)
}

function describeWait(connection: Connection, { behind }: RequestInfo): string {
  const request = behind && infoOf(connection, behind)?.request
  if (request !== undefined) {
    const which = nameOf(behind, request)
    if (request.isComplete) return `it waits until ${which} is answered in full`
    return `it waits until ${which} is sent in full, whose body is not complete: ${describeBody(request)}`
  }
  const cookies = connection.opts.cookieStore === undefined ? [] : ['the cookie store has not answered']
  const isHttp2 = connection.protocol?.name === 'http2'
  const limits = isHttp2 ? ['the server allows no more streams for now'] : []
  return [...limits, ...cookies].join(', or ') || 'the connection takes no more'
}

function describeSilence(connection: Connection, request: RequestInfo): string {
  const { behind, flow, isComplete, isHandled, response } = request
  const other = behind && infoOf(connection, behind)?.request
  if (other !== undefined) {
    const which = nameOf(behind, other)
    return `its response comes behind that of ${which}, which ${other.response === 'due' ? 'has not begun' : 'is not complete'}`
  }
  if (isHandled) return 'a content handler is still processing its body'
  if (flow <= 0) return 'its flow is used up, and updateFlow asks for more'
  const heard = response === 'due' ? 'the peer sent nothing' : 'nothing more came of its response'
  return isComplete
    ? heard
    : `${heard}, and may wait for the rest of the request's body: ${describeBody(request)}`
}

function describeBody({ givenBytes }: RequestInfo): string {
  const amount = givenBytes === 0 ? 'nothing of it was given' : `${givenBytes} bytes of it were given`
  return `${amount}, and not its end (data with 'fin')`
}

/**
 * Names another request, which may belong to other code. The query is left out, since it may contain secrets.
 */
function nameOf(streamRef: StreamRef | undefined, { method, path }: RequestInfo): string {
  return `${streamRef} (${method} ${path.split('?', 1)[0]})`
}
