/** A thread that is a node of its own, reached by NATS as another program would be. */

import { workerData } from 'node:worker_threads'
import { startNode } from '@holster/node'
import { nats } from '@holster/node/nats'

const { servers, name, cookie } = workerData as Record<'servers' | 'name' | 'cookie', string>
await startNode({ name, cookie, carrier: nats({ servers }) })
