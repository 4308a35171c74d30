/** A race of connections: each address is tried a little after the one before it, and the first that answers wins (RFC 8305). */

import type { LookupAddress } from 'node:dns'
import type { Socket } from 'node:net'

/** Begins an attempt. Throws what cannot be tried. */
export type Attempt = () => Socket

/** Gets the socket that has won, or each error in the order of the attempts' ends. */
export type Finish = (winner: Socket | undefined, errors: readonly Error[]) => void

/** The families take turns, and that of the first address begins (RFC 8305 section 4). */
export function takingTurns(addresses: readonly LookupAddress[]): LookupAddress[] {
  const family = addresses[0]?.family
  const leading = addresses.filter(address => address.family === family)
  const others = addresses.filter(address => address.family !== family)
  const turns: LookupAddress[] = []
  while (leading.length > 0 || others.length > 0) turns.push(...leading.splice(0, 1), ...others.splice(0, 1))
  return turns
}

export class Race {
  readonly #waiting: Attempt[]
  readonly #delay: number
  readonly #finish: Finish
  /** The attempts that are under way, with what gives each up. */
  readonly #running = new Map<Socket, () => void>()
  /** What has gone wrong so far. */
  readonly errors: Error[] = []
  #timer: NodeJS.Timeout | undefined
  #isOver = false

  /**
   * Begins the first attempt. The next one begins when one fails, or when none has for `delay` milliseconds; those
   * before it go on. `finish` is called once, later.
   */
  constructor(attempts: readonly Attempt[], delay: number, finish: Finish) {
    this.#waiting = [...attempts]
    this.#delay = delay
    this.#finish = finish
    this.#next()
  }

  /** Gives it all up: `finish` is not called any more, and no socket is left, nor the winner's if it was. */
  stop(): void {
    this.#end(undefined)
  }

  #next(): void {
    clearTimeout(this.#timer)
    if (this.#isOver) return
    const attempt = this.#waiting.shift()
    if (attempt === undefined) {
      if (this.#running.size === 0) this.#finish(undefined, this.errors)
      return
    }
    try {
      this.#run(attempt())
    } catch (cause) {
      this.errors.push(cause as Error)
      return process.nextTick(() => this.#next())
    }
    if (this.#waiting.length > 0) this.#timer = setTimeout(() => this.#next(), this.#delay)
  }

  #run(socket: Socket): void {
    const won = () => {
      // Who takes the socket over listens before anything can happen to it.
      socket.off('error', failed)
      this.#end(socket)
      this.#finish(socket, this.errors)
    }
    const failed = (cause: Error) => {
      ignoreErrors(socket, failed)
      this.#running.delete(socket)
      this.errors.push(cause)
      this.#next()
    }
    socket.on('error', failed)
    // TLS begins at the same event, but not before it is known that it may.
    socket.prependOnceListener('connect', won)
    this.#running.set(socket, () => {
      socket.off('connect', won)
      ignoreErrors(socket, failed)
      socket.destroy()
    })
  }

  /** Nothing more is begun, and what is under way is given up but for the winner. */
  #end(winner: Socket | undefined): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    for (const [socket, giveUp] of this.#running) {
      if (socket === winner) continue
      this.#running.delete(socket)
      giveUp()
    }
  }
}

/** What happens to a socket that nobody wants any more must not end the program. */
export function ignoreErrors(socket: Socket, listener: (cause: Error) => void): void {
  socket.off('error', listener)
  socket.on('error', () => {})
}
