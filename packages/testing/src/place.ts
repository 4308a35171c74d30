/** A server of a test listens on loopback, and goes down with all that is open. */

import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** How a server of a test is reached: over TCP, over TLS, or by a Unix socket. */
export type Transport = 'tcp' | 'tls' | 'unix'

/** Where a server of a test listens. */
export interface Place {
  /** The host: 127.0.0.1 unless another was asked for; `'localhost'` for a Unix socket. */
  readonly host: string
  /** The port; 0 for a Unix socket. */
  readonly port: number
  /** The path of a Unix socket; absent over TCP and TLS. */
  readonly path?: string
}

/** Has a server listen on loopback, on any port that is free unless one is given, or on a Unix socket of its own. */
export async function listen(
  server: net.Server,
  transport: Transport,
  { host = '127.0.0.1', port = 0 }: { readonly host?: string; readonly port?: number } = {},
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

/**
 * Makes a function that closes a server, once: the server accepts nothing more, `shut` ends what is open, and the function resolves
 * when all of it is closed.
 */
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
