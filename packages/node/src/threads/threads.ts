/**
 * The carrier between the threads of one program. The thread that starts the others hands each a port to itself, and one to each of the
 * others. All of them are nodes of one cluster.
 */

import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Carrier, CarrierHost } from '../carrier.js'
import { ThreadChannel } from './channel.js'

/** What a thread is told of another one. */
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

/** The threads that this one has started, each with the port by which it is told of the others. */
export class Family {
  readonly #members = new Map<string, MessagePort>()

  /** Introduces a new thread to the others, and gives what it is to be told first. */
  join(name: string, control: MessagePort): Introduction[] {
    const introductions: Introduction[] = []
    for (const [other, port] of this.#members) {
      const { port1, port2 } = new MessageChannel()
      port.postMessage({ name, port: port1 } satisfies Introduction, [port1])
      introductions.push({ name: other, port: port2 })
    }
    this.#members.set(name, control)
    control.once('close', () => {
      if (this.#members.get(name) === control) this.#members.delete(name)
    })
    return introductions
  }
}
