// A client that is a bare socket, for tests of the servers: Holster itself is not there.

import { once } from 'node:events'
import net from 'node:net'
import tls from 'node:tls'
import { certificates, type ScriptedServer, type Transport } from '@holster/testing'

export const transports: readonly Transport[] = ['tcp', 'tls', 'unix']

type Address = Pick<ScriptedServer, 'host' | 'port' | 'path'>

/** Resolves when the socket is connected, over tls when its handshake is done. */
export async function connect({ host, port, path }: Address, transport: Transport): Promise<net.Socket> {
  const secure = transport === 'tls'
  const socket = secure
    ? tls.connect({ host, port, ca: certificates.ca, servername: 'localhost' })
    : net.connect(path === undefined ? { host, port } : { path })
  await once(socket, secure ? 'secureConnect' : 'connect')
  return socket
}

/** Resolves to all that the server sends until it ends its side. */
export async function readAll(socket: net.Socket): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk)
  return Buffer.concat(chunks).toString('latin1')
}

/** Resolves to what has come once `end` has come so many times. */
export function readUntil(socket: net.Socket, end: string, times = 1): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const onData = (chunk: Buffer): void => {
      text += chunk
      if (text.split(end).length <= times) return
      socket.off('data', onData).off('close', onClose)
      resolve(text)
    }
    const onClose = (): void => reject(new Error(`closed after ${JSON.stringify(text)}`))
    socket.on('data', onData).on('close', onClose)
  })
}
