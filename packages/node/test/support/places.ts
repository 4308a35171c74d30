// Where a body of a test runs: in this thread, in a worker thread, or in another program behind NATS.

import { startNode, stopNode, type Workers, workers } from '@holster/node'

export interface Place {
  readonly name: string
  /** Why nothing can run there on this machine. */
  readonly missing?: string
  /** Makes this program a node, and gives the name of the one on which the bodies run. */
  open(): Promise<string>
  close(): Promise<void>
}

const here: Place = {
  name: 'in this thread',
  async open() {
    await startNode({ name: 'main' })
    return 'main'
  },
  close: stopNode,
}

let started: Workers | undefined

const threads: Place = {
  name: 'in a worker thread',
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

export const places: readonly Place[] = [here, threads]
