/** A stream of HTTP/2 that speaks WebSocket with the parts of ws, which itself knows HTTP/1.1 only. */

import { once } from 'node:events'
import type { Duplex, Writable } from 'node:stream'
import * as ws from 'ws'
import type { CallbackSocket } from '../websocket/callback-connection.ts'
import type { Data } from '../websocket/contract.ts'

/** As much as is used here of what the types of ws leave out. */
const { Receiver, Sender } = ws as unknown as {
  readonly Receiver: new (options: {
    readonly isServer: boolean
  }) => Writable & { on(event: 'message', listener: (data: Buffer) => void): unknown }
  readonly Sender: new (stream: Duplex) => { send(data: Data, options: SendOptions): void }
}

interface SendOptions {
  readonly binary: boolean
  readonly compress: boolean
  readonly fin: true
  readonly mask: boolean
}

interface StreamSocket extends CallbackSocket {
  /** As text, whichever type it has: what has come is sent back without making strings of it. */
  send(data: Data): void
  listen(listener: (data: Buffer) => void): void
}

export function streamSocket(stream: Duplex, side: 'client' | 'server'): StreamSocket {
  const isServer = side === 'server'
  const sender = new Sender(stream)
  const receiver = new Receiver({ isServer })
  const options = { binary: false, compress: false, fin: true, mask: !isServer } as const
  let told: (data: Buffer) => void = () => {}
  receiver.on('message', data => told(data))
  stream.on('data', chunk => receiver.write(chunk))
  return {
    send: data => sender.send(data, options),
    listen(listener) {
      told = listener
    },
    async close() {
      stream.end()
      await once(stream, 'close')
    },
  }
}
