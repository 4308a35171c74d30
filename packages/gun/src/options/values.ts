/** The kinds of values that options take, as schemas whose errors say what is allowed. */

import { isActorRef, onExit } from '@holster/process/internal'
import * as v from 'valibot'
import type { Owner, ReplyTo } from '../messages.js'
import { strictOptions } from './names.js'

/**
 * The longest time that a timer of Node can wait, in milliseconds; with a longer one it would fire at once.
 */
export const LONGEST = 2147483647
/** The largest limit, in bytes or fragments: ws keeps the limit of its inflater in 32 bits. */
export const LARGEST_LIMIT = 2147483647
/** The largest value of an HTTP/2 setting (RFC 9113 section 6.5.1). */
export const LARGEST_SETTING = 4294967295

/** Whether a timer can wait so many milliseconds, or the time is infinite. */
export const isDuration = (ms: number) => ms === Number.POSITIVE_INFINITY || (ms >= 0 && ms <= LONGEST)
export const duration = v.pipe(
  v.number('must be a number of milliseconds'),
  v.check(isDuration, `must be between 0 and ${LONGEST} ms, or Infinity`),
)
/** The interval of an action that repeats; with 0 it would repeat without pause. */
export const period = v.pipe(
  duration,
  v.check(ms => ms > 0, 'must be more than 0'),
)
export const finiteDuration = v.pipe(
  duration,
  v.check(ms => Number.isFinite(ms), 'must be finite'),
)
export const limit = v.pipe(
  v.number('must be a number'),
  v.check(
    n => n === Number.POSITIVE_INFINITY || (Number.isInteger(n) && n >= 1 && n <= LARGEST_LIMIT),
    `must be an integer between 1 and ${LARGEST_LIMIT}, or Infinity`,
  ),
)
export const count = v.pipe(
  v.number('must be a number'),
  v.check(
    n => n === Number.POSITIVE_INFINITY || (Number.isInteger(n) && n >= 0),
    'must be a whole number of at least 0',
  ),
)
export const positiveCount = v.pipe(
  count,
  v.check(n => n >= 1, 'must be at least 1'),
)
export const integerBetween = (least: number, most: number) =>
  v.pipe(
    v.number('must be a number'),
    v.check(
      n => Number.isInteger(n) && n >= least && n <= most,
      `must be an integer between ${least} and ${most}`,
    ),
  )
/** As `integerBetween`; `Infinity` means no limit. */
export const limitBetween = (least: number, most: number) =>
  v.pipe(
    v.number('must be a number'),
    v.check(
      n => n === Number.POSITIVE_INFINITY || (Number.isInteger(n) && n >= least && n <= most),
      `must be an integer between ${least} and ${most}, or Infinity`,
    ),
  )
export const flag = v.boolean('must be a boolean')
export const fun = v.function('must be a function')
export const isBag = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
export const isFunction = (value: object, name: string) =>
  name in value && typeof (value as Record<string, unknown>)[name] === 'function'
const bag = v.custom<object>(isBag, 'must be an object')
const canSend = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && 'send' in value && typeof value.send === 'function'
export const receiver = v.custom<ReplyTo>(
  value => typeof value === 'function' || canSend(value),
  'must be a process, an actor or a function',
)
export const owner = v.custom<Owner>(isOwner, 'must be a process or an xstate actor')

/**
 * Returns a schema for an object with known options only. Valibot alone would accept an array as an object.
 */
export function options<const T extends v.ObjectEntries>(entries: T, elsewhere?: readonly string[]) {
  return v.pipe(bag, strictOptions(entries, elsewhere))
}

/** Returns the names of the options of another object, with that object's name in front. */
export function namesIn(
  place: string,
  { pipe: [, { entries }] }: ReturnType<typeof options>,
): readonly string[] {
  return Object.keys(entries).map(name => `${place}.${name}`)
}

/** A schema that refuses an option and says why, so that no caller believes that the option has an effect. */
export const refused = (why: string) => v.optional(v.never(why))

/** Whether the value takes messages and has an end, as an owner must. */
export function isOwner(value: unknown): value is Owner {
  return canSend(value) && (onExit in value || isActorRef(value))
}
