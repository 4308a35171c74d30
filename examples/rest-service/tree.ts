/** The tree of the program: the pool first, and then the service, which ends before it. */

import * as gun from '@holster/gun'
import { type ChildSpec, genServer, type SupervisorOptions } from '@holster/otp'
import { service } from './service.ts'

export interface TreeOptions {
  /** The port of the backend. */
  readonly port: number
  /** Whatever runs beside the service, and may end the program. */
  readonly children?: readonly ChildSpec[]
}

export function tree({ port, children = [] }: TreeOptions): SupervisorOptions {
  return {
    autoShutdown: 'any_significant',
    children: [
      gun.pool.childSpec('127.0.0.1', port, { size: 4, backoff: 50, connOpts: { protocols: ['http2'] } }),
      {
        ...genServer.childSpec(service, `127.0.0.1:${port}`, { name: 'service', trapExit: true }),
        // Requests under way may take this long when the service is told to stop.
        shutdown: 25_000,
      },
      ...children,
    ],
  }
}
