/**
 * The carrier between the threads of one program. The thread that starts the others hands each a port to itself, and one to each of the
 * others. All of them are nodes of one cluster.
 */

import type { MessagePort } from 'node:worker_threads'
import type { Carrier, CarrierHost } from '../carrier.js'
import { ThreadChannel } from './channel.js'

/** The name of another thread, and the way to it. */
export interface Introduction {
  readonly name: string
  readonly port: MessagePort
}

/** Connects this thread with others of the program. */
export class Threads implements Carrier {
  readonly name = 'threads'
  readonly isShared = false
  #host: CarrierHost | undefined
  readonly #channels = new Set<ThreadChannel>()

  async start(host: CarrierHost): Promise<void> {
    this.#host = host
  }

  /** Makes the way to another thread. */
  add({ name, port }: Introduction): void {
    const host = this.#host
    if (host === undefined) return port.close()
    const channel = new ThreadChannel(name, port)
    this.#channels.add(channel)
    port.once('close', () => this.#channels.delete(channel))
    channel.open(host.onChannel(channel))
  }

  async stop(): Promise<void> {
    this.#host = undefined
    for (const channel of this.#channels) channel.close()
    this.#channels.clear()
  }
}
