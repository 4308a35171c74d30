/**
 * Each step of a connection runs to its end: a step is one value of an engine, one event of the machine or one command, and
 * what callers ask for within it is done before the next.
 */

/** How many steps that were done are kept at most, unless more than that wait. */
const MOST_DONE = 1024

/** Does the steps. */
export interface Stepper<Step> {
  /** Does a step. Never throws. */
  perform(step: Step): void
}

export class Steps<Step> {
  readonly #stepper: Stepper<Step>
  /** What was asked for within the step that is under way. */
  #due: Step[] = []
  /** How many of these were done. */
  #done = 0
  #isBusy = false
  /** Called behind each step, and all that it has brought about, once nothing is under way. */
  onIdle: (() => void) | undefined

  constructor(stepper: Stepper<Step>) {
    this.#stepper = stepper
  }

  /** Whether a step is under way. */
  get isBusy(): boolean {
    return this.#isBusy
  }

  /** Does a step: at once, or behind the one that is under way. */
  add(step: Step): void {
    if (this.#isBusy) {
      this.#due.push(step)
      return
    }
    this.#isBusy = true
    this.#stepper.perform(step)
    this.end(true)
  }

  /** Begins to read, or a step that is not queued. Gives whether nothing was under way, so that `end` has to follow. */
  begin(): boolean {
    if (this.#isBusy) return false
    this.#isBusy = true
    return true
  }

  /** Does what was asked for within the step that has just ended. To be called between two values of an engine. */
  settle(): void {
    if (this.#due.length > 0) this.#settle()
  }

  /** Ends a value, or, `isOutermost` as `begin` has given it, what `begin` began. */
  end(isOutermost: boolean): void {
    if (this.#due.length > 0) this.#settle()
    if (!isOutermost) return
    this.#isBusy = false
    this.onIdle?.()
  }

  /** Comes here again from within a step that reads on, such as one that lifts a hold: it settles behind each value as well. */
  #settle(): void {
    for (let step = this.#shift(); step !== undefined; step = this.#shift()) this.#stepper.perform(step)
  }

  /** Takes the oldest step. To shift the array would move all others, which takes seconds for 100,000 of them. */
  #shift(): Step | undefined {
    const step = this.#due[this.#done++]
    if (this.#done >= this.#due.length) {
      this.#due = []
      this.#done = 0
    } else if (this.#done >= MOST_DONE && this.#done * 2 > this.#due.length) {
      this.#due = this.#due.slice(this.#done)
      this.#done = 0
    }
    return step
  }
}
