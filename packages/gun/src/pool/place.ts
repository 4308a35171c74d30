/** A place for one connection: empty while the pool pauses behind a failure, and filled again. */

import type { ExitReason } from '@holster/process'
import { GunError } from '../errors.js'
import type { PoolSettings } from '../options/pool.js'
import { pauseOf } from './backoff.js'
import type { Member } from './member.js'

export class Place {
  readonly #settings: PoolSettings
  readonly #open: (place: Place) => void
  member: Member | undefined
  /** How many connections in a row have ended here without having been of use. */
  failures = 0
  /** Whether no connection can ever be made, because the fault is on this side. */
  isHopeless = false
  #timer: NodeJS.Timeout | undefined

  /** `open` makes a connection for the place. */
  constructor(settings: PoolSettings, open: (place: Place) => void) {
    this.#settings = settings
    this.#open = open
  }

  /** Takes note of the end of its connection, and plans the next one. Gives the error, if the connection ended with one. */
  lost(member: Member, reason: ExitReason): GunError | undefined {
    this.member = undefined
    const error = errorIn(reason) ?? member.fault
    const wasUp = member.upSince > 0 && performance.now() - member.upSince >= this.#settings.backoff
    // A caller who cancels half of an upload, or gives too much of one, says nothing against the server.
    const isCallers = error?.code === 'cancelled' || error?.code === 'badstate'
    const isUseful = member.hasAnswered || wasUp || isCallers
    this.failures = isUseful ? 0 : this.failures + 1
    if (error?.isPermanent) {
      this.isHopeless = true
      return error
    }
    const pause = pauseOf(this.#settings, this.failures, error === undefined || isCallers)
    this.#timer = setTimeout(() => this.#open(this), pause)
    return error
  }

  /** Plans the connection that follows one whose streams go on outside this place, since the peer lets no more begin on it. */
  departed(): void {
    this.member = undefined
    this.failures = 0
    this.#timer = setTimeout(() => this.#open(this), pauseOf(this.#settings, 0, true))
  }

  /** Makes a connection at once, in place of one that goes on outside this place until its streams have ended. */
  refill(): void {
    this.#open(this)
  }

  dispose(): void {
    clearTimeout(this.#timer)
  }
}

/** Gives the error in the reason of an end; `undefined` for an end in order. */
export function errorIn(reason: ExitReason): GunError | undefined {
  const cause: unknown = Array.isArray(reason) && reason[0] === 'shutdown' ? reason[1] : reason
  return cause instanceof GunError ? cause : undefined
}
