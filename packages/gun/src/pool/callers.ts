/**
 * The callers for whom streams run: when a process or an actor exits, or a signal aborts, its streams and places are given up.
 */

import type { MonitorTarget } from '@holster/process'
import { nodesMicrotask, watch } from '@holster/process/internal'

/** A stream, a place in the queue, or a checkout. */
export interface Claim {
  /** Whether there is nothing left to give up. */
  readonly isOver: boolean
  /** Gives the claim up; with a signal, for the signal's reason. */
  giveUp(signal?: AbortSignal): void
}

/** The number of callers, and of the claims of one caller, at which claims that are over are swept out for the first time. */
const LEAST = 16

class Charge {
  claims: Claim[] = []
  stop: (() => void) | undefined
  #next = LEAST

  add(claim: Claim): void {
    this.claims.push(claim)
    if (this.claims.length < this.#next) return
    this.sweep()
    this.#next = Math.max(LEAST, 2 * this.claims.length)
  }

  /** Forgets the claims that are over. Gives whether none is left. */
  sweep(): boolean {
    this.claims = this.claims.filter(({ isOver }) => !isOver)
    return this.claims.length === 0
  }
}

export class Callers {
  readonly #charges = new Map<object, Charge>()
  #next = LEAST

  /** Gives the claim up when `caller` exits, or soon if it has. */
  add(caller: MonitorTarget, claim: Claim): void {
    this.#chargeOf(caller, end => watch(caller, () => end(), 'caller')).add(claim)
  }

  /** Gives the claim up when the signal, which has not aborted yet, aborts. */
  addSignal(signal: AbortSignal, claim: Claim): void {
    const listen = (end: () => void) => {
      signal.addEventListener('abort', end, { once: true })
      return () => signal.removeEventListener('abort', end)
    }
    this.#chargeOf(signal, listen, signal).add(claim)
  }

  /** Watches nobody any more. */
  dispose(): void {
    for (const { stop } of this.#charges.values()) stop?.()
    this.#charges.clear()
  }

  #chargeOf(
    who: object,
    watchEnd: (end: () => void) => (() => void) | undefined,
    signal?: AbortSignal,
  ): Charge {
    const known = this.#charges.get(who)
    if (known !== undefined) return known
    if (this.#charges.size >= this.#next) this.#sweep()
    const charge = new Charge()
    this.#charges.set(who, charge)
    const end = () => {
      this.#charges.delete(who)
      for (const claim of charge.claims.splice(0)) if (!claim.isOver) claim.giveUp(signal)
    }
    charge.stop = watchEnd(end)
    // The caller has exited already.
    if (charge.stop === undefined) nodesMicrotask(end)
    return charge
  }

  #sweep(): void {
    for (const [who, charge] of this.#charges) {
      if (!charge.sweep()) continue
      charge.stop?.()
      this.#charges.delete(who)
    }
    this.#next = Math.max(LEAST, 2 * this.#charges.size)
  }
}
