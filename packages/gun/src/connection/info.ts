/** Tells what is known of a connection now. */

import { briefly } from '../layer/brief.js'
import type { Info } from '../layer/info.js'
import type { Connection } from './connection.js'

export function infoOf(connection: Connection): Info {
  const { owner, socket, transport, protocol, stateName, origin, opts } = connection
  const info: Info = {
    owner,
    socket,
    transport,
    protocol: protocol?.name,
    stateName,
    sockIp: socket?.localAddress,
    sockPort: socket?.localPort,
    originScheme: transport === 'tls' ? 'https' : 'http',
    originHost: origin.host.given,
    originPort: origin.port,
    intermediaries: [],
    cookieStore: opts.cookieStore,
    eventHandler: opts.eventHandler,
  }
  return briefly(info, ['owner', 'socket', 'cookieStore', 'eventHandler'])
}
