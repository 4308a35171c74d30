// An address at which nobody answers for now: what listens there has no room for one more connection.

import { once } from 'node:events'
import net from 'node:net'
import { Worker } from 'node:worker_threads'

/** A thread that listens and does not accept until it is told to. */
const LISTENER = `
const { parentPort, workerData } = require('node:worker_threads')
const server = require('node:net').createServer(socket => socket.on('error', () => {}))
server.listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
  parentPort.postMessage(server.address().port)
  Atomics.wait(workerData, 0, 0)
})
`

export interface Unanswering extends AsyncDisposable {
  readonly port: number
  /** From now on connections are accepted: the system tries them again by itself. */
  answer(): void
}

/** For tests of what only Linux does with connections for which there is no room. */
export const onLinux = { skip: process.platform !== 'linux' && 'only Linux lets them wait' }

/** At 127.0.0.1, on Linux. */
export async function unanswering(): Promise<Unanswering> {
  const gate = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(LISTENER, { eval: true, workerData: gate })
  const [port] = (await once(worker, 'message')) as [number]
  const fillers: net.Socket[] = []
  // The system takes one more than it was told.
  for (let i = 0; i < 2; i++) {
    const filler = net.connect(port, '127.0.0.1')
    filler.on('error', () => {})
    fillers.push(filler)
    await once(filler, 'connect')
  }
  const answer = (): void => {
    Atomics.store(gate, 0, 1)
    Atomics.notify(gate, 0)
  }
  return {
    port,
    answer,
    async [Symbol.asyncDispose]() {
      answer()
      for (const filler of fillers) filler.destroy()
      await worker.terminate()
    },
  }
}
