/** Tells what is known now of a connection, and of one of its streams. */

import { GunError } from '../errors.js'
import type { StreamRef } from '../handles.js'
import { briefly } from '../layer/brief.js'
import { schemeOver } from '../layer/hops.js'
import type { ConnectionInfo, Info, StreamInfo } from '../layer/info.js'
import type { Connection } from './connection.js'

export function infoOf(connection: Connection): Info {
  return briefly(factsOf(connection), BRIEF)
}

/** Tells of a connection among others. */
export function listed(connection: Connection): ConnectionInfo {
  const { connPid, protocol } = connection
  return briefly({ connPid, ...factsOf(connection), streams: protocol?.load ?? 0 }, BRIEF)
}

/** The fields whose values are only named in print. */
const BRIEF = ['owner', 'socket', 'cookieStore', 'eventHandler'] as const

function factsOf(connection: Connection): Info {
  const { layer, owner, socket, protocol, stateName, opts } = connection
  const end = layer?.endpoint ?? { ...connection.origin, transport: connection.transport, intermediaries: [] }
  const { host, port, transport, intermediaries } = end
  const speaksHttp = protocol?.name !== 'raw' && protocol?.name !== 'socks'
  return {
    owner,
    socket,
    transport,
    protocol: protocol?.name,
    stateName,
    sockIp: socket?.localAddress,
    sockPort: socket?.localPort,
    originScheme: speaksHttp ? schemeOver(transport) : undefined,
    originHost: host.given,
    originPort: port,
    intermediaries,
    cookieStore: opts.cookieStore,
    eventHandler: opts.eventHandler,
  }
}

/** Tells of a stream; `undefined` for one that is not open. Throws while the connection is not up. */
export function streamInfoOf(connection: Connection, streamRef: StreamRef): StreamInfo | undefined {
  const { commands, connPid, layer, opts, protocol, stateName } = connection
  if (layer === undefined) {
    throw new GunError('badstate', 'badstate', `${connPid} is not connected: it is ${stateName}`)
  }
  const { flow = Number.POSITIVE_INFINITY } =
    (protocol?.name === 'http2' ? opts.http2Opts : opts.httpOpts) ?? {}
  return commands.streamInfo(streamRef) ?? commands.infoOf(streamRef, flow)
}
