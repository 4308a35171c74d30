/** A watch shows one view to one viewer, again and again, as long as it is wanted. */

import { setTimeout } from 'node:timers'
import type { Sight } from '../nodes/here.js'
import type { Lookout } from '../nodes/lookout.js'
import type { Outlook } from '../nodes/outlook.js'
import type { Told, TraceState, View, ViewName } from '../words.js'
import { type Budget, SHARE } from './budget.js'

/** How long in milliseconds passes between two looks. */
const INTERVAL = 1000
/** The views that are looked at more often. */
const OFTEN: { readonly [Name in ViewName]?: number } = { trace: 250, connection: 500, process: 500 }
/** The longest pause between two looks at what cannot be shown. */
const LONGEST = 30_000
/** The most milliseconds that a look which fails counts as: nobody knows how much of it was spent waiting for another node. */
const FAILED = 50

/** A viewer, as its watches see it. */
export interface Viewer {
  /** Whether so much waits to be sent that nothing more should be. */
  readonly isCongested: boolean
  tell(told: Told): void
}

/** Shows one view. */
export class Watch {
  readonly #id: number
  readonly #viewer: Viewer
  readonly #lookout: Lookout
  readonly #budget: Budget
  #view: View
  #outlook: Outlook | undefined
  #timer: NodeJS.Timeout | undefined
  #isLooking = false
  /** Whether the view was changed while a look was under way. */
  #isStale = false
  #isClosed = false
  /** How often in a row it could not be shown. */
  #failures = 0
  /** The last value, so that nothing is told twice. */
  #last = ''
  /** When this look could have begun, had others not spent the budget. */
  #dueAt = performance.now()

  constructor(id: number, view: View, viewer: Viewer, lookout: Lookout, budget: Budget) {
    this.#id = id
    this.#budget = budget
    this.#view = view
    this.#viewer = viewer
    this.#lookout = lookout
    this.#lookSoon()
  }

  /** Shows another view from now on. */
  change(view: View): void {
    this.#view = view
    this.#isStale = true
    this.#failures = 0
    // The rows that have been shown are not those that are wanted.
    this.#last = ''
    clearTimeout(this.#timer)
    if (this.#isLooking) return
    this.#dueAt = performance.now()
    this.#lookSoon()
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    if (!this.#isLooking) this.#outlook?.close()
  }

  /** Looks at once, or when all who look may look again. */
  #lookSoon(): void {
    const { wait } = this.#budget
    if (wait === 0) this.#look()
    else this.#timer = setTimeout(() => this.#lookSoon(), Math.ceil(wait)).unref()
  }

  async #look(): Promise<void> {
    this.#isLooking = true
    const before = performance.now()
    let pause = OFTEN[this.#view.name] ?? INTERVAL
    try {
      pause = await this.#show(pause)
      this.#failures = 0
    } catch (error) {
      this.#budget.spend(Math.min(FAILED, performance.now() - before))
      this.#fail(error)
      // A subject that has ended will rarely come back.
      pause = Math.min(LONGEST, pause * 2 ** this.#failures++)
    }
    this.#isLooking = false
    if (this.#isClosed) return this.#outlook?.close()
    if (this.#isStale) pause = 0
    this.#dueAt = performance.now() + pause
    this.#timer = setTimeout(() => this.#lookSoon(), pause).unref()
  }

  /** Looks once, and gives how long to wait until the next time. */
  async #show(usual: number): Promise<number> {
    await this.#open()
    if (this.#viewer.isCongested || this.#isStale || this.#outlook === undefined) return usual
    const late = performance.now() - this.#dueAt
    const sight = await this.#outlook.see()
    const every = Math.max(usual, Math.round(sight.took / SHARE))
    const before = performance.now()
    // The time that others have spent is waited for too.
    if (!this.#isClosed && !this.#isStale) this.#tell(sight, every + (late > usual ? Math.round(late) : 0))
    this.#budget.spend(sight.took + performance.now() - before)
    return every
  }

  /** Opens the view, unless what is looked at already can be turned to it. */
  async #open(): Promise<void> {
    if (this.#outlook !== undefined) {
      if (!this.#isStale) return
      this.#isStale = false
      if (await this.#outlook.turn(this.#view)) return
      this.#outlook.close()
      this.#outlook = undefined
    }
    this.#isStale = false
    this.#outlook = await this.#lookout.open(this.#view)
  }

  #tell({ events, value }: Sight, every: number): void {
    if (events !== undefined && events.length > 0) {
      this.#viewer.tell({ type: 'events', id: this.#id, events, state: value as TraceState })
    }
    const text = JSON.stringify(value)
    if (text === this.#last) return
    this.#last = text
    this.#viewer.tell({ type: 'shown', id: this.#id, value: value as never, every })
  }

  /** Tells why there is nothing to see; the view is opened anew at the next look. */
  #fail(error: unknown): void {
    this.#outlook?.close()
    this.#outlook = undefined
    const text = error instanceof Error ? error.message : String(error)
    if (this.#isClosed || text === this.#last) return
    this.#last = text
    this.#viewer.tell({ type: 'failed', id: this.#id, text })
  }
}
