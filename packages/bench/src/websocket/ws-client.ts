/** ws, with its 'message' event. */

import { once } from 'node:events'
import { WebSocket } from 'ws'
import { ca } from '../identity.ts'
import { CallbackConnection } from './callback-connection.ts'
import type { Client } from './contract.ts'

const ws: Client = {
  async connect(url, compress) {
    const socket = new WebSocket(url, { perMessageDeflate: compress, ...(url.startsWith('wss:') && { ca }) })
    await once(socket, 'open')
    return new CallbackConnection({
      send: data => socket.send(data),
      listen: listener => socket.removeAllListeners('message').on('message', listener),
      async close() {
        const closed = once(socket, 'close')
        socket.close()
        await closed
      },
    })
  },
}

export default ws
