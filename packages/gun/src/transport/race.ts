/**
 * A race of connections: each address is tried a little after the one before it, and the first to answer wins
 * (RFC 8305).
 */

import type { LookupAddress } from 'node:dns'
import type { Socket } from 'node:net'
import { nodesTick } from '@holster/process/internal'

/** Begins an attempt. Throws if the address cannot be tried. */
export type Attempt = () => Socket

/** Gets the winning socket, or else the error of each attempt, in the order in which the attempts ended. */
export type Settle = (winner: Socket | undefined, errors: readonly Error[]) => void

/**
 * Returns the addresses with alternating families, beginning with the family of the first
 * (RFC 8305 section 4).
 */
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
  readonly #settle: Settle
  /** The attempts under way, each with the function that aborts it. */
  readonly #running = new Map<Socket, () => void>()
  /** The errors so far. */
  readonly errors: Error[] = []
  #timer: NodeJS.Timeout | undefined
  #isOver = false

  /**
   * Begins the first attempt. The next one begins when an attempt fails, or when none has failed for `delay`
   * milliseconds; the earlier ones continue. `settle` is called once, after the constructor has returned.
   */
  constructor(attempts: readonly Attempt[], delay: number, settle: Settle) {
    this.#waiting = [...attempts]
    this.#delay = delay
    this.#settle = settle
    this.#next()
  }

  /** Aborts all attempts: `settle` is not called any more, and no socket is left, not even the winner's. */
  abort(): void {
    this.#abortOthers(undefined)
  }

  #next(): void {
    clearTimeout(this.#timer)
    if (this.#isOver) return
    const attempt = this.#waiting.shift()
    if (attempt === undefined) {
      if (this.#running.size === 0) this.#settle(undefined, this.errors)
      return
    }
    try {
      this.#run(attempt())
    } catch (cause) {
      this.errors.push(cause as Error)
      return nodesTick(() => this.#next())
    }
    if (this.#waiting.length > 0) this.#timer = setTimeout(() => this.#next(), this.#delay)
  }

  #run(socket: Socket): void {
    const won = () => {
      // The new user of the socket adds its own listeners before anything can happen to the socket.
      socket.off('error', failed)
      this.#abortOthers(socket)
      this.#settle(socket, this.errors)
    }
    const failed = (cause: Error) => {
      ignoreErrors(socket, failed)
      this.#running.delete(socket)
      this.errors.push(cause)
      this.#next()
    }
    socket.on('error', failed)
    // TLS begins at the same event, and must not begin before the race knows whether the socket has won.
    socket.prependOnceListener('connect', won)
    this.#running.set(socket, () => {
      socket.off('connect', won)
      ignoreErrors(socket, failed)
      socket.destroy()
    })
  }

  /** Begins no more attempts, and aborts those under way except the winner. */
  #abortOthers(winner: Socket | undefined): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    for (const [socket, abortAttempt] of this.#running) {
      if (socket === winner) continue
      this.#running.delete(socket)
      abortAttempt()
    }
  }
}

/**
 * Replaces the listener by one that ignores errors, since a socket without a listener would end the program.
 */
export function ignoreErrors(socket: Socket, listener: (cause: Error) => void): void {
  socket.off('error', listener)
  socket.on('error', () => {})
}
