/** undici's Client and, over the same, its WebSocket, with HTTP/2 allowed. */

import { Client as UndiciClient } from 'undici'
import { undiciConnection } from '../http/undici-exchanges.ts'
import { ca } from '../identity.ts'
import type { Connection as WebSocketConnection } from '../websocket/contract.ts'
import { openStandardSocket } from '../websocket/standard-client.ts'
import { type Client, WEBSOCKET_PATH } from './contract.ts'
import { SeparateWebSockets } from './separate-web-sockets.ts'

function clientOf(origin: string): UndiciClient {
  return new UndiciClient(origin, { allowH2: true, useH2c: true, connect: { ca } } as object)
}

const undici: Client = {
  async connect(origin) {
    const client = clientOf(origin)
    return undiciConnection(options => client.request(options as never))
  },

  async openWebSockets(origin, streams) {
    const dispatcher = clientOf(origin)
    const url = origin.replace('http', 'ws') + WEBSOCKET_PATH
    const sockets: WebSocketConnection[] = []
    // One after the other: of several that undici is asked for at once over HTTP/2, only the first opens.
    while (sockets.length < streams) sockets.push(await openStandardSocket(url, { dispatcher }))
    return new SeparateWebSockets(sockets)
  },
}

export default undici
