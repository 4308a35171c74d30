/** Carries out the effects that the machine has named once the transition is over, so that each sees the machine in its new state. */

import type { Events } from '../events/events.js'
import type { Steps } from '../layer/steps.js'
import type { ConnectionEvent, Effect, Step } from './events.js'

/** The effects that come before the transcript's line of the state that they lead to. */
const ON_THE_WAY: ReadonlySet<Effect> = new Set(['begin', 'fall', 'rest'])

/** The connection, as far as effects need it. */
export interface EffectsHome {
  readonly steps: Pick<Steps<Step>, 'begin' | 'end'>
  readonly events: Events
  readonly stateName: string
  /** Does what an effect stands for. */
  onEffect(effect: Effect, event: ConnectionEvent): void
  /** An effect has failed, which none ever should. */
  onBroken(cause: unknown): void
}

const NONE: readonly Effect[] = []

export class Effects {
  readonly #home: EffectsHome
  /** The effects that an actor has named during the transition under way, and the event that has led to them. */
  #named: { readonly effects: Effect[]; readonly event: ConnectionEvent } | undefined
  /** The machine's present state. */
  #state = 'domain_lookup'
  /** The state before that. */
  lastState = 'domain_lookup'

  constructor(home: EffectsHome) {
    this.#home = home
  }

  /** Notes an effect, which is carried out once the transition under way is over. */
  note(effect: Effect, event: ConnectionEvent): void {
    this.#named ??= { effects: [], event }
    this.#named.effects.push(effect)
  }

  /** Carries out the effects that the last transition has named. */
  performNoted(): void {
    const named = this.#named
    this.#named = undefined
    this.perform(named?.effects ?? NONE, named?.event)
  }

  /** Carries out the effects of a transition that is over. */
  perform(effects: readonly Effect[], event: ConnectionEvent | undefined): void {
    const { events, stateName, steps } = this.#home
    this.lastState = this.#state
    this.#state = stateName
    if (effects.length === 0 || event === undefined) return events.hearing?.state(stateName)
    const isOutermost = steps.begin()
    try {
      for (const effect of effects) {
        if (!ON_THE_WAY.has(effect)) events.hearing?.state(this.#state)
        this.#home.onEffect(effect, event)
      }
    } catch (cause) {
      this.#home.onBroken(cause)
    }
    // Within a step, such as one in which another protocol takes over, what is due waits for the end of that.
    if (isOutermost) steps.end(true)
  }

  /** The connection ends without its machine, in the state in which that is. */
  stop(): void {
    this.lastState = this.#state
  }
}
