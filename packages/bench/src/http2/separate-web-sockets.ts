/** WebSockets of a client that has an object for each and, unlike a mailbox, nothing in which the messages of all meet. */

import type { Connection } from '../websocket/contract.ts'
import type { WebSockets } from './contract.ts'

export class SeparateWebSockets implements WebSockets {
  readonly #sockets: readonly Connection[]

  constructor(sockets: readonly Connection[]) {
    this.#sockets = sockets
  }

  async echo(data: string, count: number): Promise<void> {
    const share = count / this.#sockets.length
    await Promise.all(this.#sockets.map(socket => socket.echo(data, share, 1)))
  }
}
