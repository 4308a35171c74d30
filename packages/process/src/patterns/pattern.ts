/**
 * The pattern decides how values are compared, and not the value.
 *
 * | pattern | matches |
 * | --- | --- |
 * | a literal, or any object that is not plain | that value, by identity |
 * | a plain object | an object whose fields match those named; `undefined` asks for a field that is absent |
 * | an array | an array of equal length whose elements match |
 * | `P.…` | the values that ts-pattern says |
 * | a function | none: it throws, since a guard is `P.when(guard)` |
 * | a regular expression | none: it throws, since text is matched by `P.string.regex(expression)` |
 */

import { isMatching, P } from 'ts-pattern'
import { isPlain, matchIdentity } from '../ref.js'

export { P }

/** Says whether a value matches. */
export type Test = (value: unknown) => boolean

// The kinds of fields, in an order in which one comparison tells those that are compared by identity from the others.
/** The field must be this primitive. */
const LITERAL = 0
/** The field must be this object, by which no message is listed. */
const IDENTITY = 1
/** The field must be this reference, by which messages are listed. */
const PIN = 2
/** The field must pass a test; an absent field is tested as `undefined`. */
const TEST = 3
/** The field must be there, and pass a test. */
const PRESENT = 4

const variadic = Symbol.for('@ts-pattern/isVariadic')

const matcher: typeof P.matcher = P.matcher

/** The test of `P._`, which is known, so that its clause needs no call of ts-pattern, and can be used again. */
const anything: Test = () => true

interface Matcher {
  [matcher](): { readonly matcherType?: string }
}

/** Whether `pattern` is one of ts-pattern's matchers. */
export function isMatcher(pattern: object): pattern is Matcher {
  const match: unknown = (pattern as Partial<Matcher>)[matcher]
  return match !== undefined && match !== matchIdentity
}

