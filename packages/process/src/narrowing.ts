/** The types of a selective receive: which patterns are allowed, and what they narrow a message to. */

import type { P } from 'ts-pattern'
import type { MonitorTarget } from './exits/exit.js'
import type { Exit } from './exits/link.js'
import type { Down } from './exits/monitor.js'

declare const result: unique symbol

/** A pattern with a handler, as `self.on` makes it: the receive resolves to the handler's result. */
export interface On<R> {
  /** @internal The type of the result; there is no such property. */
  readonly [result]: R
}

/** What the type checker shows where a pattern names a tag or a field that no message has. */
export interface NoMessageMatches<Pattern> {
  /** The pattern; there is no such property. */
  readonly 'no message of this process can match': Pattern
}

type IsPlain<Q> = Q extends { readonly [_ in P.matcher]: unknown } ? false : Q extends object ? true : false

/** The messages that have all of the pattern's fields. */
type WithFields<M, Q> = M extends unknown ? (keyof Q extends keyof M ? M : never) : never

/** The fields for which a pattern names something that ends, and which may be typed as any such thing. */
type Pins<Q> =
  IsPlain<Q> extends true ? { [K in keyof Q]-?: Q[K] extends MonitorTarget ? K : never }[keyof Q] : never

/** The messages that have the pinned fields, which hold what was pinned. */
type Pinned<N, Pin> = N extends unknown
  ? keyof Pin extends keyof N
    ? { [K in keyof N]: K extends keyof Pin ? Held<N[K], Pin[K]> : N[K] }
    : never
  : never

/** What a field of type `Field` holds where it is the value that was pinned. */
type Held<Field, Pin> = [Field] extends [Pin] ? Field : [Pin] extends [Field] ? Pin : Field & Pin

/** The messages of `M` that match the pattern `Q`, their fields narrowed by it. */
export type Narrowed<M, Q> = unknown extends M ? NarrowedUnknown<Q> : NarrowedKnown<M, Q>

type NarrowedKnown<M, Q> = [Pins<Q>] extends [never]
  ? P.narrow<M, Q>
  : Pinned<P.narrow<M, Omit<Q, Pins<Q>>>, Pick<Q, Pins<Q>>>

/** Of what a process that expects anything may get, the fields of DOWN and EXIT are known. */
type NarrowedUnknown<Q> = Q extends { readonly type: 'DOWN' | 'EXIT' }
  ? NarrowedKnown<Down | Exit, Q>
  : P.narrow<unknown, Q>

/** What the type checker shows where patterns in a variable have lost their types: `{ type: string }[]`. */
export interface PatternsAreNotConst {
  /** How to keep it; there is no such property. */
  readonly 'patterns in a variable need `as const`': never
}

/** What the type checker shows where patterns are not in a list. */
export interface PatternsAreNoList {
  /** How to write them; there is no such property. */
  readonly 'patterns need brackets: [pattern]': never
}

/** An array that may be changed, as one is that was not made `as const`; no literal argument is one. */
interface Changeable {
  push(...items: never[]): number
}

/** A pattern that is in no list. */
interface Bare {
  readonly type: unknown
}

/** What `receive` takes as patterns, so far that `CheckedList` can say what is wrong. */
export type PatternList<M> = readonly PatternOrOn<M>[] | Changeable | Bare | On<unknown>

/** `Ps`, if it is a list of patterns that messages can match. */
export type CheckedList<M, Ps> = Ps extends readonly PatternOrOn<M>[]
  ? { readonly [K in keyof Ps]: Checked<M, Ps[K]> }
  : Ps extends readonly unknown[]
    ? PatternsAreNotConst
    : PatternsAreNoList

/** `Q`, if a message can match it. */
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
 * An element of the list that `receive` takes: a pattern, or a pattern with its handler, which `on` makes.
 *
 * | pattern | matches |
 * | --- | --- |
 * | a literal, or any object that is not plain | that value, by identity |
 * | a plain object | an object whose fields match those named; `undefined` asks for a field that is absent |
 * | an array | an array of equal length whose elements match |
 * | `P.…` | what ts-pattern says, whose `P` this package exports; a guard is `P.when(guard)` |
 */
export type PatternOrOn<M> = P.Pattern<M> | TargetPattern | On<unknown>

/** DOWN and EXIT by what ended: ts-pattern would look into an xstate actor, whose types are no patterns. */
type TargetPattern =
  | (Omit<P.Pattern<Down>, 'pid'> & { readonly pid: MonitorTarget })
  | (Omit<P.Pattern<Exit>, 'from'> & { readonly from: MonitorTarget })

/** What a receive with the patterns `Ps` resolves to. */
export type Received<M, Ps> = Ps extends readonly unknown[]
  ? { [K in keyof Ps]: Ps[K] extends On<infer R> ? Awaited<R> : Narrowed<M, Ps[K]> }[number]
  : never
