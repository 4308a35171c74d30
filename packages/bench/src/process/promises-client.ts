/** The least that could be called a process: an array and a promise that somebody waits for. */

import type { Client } from './contract.ts'

class Queue {
  readonly #messages: unknown[] = []
  #resolve: ((message: unknown) => void) | undefined

  send(message: unknown): void {
    const resolve = this.#resolve
    if (resolve === undefined) this.#messages.push(message)
    else {
      this.#resolve = undefined
      resolve(message)
    }
  }

  receive(): Promise<unknown> {
    if (this.#messages.length > 0) return Promise.resolve(this.#messages.shift())
    return new Promise(resolve => {
      this.#resolve = resolve
    })
  }
}

interface Running {
  readonly queue: Queue
  readonly ended: Promise<void>
}

async function run(queue: Queue, body: (queue: Queue) => unknown): Promise<void> {
  await null
  await body(queue)
}

function start(body: (queue: Queue) => unknown): Running {
  const queue = new Queue()
  return { queue, ended: run(queue, body) }
}

async function waiting(queue: Queue): Promise<void> {
  await queue.receive()
}

const client: Client = {
  jobs: {
    spawn: units => async () => {
      let last: Running | undefined
      for (let n = 0; n < units; n++) last = start(() => undefined)
      await last?.ended
    },
    live: units => async () => {
      const all = Array.from({ length: units }, () => start(waiting))
      await null
      for (const { queue } of all) queue.send('stop')
      await all.at(-1)?.ended
    },
    idle: units => async () => {
      const all = Array.from({ length: units }, () => start(waiting))
      await null
      return all
    },
  },
}

export default client
