/** An attempt to connect: one step at a time, each of which can be given up; how it ends the machine is told. */

import { GunError } from '../errors.js'
import { type Abandon, type Answer, later } from '../transport/contract.js'
import type { ConnectionEvent } from './connection.js'

/** Something that takes time: it calls `answer` once, after it has returned. */
export type Step<T> = (answer: Answer<T>) => Abandon

export class Attempt {
  readonly #tell: (event: ConnectionEvent) => void
  #abandon: Abandon | undefined

  constructor(tell: (event: ConnectionEvent) => void) {
    this.#tell = tell
  }

  /** `done` is the event for what the step gives. */
  begin<T extends object>(step: Step<T>, done: (given: T) => ConnectionEvent): void {
    const answer = (outcome: T | GunError): void => {
      this.#abandon = undefined
      this.#tell(outcome instanceof GunError ? { type: 'failed', reason: outcome } : done(outcome))
    }
    try {
      this.#abandon = step(answer)
    } catch (cause) {
      this.#abandon = later(() => answer(impossible(cause)))
    }
  }

  /** Nothing will come of the step that is under way. */
  abandon(): void {
    this.#abandon?.()
    this.#abandon = undefined
  }
}

/** What Node throws at once, for example for a wrong option of a socket. */
function impossible(cause: unknown): GunError {
  return new GunError('connect_error', 'connection_error', `no connection could be made: ${cause}`, { cause })
}
