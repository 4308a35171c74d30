/** A bare session of node:http2, and for WebSocket the parts of ws on its streams. */

import { once } from 'node:events'
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type OutgoingHttpHeaders,
} from 'node:http2'
import { bodyOf } from '../http/node-client.ts'
import { PromisedConnection } from '../http/promised-connection.ts'
import { ca } from '../identity.ts'
import { CallbackConnection } from '../websocket/callback-connection.ts'
import { type Client, WEBSOCKET_PATH } from './contract.ts'
import { SeparateWebSockets } from './separate-web-sockets.ts'
import { streamSocket } from './stream-socket.ts'

/** Extended CONNECT is allowed only when the server has said so. */
async function sessionOf(origin: string): Promise<ClientHttp2Session> {
  const session = connect(origin, { ca })
  await once(session, 'remoteSettings')
  return session
}

async function responseOf(stream: ClientHttp2Stream): Promise<ClientHttp2Stream> {
  await once(stream, 'response')
  return stream
}

const node: Client = {
  async connect(origin) {
    const session = await sessionOf(origin)
    return new PromisedConnection({
      async get(path, isLarge) {
        return bodyOf(await responseOf(session.request({ ':path': path })), isLarge)
      },
      async post(path, chunk, chunks) {
        const stream = session.request({ ':method': 'POST', ':path': path })
        for (let n = 0; n < chunks; n++) if (!stream.write(chunk)) await once(stream, 'drain')
        stream.end()
        await bodyOf(await responseOf(stream), false)
      },
    })
  },

  async openWebSockets(origin, streams) {
    const session = await sessionOf(origin)
    const headers: OutgoingHttpHeaders = {
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':path': WEBSOCKET_PATH,
      'sec-websocket-version': '13',
    }
    const asked = Array.from({ length: streams }, () => responseOf(session.request(headers)))
    const open = await Promise.all(asked)
    return new SeparateWebSockets(open.map(stream => new CallbackConnection(streamSocket(stream, 'client'))))
  },
}

export default node
