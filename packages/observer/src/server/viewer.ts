/** A viewer is one WebSocket: it watches views, and may ask for actions. */

import { clearInterval, setInterval } from 'node:timers'
import type { WebSocket } from 'ws'
import type { Lookout } from '../nodes/lookout.js'
import type { Asked, Hello, Told } from '../words.js'
import type { Actions } from './actions.js'
import { readAsked } from './asked.js'
import type { Budget } from './budget.js'
import { type Viewer, Watch } from './watch.js'

/** More bytes than this waiting to be sent say that the viewer does not keep up. */
const CONGESTED = 1024 * 1024
/** More bytes than this waiting say that the viewer asks without reading the answers. */
const FULL = 16 * CONGESTED
/** How often in milliseconds the program shows that it answers. */
const BEAT = 2000
/** The most views of one viewer. */
const WATCHES = 32
/** RFC 6455 section 7.4.1. */
const POLICY_VIOLATION = 1008
/** The most bytes of the reason of a close (RFC 6455 section 5.5). */
const LONGEST_REASON = 123

/** A viewer, until its WebSocket closes. */
export class SocketViewer implements Viewer {
  readonly #socket: WebSocket
  readonly #lookout: Lookout
  readonly #actions: Actions
  readonly #budget: Budget
  readonly #watches = new Map<number, Watch>()
  readonly #beat = setInterval(() => this.tell({ type: 'beat' }), BEAT).unref()

  constructor(socket: WebSocket, hello: Hello, lookout: Lookout, actions: Actions, budget: Budget) {
    this.#socket = socket
    this.#lookout = lookout
    this.#actions = actions
    this.#budget = budget
    socket.on('message', (data, isBinary) => this.#take(isBinary ? '' : String(data)))
    socket.on('close', () => this.#leave())
    // The close follows.
    socket.on('error', () => {})
    this.tell(hello)
  }

  get isCongested(): boolean {
    return this.#socket.bufferedAmount > CONGESTED
  }

  tell(told: Told): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(told))
  }

  /** Ends a viewer that asks on and on and reads nothing: its answers would fill the memory of the program. `ws` does so for pings. */
  #checkRoom(): void {
    if (this.#socket.bufferedAmount > FULL) this.#socket.terminate()
  }

  #take(data: string): void {
    this.#checkRoom()
    let asked: Asked
    try {
      asked = readAsked(data)
    } catch (error) {
      return this.#socket.close(POLICY_VIOLATION, reasonOf(error as Error))
    }
    this.#answer(asked).catch((error: unknown) => {
      const text = error instanceof Error ? error.message : String(error)
      this.tell({ type: 'failed', id: asked.id, text })
    })
  }

  async #answer(asked: Asked): Promise<void> {
    switch (asked.type) {
      case 'watch': {
        const watch = this.#watches.get(asked.id)
        if (watch !== undefined) return watch.change(asked.view)
        if (this.#watches.size >= WATCHES)
          throw new Error(`more than ${WATCHES} views cannot be watched at once`)
        this.#watches.set(asked.id, new Watch(asked.id, asked.view, this, this.#lookout, this.#budget))
        return
      }
      case 'unwatch':
        this.#watches.get(asked.id)?.close()
        this.#watches.delete(asked.id)
        return
      case 'act':
        return this.tell(this.#actions.ask(asked.id, asked.action))
      case 'confirm':
        return this.tell(await this.#actions.confirm(asked.id, asked.ticket))
    }
  }

  #leave(): void {
    clearInterval(this.#beat)
    for (const watch of this.#watches.values()) watch.close()
    this.#watches.clear()
  }
}

/** Cuts the message of an error, which may hold what the viewer has said, to what a close can carry. */
function reasonOf({ message }: Error): Buffer {
  const bytes = new Uint8Array(LONGEST_REASON)
  // No character is cut in half.
  const { written } = new TextEncoder().encodeInto(message, bytes)
  return Buffer.from(bytes.buffer, 0, written)
}
