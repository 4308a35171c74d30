/** Follows what a process sends over its connections, beside the messages that it gets. */

import type { ConnPid } from '@holster/gun'
import type { Process } from '@holster/process'
import { directionOf, type Happening, listenTo } from './connection-events.js'
import { Ear, type Heard } from './ear.js'

/** The most connections of one process that are listened to. */
const MOST = 20
/** The most events of each between two looks. */
const LIMITS = { kept: 20, heard: 100 }

/** Listens to the connections that a process owns. */
export class Commands {
  readonly #process: Process<never>
  readonly #ears = new Map<ConnPid, Ear<Happening>>()

  constructor(process: Process<never>) {
    this.#process = process
  }

  /** Listens to these connections, and to no others any more. */
  follow(owned: readonly ConnPid[]): void {
    const followed = new Set(owned.slice(0, MOST))
    for (const [connPid, ear] of this.#ears) {
      if (followed.has(connPid)) continue
      ear.close()
      this.#ears.delete(connPid)
    }
    for (const connPid of followed)
      if (!this.#ears.has(connPid)) this.#ears.set(connPid, this.#listenTo(connPid))
  }

  /** Gives what was sent since the last look. */
  take(): Heard<Happening> {
    const all = [...this.#ears.values()].map(ear => ear.take())
    return { items: all.flatMap(({ items }) => items), isSampled: all.some(({ isSampled }) => isSampled) }
  }

  close(): void {
    this.follow([])
  }

  #listenTo(connPid: ConnPid): Ear<Happening> {
    return new Ear(listenTo(connPid), LIMITS, ({ name, what }) => {
      const { replyTo } = what as { readonly replyTo?: unknown }
      return replyTo === this.#process && directionOf(name) === 'out'
    })
  }
}
