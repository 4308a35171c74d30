/** The bare client: `postMessage`, or a publish and a subscription of NATS, without anything above. */

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { connect } from '@nats-io/transport-node'
import { type Client, type Line, read, write } from './contract.ts'

const [encoder, decoder] = [new TextEncoder(), new TextDecoder()]

/** Keeps what has come, and whoever waits for it. */
class Inbox {
  readonly #messages: unknown[] = []
  #waiting: ((message: unknown) => void) | undefined

  put(message: unknown): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting === undefined) this.#messages.push(message)
    else waiting(message)
  }

  take(): Promise<unknown> {
    if (this.#messages.length > 0) return Promise.resolve(this.#messages.shift())
    return new Promise(resolve => {
      this.#waiting = resolve
    })
  }
}

const bare: Client = {
  connect: servers => (servers === undefined ? overPort() : overNats(servers)),
}

type Message = Parameters<typeof write>[0] & { readonly count?: number }

function lineOf(send: (message: Message) => void, inbox: Inbox): Line {
  return {
    send,
    receive: () => inbox.take(),
    async arrived(count) {
      send({ type: 'count', count })
      await inbox.take()
    },
  }
}

async function overPort(): Promise<Line> {
  const worker = new Worker(new URL('bare-other.js', import.meta.url))
  const inbox = new Inbox()
  await once(worker, 'message')
  worker.on('message', message => inbox.put(message))
  return lineOf(message => worker.postMessage(message), inbox)
}

async function overNats(servers: string): Promise<Line> {
  const connection = await connect({ servers })
  const inbox = new Inbox()
  const worker = new Worker(new URL('bare-other.js', import.meta.url), { workerData: { servers } })
  await once(worker, 'message')
  connection.subscribe('main', {
    callback: (_error, { data }) => inbox.put(read(decoder.decode(data))),
  })
  await connection.flush()
  return lineOf(message => connection.publish('other', encoder.encode(write(message))), inbox)
}

export default bare
