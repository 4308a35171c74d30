/** Clients with the interface of browsers: undici's WebSocket under Node, Bun's own under Bun. */

import { ca } from '../identity.ts'
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
const undici = isBun ? undefined : await import('undici')
const { WebSocket } = (undici ?? globalThis) as unknown as {
  readonly WebSocket: new (url: string, options?: object) => StandardSocket
}
/** How each of them is told whom to trust. */
const secure =
  undici === undefined
    ? { tls: { ca } }
    : { dispatcher: new undici.Agent({ connect: { ca }, allowH2: false }) }

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

const standard: Client = {
  connect: url => openStandardSocket(url, url.startsWith('wss:') ? secure : undefined),
}

export default standard
