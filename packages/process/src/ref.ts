/** A reference is equal to nothing but itself, and prints readably. */

import { P } from 'ts-pattern'
import { makePortable } from './portable.js'

let last = 0

/** The method by which ts-pattern compares an object by identity. */
export function matchIdentity(this: object): { match(value: unknown): { matched: boolean } } {
  return { match: value => ({ matched: value === this }) }
}

/**
 * Has the instances of a class compared by identity also inside `P.union`, `P.not` and their like, where ts-pattern would
 * compare the own fields of any object.
 *
 * @param constructor The class.
 */
export function compareByIdentity({ prototype }: { readonly prototype: object }): void {
  Object.defineProperty(prototype, P.matcher, { value: matchIdentity })
}

/** Whether an object is a handle with a print of its own, such as a ref, a process or a connection. */
export function isHandle(value: object): boolean {
  const match: unknown = (value as Partial<Record<P.matcher, unknown>>)[P.matcher]
  return match === matchIdentity && value.toString !== Object.prototype.toString
}

/** Gives the number of a reference. */
export let refNumberOf: (ref: Ref) => number

/** A unique value, as Erlang's `make_ref/0` gives. Compare refs with `===`, or use them as keys of a `Map`. */
export class Ref {
  /** @internal Tells refs apart in a test of deep equality, which compares own properties, whatever the class. */
  protected readonly ref: number = ++last

  static {
    refNumberOf = ref => ref.ref
  }

  /** `#Ref<12>`; unique within this program. */
  get id(): string {
    return `#Ref<${this.ref}>`
  }

  /** Gives the id. */
  toString(): string {
    return this.id
  }

  /** Gives the id. */
  toJSON(): string {
    return this.id
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}

compareByIdentity(Ref)
makePortable(Ref, { name: 'Ref', numberOf: refNumberOf })

/** The timer that runs behind a `TimerRef`. */
export interface RunningTimer {
  /** The milliseconds until the timer fires. */
  readonly left: number
  /** Stops the timer. */
  stop(): void
}

/** Gives the timer that runs behind `ref`; `undefined` once it has fired or was stopped. */
export let runningTimer: (ref: TimerRef) => RunningTimer | undefined

/** Sets the timer that runs behind `ref`. */
export let setRunningTimer: (ref: TimerRef, timer: RunningTimer | undefined) => void

/** Names one timer of `sendAfter` or `startTimer`. */
export class TimerRef extends Ref {
  #running: RunningTimer | undefined

  static {
    runningTimer = ref => ref.#running
    setRunningTimer = (ref, timer) => {
      ref.#running = timer
    }
  }

  /** `#TimerRef<12>`; unique within this program. */
  override get id(): string {
    return `#TimerRef<${this.ref}>`
  }
}

/** Makes a new reference. Source: `erlang:make_ref/0`. */
export function makeRef(): Ref {
  return new Ref()
}

/**
 * Whether messages are listed by this value: an object with an identity, such as a ref, a process or a connection, rather
 * than data, such as a plain object, an array or bytes.
 */
export function isReference(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || isPlain(value)) return false
  return !Array.isArray(value) && !ArrayBuffer.isView(value)
}

/** Whether an object is plain, as a literal is: as a pattern it is compared field by field, and not by identity. */
export function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
