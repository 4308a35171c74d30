// Where a body of a test runs: in this thread, in a worker thread, or in another program behind NATS.

import { startNode, stopNode, type Workers, workers } from '@holster/node'
import { nats } from '@holster/node/nats'
import { createProcess } from '@holster/process'
import { type NatsServer, natsServer, needingNats } from './nats-server.ts'
import { COOKIE, Peer } from './peer.ts'

export interface Place {
  readonly name: string
  /** Why nothing can run there on this machine; `false` if it can. */
  readonly skip: string | false
  /** Makes this program a node, and gives the name of the one on which the bodies run. */
  open(): Promise<string>
  close(): Promise<void>
}

const here: Place = {
  name: 'in this thread',
  skip: false,
  async open() {
    await startNode({ name: 'main' })
    return 'main'
  },
  close: stopNode,
}

let started: Workers | undefined

const threads: Place = {
  name: 'in a worker thread',
  skip: false,
  async open() {
    await startNode({ name: 'main' })
    started = await workers(1, { preload: [new URL('./typescript.mjs', import.meta.url)] })
    return started.nodes[0] as string
  },
  async close() {
    await started?.stop()
    await stopNode()
  },
}

let server: NatsServer | undefined
let peer: Peer | undefined

const programs: Place = {
  name: 'in another program, behind NATS',
  skip: needingNats.skip,
  async open() {
    server = await natsServer()
    const options = { servers: server.url }
    peer = await Peer.start({ name: 'apart', cookie: COOKIE, nats: options })
    await startNode({ name: 'main', cookie: COOKIE, carrier: nats(options) })
    const self = createProcess()
    self.monitorNode('apart')
    await self.receive([{ type: 'nodeup', node: 'apart' }])
    self.exit()
    return 'apart'
  },
  async close() {
    await stopNode()
    await peer?.[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
  },
}

export const places: readonly Place[] = [here, threads, programs]
