/** The types of a selective receive: which patterns are allowed, and what they narrow a message to. */

import type { P } from 'ts-pattern'
import type { Exit } from './link.js'
import type { Down } from './monitor.js'

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

/** The messages of `M` that match the pattern `Q`, their fields narrowed by it. */
export type Narrowed<M, Q> = unknown extends M ? NarrowedUnknown<Q> : P.narrow<M, Q>

/** Of what a process that expects anything may get, the fields of DOWN and EXIT are known. */
type NarrowedUnknown<Q> = Q extends { readonly type: 'DOWN' | 'EXIT' }
  ? P.narrow<Down | Exit, Q>
  : P.narrow<unknown, Q>

/** `Q`, if a message can match it. */
export type Checked<M, Q> =
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
 * | `P.…` | what ts-pattern says, whose `P` this package exports |
 */
export type PatternOrOn<M> = P.Pattern<M> | On<unknown>

/** What a receive with the patterns `Ps` resolves to. */
export type Received<M, Ps extends readonly unknown[]> = {
  [K in keyof Ps]: Ps[K] extends On<infer R> ? Awaited<R> : Narrowed<M, Ps[K]>
}[number]