function hasFields(value: unknown): value is Record<string, unknown> {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

/** Whether `pattern` is compared field by field. */
function isFieldwise(pattern: unknown): pattern is Record<string, unknown> {
  return typeof pattern === 'object' && pattern !== null && isPlain(pattern) && !isMatcher(pattern)
}

/** One field of a pattern. The fields are a linked list, since most patterns have one or two. */
export class Field {
  readonly name: string | number
  readonly kind: number
  /** The value or the test, as the kind says. */
  readonly wanted: unknown
  next: Field | undefined = undefined

  constructor(name: string | number, pattern: unknown) {
    checkPattern(pattern, `'${name}' is`)
    const kind = kindOf(pattern)
    this.name = name
    this.kind = kind
    this.wanted = kind <= PIN ? pattern : compile(pattern)
  }

  /** The reference that the field must be; `undefined` for a field of another kind. */
  get pin(): object | undefined {
    return this.kind === PIN ? (this.wanted as object) : undefined
  }
}

/** Makes the result of a receive from its message. */
export type Handle = (message: never) => unknown

/** A compiled pattern, with its handler. */
export class Clause {
  /** Keeps an instance alive, as V8 forgets a class without any at a full collection, with the code made for it. */
  static readonly kept = new Clause({ type: 'kept' })

  /** The pattern as it was given, for errors. */
  readonly pattern: unknown
  readonly handle: Handle | undefined
  /** The fields, if the pattern is a plain object or an array. */
  fields: Field | undefined = undefined
  /** Whether a field pins a reference, so that matching messages are found without a look at the others. */
  isPinned = false
  private last: Field | undefined = undefined
  /** The highest kind among the fields. */
  private kind = LITERAL
  /** The first field, if that is a `type` with a primitive. */
  private tag: Field | undefined = undefined
  /** The length that an array must have. */
  private readonly length: number | undefined
  /** The test of the whole message, if the pattern is neither a plain object nor an array of fixed length. */
  private readonly whole: Test | undefined

  constructor(pattern: unknown, handle?: Handle) {
    this.pattern = pattern
    this.handle = handle
    if (isFieldwise(pattern)) {
      this.length = undefined
      this.whole = undefined
      for (const name in pattern) this.add(new Field(name, pattern[name]))
    } else if (Array.isArray(pattern) && !pattern.some(isVariadic)) {
      this.length = pattern.length
      this.whole = undefined
      for (let i = 0; i < pattern.length; i++) this.add(new Field(i, pattern[i]))
    } else {
      this.length = undefined
      this.whole = compile(pattern)
    }
  }

  /**
   * Whether the clause matches anything, or only compares fields of an object by identity, so that `isMadeFrom` can recognize its
   * pattern.
   */
  get isFixed(): boolean {
    const isPlainest = this.whole === undefined || this.whole === anything
    return this.kind <= PIN && isPlainest && this.length === undefined && this.handle === undefined
  }

  /** Whether this clause, a fixed one, names no object but `P._`. */
  get isLiteral(): boolean {
    return this.kind === LITERAL
  }

  /** Whether `pattern` would be compiled to an equal of this clause, a fixed one. */
  isMadeFrom(pattern: unknown): boolean {
    if (this.whole !== undefined) return pattern === this.pattern
    if (!isFieldwise(pattern)) return false
    let { fields: field } = this
    for (const name in pattern) {
      if (field === undefined || field.name !== name || field.wanted !== pattern[name]) return false
      field = field.next
    }
    return field === undefined
  }

  /** Whether `message` matches. A guard may throw. */
  matches(message: unknown): boolean {
    if (this.whole !== undefined) return this.whole(message)
    if (!hasFields(message)) return false
    // V8 reads a field faster if the code names it, and most patterns begin with `type`.
    if (this.tag !== undefined && message.type !== this.tag.wanted) return false
    if (this.length !== undefined && !(Array.isArray(message) && message.length === this.length)) return false
    for (let field = this.fields; field !== undefined; field = field.next) {
      if (field === this.tag) continue
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

  /** Keeps the order of the pattern, since a guard may rely on the tag before it, but puts references before all guards. */
  private add(field: Field): void {
    if (field.kind === PIN) this.isPinned = true
    if (field.kind === PIN && this.kind > PIN) {
      field.next = this.fields
      this.fields = field
      return
    }
    if (this.last === undefined && field.name === 'type' && field.kind === LITERAL) this.tag = field
    if (this.last === undefined) this.fields = field
    else this.last.next = field
    this.last = field
    if (field.kind > this.kind) this.kind = field.kind
  }
}

/** Throws for patterns that would be compared by identity, and so match nothing without a word. */
function checkPattern(pattern: unknown, subject: string): void {
  if (typeof pattern === 'function') {
    throw new TypeError(
      `patterns: ${subject} a function, which is no pattern: write P.when(guard) for a guard`,
    )
  }
  if (pattern instanceof RegExp) {
    const advice = `write P.string.regex(${pattern})`
    throw new TypeError(`patterns: ${subject} a regular expression, which is no pattern: ${advice}`)
  }
}

function kindOf(pattern: unknown): number {
  if (typeof pattern !== 'object' || pattern === null) return Number.isNaN(pattern) ? TEST : LITERAL
  if (isMatcher(pattern)) return needsPresence(pattern) ? PRESENT : TEST
  if (isPlain(pattern) || Array.isArray(pattern)) return TEST
  return ArrayBuffer.isView(pattern) ? IDENTITY : PIN
}

/** Whether an absent field fails, as in ts-pattern: `{ a: P._ }` needs an `a`, which only `P.optional` does not. */
function needsPresence(pattern: Matcher): boolean {
  return pattern[matcher]().matcherType !== 'optional'
}

/** Gives the test that a pattern stands for, also outside of a receive. Throws a TypeError for what is no pattern. */
export function compile(pattern: unknown): Test {
  checkPattern(pattern, 'there is')
  if (pattern === P._) return anything
  if (kindOf(pattern) <= PIN) return value => value === pattern
  if (typeof pattern !== 'object' || pattern === null) return value => Number.isNaN(value)
  if (isMatcher(pattern)) return isMatching(pattern as P.Pattern<unknown>)
  if (Array.isArray(pattern) && pattern.some(isVariadic)) return compileVariadic(pattern)
  const compiled = new Clause(pattern)
  return value => compiled.matches(value)
}

function isVariadic(element: unknown): boolean {
  return hasFields(element) && variadic in element
}

/** Compares the elements before and after the variadic one by the rules of this file, where ts-pattern has its own. */
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
