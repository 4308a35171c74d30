/**
 * Patterns: the pattern decides the kind of comparison, not the value.
 *
 * | pattern | matches |
 * | --- | --- |
 * | a literal, or any object that is not plain | that value, by identity |
 * | a plain object | an object whose fields match those named; `undefined` asks for a field that is absent |
 * | an array | an array of equal length whose elements match |
 * | `P.…` | what ts-pattern says |
 */

import { isMatching, P } from 'ts-pattern'
import { isPlain, matchIdentity } from './ref.js'

export { P }

type Test = (value: unknown) => boolean

/** How a field is compared: by identity, by identity with a reference, by a test, or by one that asks for the field. */
const IDENTITY = 0
const PIN = 1
const TEST = 2
const PRESENT = 3

const variadic = Symbol.for('@ts-pattern/isVariadic')

interface Matcher {
  [P.matcher](): { readonly matcherType?: string }
}

function isMatcher(pattern: object): pattern is Matcher {
  return P.matcher in pattern && pattern[P.matcher] !== matchIdentity
}

function hasFields(value: unknown): value is Record<string, unknown> {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

/** A field of a pattern: how it is compared, and with what. Fields are a list, since most patterns have one or two. */
export class Field {
  readonly name: string | number
  readonly kind: number
  /** The value, or the test, that the kind asks for. */
  readonly wanted: unknown
  next: Field | undefined = undefined

  constructor(name: string | number, pattern: unknown) {
    this.name = name
    if (isIdentity(pattern)) {
      const isPin = typeof pattern === 'object' && pattern !== null && !ArrayBuffer.isView(pattern)
      this.kind = isPin ? PIN : IDENTITY
      this.wanted = pattern
    } else {
      this.kind = needsPresence(pattern) ? PRESENT : TEST
      this.wanted = compile(pattern)
    }
  }

  /** The reference that the field must be, so that a message can be found by it. */
  get pin(): object | undefined {
    return this.kind === PIN ? (this.wanted as object) : undefined
  }
}

/** What is made of a message in place of the message itself. */
export type Handle = (message: never) => unknown

/**
 * A pattern, ready to be tried, and the handler that goes with it. Made anew for each receive, so that a pattern may
 * be changed between two.
 */
export class Clause {
  readonly handle: Handle | undefined
  /** The fields of a plain object's or an array's pattern, in its order: a guard may rely on the tag before it. */
  readonly fields: Field | undefined
  /** The length that an array's pattern asks for. */
  private readonly length: number | undefined
  /** Set where the pattern is neither a plain object nor an array of so many elements. */
  private readonly whole: Test | undefined

  constructor(pattern: unknown, handle?: Handle) {
    this.handle = handle
    const isObject = typeof pattern === 'object' && pattern !== null
    if (isObject && isPlain(pattern) && !isMatcher(pattern)) {
      this.fields = fieldsOf(pattern)
      this.length = undefined
      this.whole = undefined
    } else if (Array.isArray(pattern) && !pattern.some(isVariadic)) {
      this.fields = elementsOf(pattern)
      this.length = pattern.length
      this.whole = undefined
    } else {
      this.fields = undefined
      this.length = undefined
      this.whole = compile(pattern)
    }
  }

  /** Whether it consists of literals alone, so that it can be kept: it holds nobody alive and hides no change. */
  get isLiteral(): boolean {
    if (this.handle !== undefined || this.whole !== undefined || this.length !== undefined) return false
    for (let field = this.fields; field !== undefined; field = field.next) {
      if (field.kind !== IDENTITY) return false
    }
    return true
  }

  /** Whether `pattern` would be compiled to this clause, a literal one, again. */
  isStill(pattern: object): boolean {
    let field = this.fields
    for (const name in pattern) {
      if (field === undefined || field.name !== name) return false
      if (field.wanted !== (pattern as Record<string, unknown>)[name]) return false
      field = field.next
    }
    return field === undefined
  }

  /** Whether `message` matches. A guard of the pattern's author may throw. */
  matches(message: unknown): boolean {
    if (this.whole !== undefined) return this.whole(message)
    if (!hasFields(message)) return false
    if (this.length !== undefined && !(Array.isArray(message) && message.length === this.length)) return false
    for (let field = this.fields; field !== undefined; field = field.next) {
      const value = message[field.name]
      if (field.kind <= PIN) {
        if (value !== field.wanted) return false
      } else {
        if (field.kind === PRESENT && value === undefined && !(field.name in message)) return false
        if (!(field.wanted as Test)(value)) return false
      }
    }
    return true
  }
}

function fieldsOf(pattern: object): Field | undefined {
  let first: Field | undefined
  let last: Field | undefined
  for (const name in pattern) {
    const field = new Field(name, (pattern as Record<string, unknown>)[name])
    if (last === undefined) first = field
    else last.next = field
    last = field
  }
  return first
}

function elementsOf(pattern: readonly unknown[]): Field | undefined {
  let first: Field | undefined
  for (let i = pattern.length - 1; i >= 0; i--) {
    const field = new Field(i, pattern[i])
    field.next = first
    first = field
  }
  return first
}

function isIdentity(pattern: unknown): boolean {
  if (typeof pattern !== 'object' || pattern === null) return !Number.isNaN(pattern)
  return !isPlain(pattern) && !Array.isArray(pattern) && !isMatcher(pattern)
}

/** As in ts-pattern: `{ a: P._ }` wants an `a`, and only `P.optional` does without. */
function needsPresence(pattern: unknown): boolean {
  return hasFields(pattern) && isMatcher(pattern) && pattern[P.matcher]().matcherType !== 'optional'
}

function compile(pattern: unknown): Test {
  if (isIdentity(pattern)) return value => value === pattern
  if (typeof pattern !== 'object' || pattern === null) return value => Number.isNaN(value)
  if (isMatcher(pattern)) return isMatching(pattern as P.Pattern<unknown>)
  if (Array.isArray(pattern) && pattern.some(isVariadic)) return compileVariadic(pattern)
  const compiled = new Clause(pattern)
  return value => compiled.matches(value)
}

function isVariadic(element: unknown): boolean {
  return hasFields(element) && variadic in element
}

/** Not left to ts-pattern, which would compare the elements before and after by its own rules. */
function compileVariadic(pattern: readonly unknown[]): Test {
  const at = pattern.findIndex(isVariadic)
  const start = pattern.slice(0, at).map(compile)
  const middle = isMatching(pattern[at] as P.Pattern<unknown>)
  if (pattern.slice(at + 1).some(isVariadic)) {
    throw new TypeError('patterns: an array may hold ...P.array(...) only once')
  }
  const end = pattern.slice(at + 1).map(compile)
  return value => {
    if (!Array.isArray(value) || value.length < start.length + end.length) return false
    const endsAt = value.length - end.length
    return (
      start.every((test, i) => test(value[i])) &&
      end.every((test, i) => test(value[endsAt + i])) &&
      middle(value.slice(start.length, endsAt))
    )
  }
}
