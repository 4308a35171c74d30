/** The types of a selective receive say which patterns are allowed, and to which type each narrows a message. */

import type { P } from 'ts-pattern'
import type { MonitorTarget } from './exits/exit.js'
import type { Exit } from './exits/link.js'
import type { Down } from './exits/monitor.js'

declare const result: unique symbol

/** A pattern with a handler, as `self.on` makes it: a receive resolves to the result of the handler. */
export interface On<R> {
  /** @internal Holds the type of the result; there is no such property at run time. */
  readonly [result]: R
}

/** The type that a type checker shows for a pattern with a tag or a field that no message has. */
export interface NoMessageMatches<Pattern> {
  /** Holds the pattern; there is no such property at run time. */
  readonly 'no message of this process can match': Pattern
}

type IsPlain<Q> = Q extends { readonly [_ in P.matcher]: unknown } ? false : Q extends object ? true : false

/** The messages that have all of the pattern's fields. */
type WithFields<M, Q> = M extends unknown ? (keyof Q extends keyof M ? M : never) : never

/** The fields that a pattern pins to something that ends. A message may type such a field as any `MonitorTarget`. */
type Pins<Q> =
  IsPlain<Q> extends true ? { [K in keyof Q]-?: Q[K] extends MonitorTarget ? K : never }[keyof Q] : never

/** The messages that have the pinned fields, each of the type that was pinned. */
type Pinned<N, Pin> = N extends unknown
  ? keyof Pin extends keyof N
    ? { [K in keyof N]: K extends keyof Pin ? Held<N[K], Pin[K]> : N[K] }
    : never
  : never

/** The type of a field of type `Field` that is known to hold a value of type `Pin`. */
type Held<Field, Pin> = [Field] extends [Pin] ? Field : [Pin] extends [Field] ? Pin : Field & Pin

/** The messages of `M` that match the pattern `Q`, their fields narrowed by it. */
export type Narrowed<M, Q> = unknown extends M ? NarrowedUnknown<Q> : NarrowedKnown<M, Q>

type NarrowedKnown<M, Q> = [Pins<Q>] extends [never]
  ? P.narrow<M, Q>
  : Pinned<P.narrow<M, Omit<Q, Pins<Q>>>, Pick<Q, Pins<Q>>>

/** Narrows a message of unknown type: only the fields of DOWN and EXIT are known. */
type NarrowedUnknown<Q> = Q extends { readonly type: 'DOWN' | 'EXIT' }
  ? NarrowedKnown<Down | Exit, Q>
  : P.narrow<unknown, Q>

/** The type that a type checker shows for patterns in a variable that have lost their types, as `{ type: string }[]` has. */
export interface PatternsAreNotConst {
  /** Says how to keep the types; there is no such property at run time. */
  readonly 'patterns in a variable need `as const`': never
}

/** The type that a type checker shows for patterns that are not in a list. */
export interface PatternsAreNoList {
  /** Says how to write the patterns; there is no such property at run time. */
  readonly 'patterns need brackets: [pattern]': never
}

/** A mutable array, as one in a variable is without `as const`. A literal argument is never one. */
interface Changeable {
  push(...items: never[]): number
}

/** A pattern outside a list. */
interface Bare {
  readonly type: unknown
}

/** The argument of `receive`, wide enough for `CheckedList` to say what is wrong with it. */
export type PatternList<M> = readonly PatternOrOn<M>[] | Changeable | Bare | On<unknown>

/** `Ps` if it is a list of patterns that messages can match; otherwise a type that says what is wrong. */
export type CheckedList<M, Ps> = Ps extends readonly PatternOrOn<M>[]
  ? { readonly [K in keyof Ps]: Checked<M, Ps[K]> }
  : Ps extends readonly unknown[]
    ? PatternsAreNotConst
    : PatternsAreNoList

/** `Q` if a message can match it; otherwise a type that says what is wrong. */
export type Checked<M, Q> = [P.Pattern<M>] extends [Q] ? Q : CheckedEach<M, Q>

type CheckedEach<M, Q> =
  Q extends On<unknown>
    ? Q
    : IsPlain<Q> extends true
      ? unknown extends M
        ? Q
        : [Narrowed<WithFields<M, Q>, Q>] extends [never]
          ? NoMessageMatches<Q>
          : Q
      : Q

/**
 * An element of the list that `receive` takes: a pattern, or a pattern with a handler, as `on` makes it.
 *
 * | pattern | matches |
 * | --- | --- |
 * | a literal, or any object that is not plain | that value, by identity |
 * | a plain object | an object whose fields match those named; `undefined` asks for a field that is absent |
 * | an array | an array of equal length whose elements match |
 * | `P.…` | the values that ts-pattern says; this package exports its `P`, and a guard is `P.when(guard)` |
 */
export type PatternOrOn<M> = P.Pattern<M> | TargetPattern | On<unknown>

/** A pattern for DOWN or EXIT that pins the target. ts-pattern would look into the fields of an xstate actor. */
type TargetPattern =
  | (Omit<P.Pattern<Down>, 'pid'> & { readonly pid: MonitorTarget })
  | (Omit<P.Pattern<Exit>, 'from'> & { readonly from: MonitorTarget })

/** The type to which a receive with the patterns `Ps` resolves. */
export type Received<M, Ps> = Ps extends readonly unknown[]
  ? { [K in keyof Ps]: Ps[K] extends On<infer R> ? Awaited<R> : Narrowed<M, Ps[K]> }[number]
  : never
