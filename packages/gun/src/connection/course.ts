/** The course of a life: takes the events of one connection, one at a time, and notes what the table says. */

import type { ConnectionContext, ConnectionEvent, Effect, Machine } from './events.js'
import type { Branch, State } from './table.js'

/** The connection, as far as the course of its life needs it. */
export interface CourseHome {
  readonly effects: {
    /** Carries these effects out, since the transition is over. */
    perform(effects: readonly Effect[], event: ConnectionEvent): void
  }
  /** The machine has failed, which it never should. */
  onBroken(cause: unknown): void
}

const NONE: readonly Effect[] = []

/** The event with which a life begins, for effects that look at none. */
const BEGINNING: ConnectionEvent = { type: 'again' }

export class Course implements Machine {
  #home!: CourseHome
  #state: State
  context!: ConnectionContext
  #isBusy = false
  /** The events that have come within the one under way. */
  #later: ConnectionEvent[] | undefined

  /** `start` is the state before the first. */
  constructor(start: State) {
    this.#state = start
  }

  get stateName(): string {
    return this.#state.name
  }

  get states(): readonly string[] {
    return this.#state.paths
  }

  get isAccepting(): boolean {
    return this.#state.isAccepting
  }

  /** Begins the life of a connection with a context, which belongs to the course from then on. */
  begin(home: CourseHome, context: ConnectionContext): void {
    this.#home = home
    this.context = context
    this.#run(BEGINNING, this.#state.always)
  }

  /** Takes an event, behind the effects of the one under way. An event that means nothing in the present state is ignored. */
  send(event: ConnectionEvent): void {
    if (!this.#isBusy) return this.#run(event, this.#state.on.get(event.type))
    this.#later ??= []
    this.#later.push(event)
  }

  #run(first: ConnectionEvent, branches: readonly Branch[] | undefined): void {
    this.#isBusy = true
    try {
      this.#take(first, branches)
      for (let event = this.#later?.shift(); event !== undefined; event = this.#later?.shift()) {
        this.#take(event, this.#state.on.get(event.type))
      }
    } catch (cause) {
      this.#home.onBroken(cause)
    }
    this.#isBusy = false
  }

  /** Follows the first of these branches that is open, and what follows that by itself, and has the effects carried out. */
  #take(event: ConnectionEvent, branches: readonly Branch[] | undefined): void {
    let open = this.#openOf(branches)
    if (open === undefined) return
    let effects = NONE
    while (open !== undefined) {
      for (const note of open.notes) Object.assign(this.context, note(this.context, event))
      effects = effects.length === 0 ? open.effects : [...effects, ...open.effects]
      this.#state = open.next
      open = this.#openOf(this.#state.always)
    }
    this.#home.effects.perform(effects, event)
  }

  #openOf(branches: readonly Branch[] | undefined): Branch | undefined {
    return branches?.find(({ guard }) => guard === undefined || guard(this.context))
  }
}
