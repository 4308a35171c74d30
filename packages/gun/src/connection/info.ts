/** Tells what is known of a connection now. */

import { briefly } from '../layer/brief.js'
import { schemeOver } from '../layer/hops.js'
import type { Info } from '../layer/info.js'
import type { Connection } from './connection.js'

export function infoOf(connection: Connection): Info {
  const { layer, owner, socket, protocol, stateName, opts } = connection
  const end = layer?.endpoint ?? { ...connection.origin, transport: connection.transport, intermediaries: [] }
  const { host, port, transport, intermediaries } = end
  const speaksHttp = protocol?.name !== 'raw' && protocol?.name !== 'socks'
  const info: Info = {
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
  return briefly(info, ['owner', 'socket', 'cookieStore', 'eventHandler'])
}
