// Where a server of a test listens, and how it goes down.

import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import './chance.ts'

export type Transport = 'tcp' | 'tls' | 'unix'

export interface Place {
  readonly host: string
  readonly port: number
  /** The socket's path, for 'unix' only. */
  readonly path?: string
}

/** Has it listen on loopback, on any port that is free unless one is given, or on a socket of its own. */
export async function listen(
  server: net.Server,
  transport: Transport,
  { host = '127.0.0.1', port = 0 }: Partial<Place> = {},
): Promise<Place> {
  const path = transport === 'unix' ? join(tmpdir(), `holster-${randomUUID().slice(0, 13)}.sock`) : undefined
  server.listen(path === undefined ? { host, port } : { path })
  await once(server, 'listening')
  const address = server.address()
  return {
    host: path === undefined ? host : 'localhost',
    port: typeof address === 'object' && address !== null ? address.port : 0,
    ...(path === undefined ? {} : { path }),
  }
}

/** What closes it, once: nothing more is accepted, then `shut` ends what is open, and all of it is waited for. */
export function closer(server: net.Server, shut: () => void): () => Promise<void> {
  let closing: Promise<unknown> | undefined
  return async () => {
    if (closing === undefined) {
      closing = once(server, 'close')
      server.close()
      shut()
    }
    await closing
  }
}
