/** ws, with https-proxy-agent. */

import { once } from 'node:events'
import { HttpsProxyAgent } from 'https-proxy-agent'
import { WebSocket } from 'ws'
import { ca } from '../identity.ts'
import { CallbackConnection } from '../websocket/callback-connection.ts'
import type { Client } from './contract.ts'

const ws: Client = {
  async echo(port, secure, proxy) {
    const url = `${secure ? 'wss' : 'ws'}://localhost:${port}/`
    const options = { ca, perMessageDeflate: false }
    const socket = new WebSocket(
      url,
      proxy === undefined ? options : { ...options, agent: new HttpsProxyAgent(proxy, { ca }) },
    )
    await once(socket, 'open')
    const connection = new CallbackConnection({
      send: data => socket.send(data),
      listen: listener => socket.removeAllListeners('message').on('message', listener),
      async close() {
        socket.terminate()
      },
    })
    return (data, count, inFlight) => connection.echo(data, count, inFlight)
  },
}

export default ws
