// A pool on a server of its own: both are ended with the test, which fails if a stream has not ended exactly once.

import * as gun from '@holster/gun'
import { type PoolServer, poolServer } from './pool-server.ts'

export interface PoolScene extends AsyncDisposable {
  readonly server: PoolServer
  readonly pool: gun.PoolPid
  /** The headers of requests. */
  readonly headers: { readonly host: string }
  info(): gun.PoolInfo
}

export type Version = 'http' | 'http2'

/** Starts a server and a pool, and waits until the pool is up. */
export async function poolScene(
  opts: gun.PoolOpts = {},
  version: Version = 'http',
  maxConcurrentStreams = 100,
): Promise<PoolScene> {
  const server = await poolServer({ version, maxConcurrentStreams })
  const connOpts = { protocols: [version], ...opts.connOpts }
  const pool = gun.pool.startPool('127.0.0.1', server.port, { ...opts, connOpts })
  await gun.pool.awaitUp(pool)
  return {
    server,
    pool,
    headers: { host: server.host },
    info() {
      const info = gun.pool.info(pool)
      if (info === undefined) throw new Error('the pool has ended')
      return info
    },
    async [Symbol.asyncDispose]() {
      pool.exit('shutdown')
      await pool.exited
      await server[Symbol.asyncDispose]()
    },
  }
}

/** Gives the body of a pooled response. */
export const bodyOf = async (streamRef: gun.PoolStreamRef) =>
  String((await gun.pool.awaitResponse(streamRef)).body)
