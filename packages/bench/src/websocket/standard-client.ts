/** Clients with the interface of browsers: undici's WebSocket under Node, Bun's own under Bun. */

import { CallbackConnection } from './callback-connection.ts'
import type { Client, Data } from './contract.ts'

/** As much of the WHATWG interface as is used here. */
interface StandardSocket {
  binaryType: string
  onopen: (() => void) | null
  onerror: ((event: unknown) => void) | null
  onmessage: (() => void) | null
  onclose: (() => void) | null
  send(data: Data): void
  close(): void
}

const isBun = 'Bun' in globalThis
/** Under Node the newest undici, not the one that Node was built with. */
const { WebSocket } = (isBun ? globalThis : await import('undici')) as unknown as {
  readonly WebSocket: new (url: string, options?: object) => StandardSocket
}

function connectionOf(socket: StandardSocket): CallbackConnection {
  return new CallbackConnection({
    send: data => socket.send(data),
    listen(listener) {
      socket.onmessage = listener
    },
    close: () =>
      new Promise(resolve => {
        socket.onclose = () => resolve()
        socket.close()
      }),
  })
}

/** `options` are those that undici takes and browsers do not. */
export function openStandardSocket(url: string, options?: object): Promise<CallbackConnection> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, options)
    socket.binaryType = 'arraybuffer'
    socket.onopen = () => resolve(connectionOf(socket))
    socket.onerror = reject
  })
}

const standard: Client = { connect: url => openStandardSocket(url) }

export default standard
