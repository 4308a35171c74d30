/** A connection of a client that calls back for each message. */

import { NO_MARKS } from '../marks.ts'
import { BURST, type Connection, type Data } from './contract.ts'

/** How such a client is used. */
export interface CallbackSocket {
  send(data: Data): void
  /** Has `listener`, and no other, called for each message from now on. */
  listen(listener: () => void): void
  /** Resolves when the connection has ended. */
  close(): Promise<void>
}

export class CallbackConnection implements Connection {
  readonly #socket: CallbackSocket

  constructor(socket: CallbackSocket) {
    this.#socket = socket
  }

  echo(data: Data, count: number, inFlight: number, marks = NO_MARKS): Promise<void> {
    const socket = this.#socket
    let n = 0
    const done = this.#each(() => {
      n++
      if (n === marks.next) marks.pass()
      if (n + inFlight <= count) socket.send(data)
      return n < count
    })
    for (let i = 0; i < inFlight; i++) socket.send(data)
    return done
  }

  receive(request: string, count: number, marks = NO_MARKS): Promise<void> {
    let n = 0
    const done = this.#each(() => {
      n++
      if (n === marks.next) marks.pass()
      return n < count
    })
    this.#socket.send(request)
    return done
  }

  send(data: Data, count: number): Promise<void> {
    const socket = this.#socket
    let n = 0
    const burst = () => {
      for (let i = 0; i < BURST; i++) socket.send(data)
      n += BURST
    }
    const done = this.#each(() => {
      if (n >= count) return false
      burst()
      return true
    })
    burst()
    return done
  }

  close(): Promise<void> {
    return this.#socket.close()
  }

  /** Calls `took` for each message until it gives false. */
  #each(took: () => boolean): Promise<void> {
    return new Promise(resolve => {
      this.#socket.listen(() => {
        if (!took()) resolve()
      })
    })
  }
}
