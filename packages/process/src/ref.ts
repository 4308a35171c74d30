/** References: values that are equal to nothing but themselves, and that print readably. */

import { P } from 'ts-pattern'

let last = 0

/** What ts-pattern calls for an object that is compared by identity. */
export function matchIdentity(this: object): { match(value: unknown): { matched: boolean } } {
  return { match: value => ({ matched: value === this }) }
}

/**
 * Has the instances of a class compared by identity inside `P.union`, `P.not` and their like as well: there
 * ts-pattern decides, and it compares the own fields of any object, which a handle may not even have.
 */
export function compareByIdentity({ prototype }: { readonly prototype: object }): void {
  Object.defineProperty(prototype, P.matcher, { value: matchIdentity })
}

/** Whether an object is a handle that says itself how it prints: a ref, a process, a connection. */
export function isHandle(value: object): boolean {
  const match: unknown = (value as Partial<Record<P.matcher, unknown>>)[P.matcher]
  return match === matchIdentity && value.toString !== Object.prototype.toString
}

/** A unique value, as Erlang's `make_ref/0` gives. Compare it with `===`; use it as a key in a `Map`. */
export class Ref {
  /** @internal Deep equality looks at such properties alone, whatever the class: no other handle has one of this name. */
  protected readonly ref: number = ++last

  /** `#Ref<12>`; unique within this program. */
  get id(): string {
    return `#Ref<${this.ref}>`
  }

  /** As `id`. */
  toString(): string {
    return this.id
  }

  /** As `id`. */
  toJSON(): string {
    return this.id
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}

compareByIdentity(Ref)

/** Names one call of `sendAfter`. */
export class TimerRef extends Ref {
  declare private readonly kind: 'timer'

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
 * Whether messages are found by this value: an object that stands for itself (a ref, a process, a connection),
 * not data (a plain object, an array, bytes).
 */
export function isReference(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || isPlain(value)) return false
  return !Array.isArray(value) && !ArrayBuffer.isView(value)
}

/** Whether an object is an object literal: its pattern is compared field by field, anything else by identity. */
export function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
