/** An attempt to connect takes one step at a time: each is limited in time, can be given up, and ends with an event. */

import { GunError } from '../errors.js'
import type { Task } from '../layer/contract.js'
import type { Steps } from '../layer/steps.js'
import type { Opts } from '../options/options.js'
import type { ProxyHop } from '../options/proxies.js'
import { type Abort, type Answer, defer } from '../transport/contract.js'
import { Deadline } from '../transport/deadline.js'
import { textOf } from '../transport/error-text.js'
import { errorAtEntrance } from './entrance.js'
import type { ConnectionEvent, Tell } from './events.js'

/** Begins something that takes time, and calls `answer` once, after it has returned. Gives how to abort that. */
export type Step<T> = (answer: Answer<T>) => Abort

const TIMEOUT_CODES = {
  domainLookupTimeout: 'domain_lookup_timeout',
  connectTimeout: 'connect_timeout',
  tlsHandshakeTimeout: 'tls_handshake_timeout',
} as const

/** The option that says how long a step may take. */
type Timeout = keyof typeof TIMEOUT_CODES

export class Attempt {
  readonly #opts: Opts
  readonly #steps: Pick<Steps<ConnectionEvent | Task>, 'add'>
  readonly #proxies: readonly ProxyHop[]
  /** The step that is under way. */
  #current: object | undefined
  #abortCurrent: Abort | undefined
  #deadline: Deadline | undefined

  /** `steps` takes the event with which each step ends, and errors name the first of `proxies`. */
  constructor(opts: Opts, steps: Pick<Steps<ConnectionEvent | Task>, 'add'>, proxies: readonly ProxyHop[]) {
    this.#opts = opts
    this.#steps = steps
    this.#proxies = proxies
  }

  /** Begins a step, of whose result `done` makes the event of the machine. */
  begin<T extends object>(
    step: Step<T>,
    done: (given: T) => ConnectionEvent,
    option: Timeout,
    tell: Tell<T>,
  ): void {
    const answer = (given: T | GunError): void => {
      const outcome = given instanceof GunError ? errorAtEntrance(this.#proxies, given) : given
      this.#stopClock()
      this.#steps.add({ type: 'task', run: () => tell('End', outcome) })
      // The event handler that was just told may have ended the connection, and with it the attempt.
      if (this.#current !== step) return
      this.#current = undefined
      this.#abortCurrent = undefined
      this.#steps.add(outcome instanceof GunError ? { type: 'failed', reason: outcome } : done(outcome))
    }
    tell('Start')
    this.#current = step
    try {
      this.#abortCurrent = step(answer)
    } catch (cause) {
      this.#abortCurrent = defer(() => answer(impossible(cause)))
    }
    const { [option]: ms = Number.POSITIVE_INFINITY } = this.#opts
    if (ms === Number.POSITIVE_INFINITY) return
    this.#deadline = new Deadline(ms, () => answer(timedOut(option, ms, this.#abortStep())))
  }

  /** Gives up the step that is under way, which then ends with no event. */
  abort(): void {
    this.#stopClock()
    this.#current = undefined
    this.#abortStep()
  }

  #stopClock(): void {
    this.#deadline?.clear()
    this.#deadline = undefined
  }

  /** Abandons the step that is under way, and gives the errors that it had met. */
  #abortStep(): readonly Error[] {
    const abort = this.#abortCurrent
    this.#abortCurrent = undefined
    return abort?.() ?? []
  }
}

function timedOut(option: Timeout, ms: number, errors: readonly Error[]): GunError {
  const cause = errors.length > 0 ? new AggregateError(errors) : undefined
  const before = cause === undefined ? '' : `; before that: ${textOf(cause)}`
  const text = `${option} of ${ms} ms has passed${before}`
  return new GunError(TIMEOUT_CODES[option], 'connection_error', text, { cause })
}

/** Makes the error of a step that Node refuses at once, for example for a wrong option of a socket. */
function impossible(cause: unknown): GunError {
  const text = `no connection could be made: ${cause}`
  return new GunError('connect_error', 'connection_error', text, { cause, isPermanent: true })
}
