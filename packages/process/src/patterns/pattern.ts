/**
 * Patterns: the pattern decides the kind of comparison, not the value.
 *
 * | pattern | matches |
 * | --- | --- |
 * | a literal, or any object that is not plain | that value, by identity |
 * | a plain object | an object whose fields match those named; `undefined` asks for a field that is absent |
 * | an array | an array of equal length whose elements match |
 * | `P.…` | what ts-pattern says |
 * | a function | none: it throws, since a guard is `P.when(guard)` |
 * | a regular expression | none: it throws, since text is matched by `P.string.regex(expression)` |
 */

import { isMatching, P } from 'ts-pattern'
import { isPlain, matchIdentity } from '../ref.js'

export { P }

type Test = (value: unknown) => boolean

/**
 * How a field is compared: with a primitive, by identity with a value or with a reference, by a test, or by one that
 * asks for the field. In this order, so that one comparison tells the first three from the others.
 */
const LITERAL = 0
const IDENTITY = 1
const PIN = 2
const TEST = 3
const PRESENT = 4

const variadic = Symbol.for('@ts-pattern/isVariadic')

const matcher: typeof P.matcher = P.matcher

interface Matcher {
  [matcher](): { readonly matcherType?: string }
}

/** Whether it is one of ts-pattern's, which tests by itself. */
export function isMatcher(pattern: object): pattern is Matcher {
  const match: unknown = (pattern as Partial<Matcher>)[matcher]
  return match !== undefined && match !== matchIdentity
}

function hasFields(value: unknown): value is Record<string, unknown> {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

/** Whether a pattern is compared field by field. */
function isFieldwise(pattern: unknown): pattern is Record<string, unknown> {
  return typeof pattern === 'object' && pattern !== null && isPlain(pattern) && !isMatcher(pattern)
}

/** A field of a pattern: how it is compared, and with what. Fields are a list, since most patterns have one or two. */
export class Field {
  readonly name: string | number
  readonly kind: number
  /** The value, or the test, that the kind asks for. */
  readonly wanted: unknown
  next: Field | undefined = undefined

  constructor(name: string | number, pattern: unknown) {
    checkPattern(pattern, `'${name}' is`)
    const kind = kindOf(pattern)
    this.name = name
    this.kind = kind
    this.wanted = kind <= PIN ? pattern : compile(pattern)
  }

  /** The reference that the field must be, so that a message can be found by it. */
  get pin(): object | undefined {
    return this.kind === PIN ? (this.wanted as object) : undefined
  }
}

/** What is made of a message in place of the message itself. */
export type Handle = (message: never) => unknown

/** A pattern, ready to be tried, and the handler that goes with it. */
export class Clause {
  /** Keeps V8 from forgetting the shapes of clauses and fields, as `Envelope.kept` does. */
  static readonly kept = new Clause({ type: 'kept' })

  /** What it was made from: for prints. */
  readonly pattern: unknown
  readonly handle: Handle | undefined
  /** The fields of a plain object's or an array's pattern. */
  fields: Field | undefined = undefined
  /** Whether it pins a reference, so that its messages can be found without looking at the others. */
  isPinned = false
  private last: Field | undefined = undefined
  /** The kind of its fields that comes last. */
  private kind = LITERAL
  /** Its first field, if that is `type`, a primitive. */
  private tag: Field | undefined = undefined
  /** The length that an array's pattern asks for. */
  private readonly length: number | undefined
  /** Set where the pattern is neither a plain object nor an array of so many elements. */
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

  /** Whether it compares the fields of an object by identity and does nothing else, so that `isMadeFrom` can tell. */
  get isFixed(): boolean {
    return (
      this.kind <= PIN && this.whole === undefined && this.length === undefined && this.handle === undefined
    )
  }

  /** Whether it, a fixed one, names nothing but primitives. */
  get isLiteral(): boolean {
    return this.kind === LITERAL
  }

  /** Whether `pattern` would be compiled to this clause, a fixed one, again. */
  isMadeFrom(pattern: unknown): boolean {
    if (!isFieldwise(pattern)) return false
    let { fields: field } = this
    for (const name in pattern) {
      if (field === undefined || field.name !== name || field.wanted !== pattern[name]) return false
      field = field.next
    }
    return field === undefined
  }

  /** Whether `message` matches. A guard of the pattern's author may throw. */
  matches(message: unknown): boolean {
    if (this.whole !== undefined) return this.whole(message)
    if (!hasFields(message)) return false
    // V8 finds a field sooner whose name is in the code, and most patterns begin with this one.
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

  /** In the pattern's order, as a guard may rely on the tag before it; but a reference comes before any guard. */
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

/** What would be compared by identity, and so match nothing and say nothing of it, throws. */
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

/** As in ts-pattern: `{ a: P._ }` wants an `a`, and only `P.optional` does without. */
function needsPresence(pattern: Matcher): boolean {
  return pattern[matcher]().matcherType !== 'optional'
}

function compile(pattern: unknown): Test {
  checkPattern(pattern, 'there is')
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
