/** All benchmarks, in the order in which they run and stand on the page. */

import type { Benchmark } from './benchmark.ts'
import { cold } from './cold.ts'
import { http } from './http.ts'
import { http2 } from './http2.ts'
import { mailbox } from './mailbox.ts'
import { nodes } from './nodes.ts'
import { observer } from './observer.ts'
import { pool } from './pool.ts'
import { processes } from './process.ts'
import { tunnel } from './tunnel.ts'
import { ways } from './ways.ts'
import { webSocket } from './websocket.ts'

export const benchmarks: readonly Benchmark[] = [
  webSocket,
  cold,
  http,
  http2,
  tunnel,
  pool,
  nodes,
  observer,
  mailbox,
  processes,
  ways,
]
