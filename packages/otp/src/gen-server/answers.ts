/** A callback answers with a tuple, which says what becomes of the caller, of the server's state, and of the server. */

import { inspect } from 'node:util'
import { MAX_DURATION } from '@holster/process/internal'

/**
 * An order to the server: what to do when the callback is done, beside taking the next message. A number of milliseconds:
 * `handleInfo` gets an `IdleTimeout` unless a message arrives in that time. `['continue', term]`: `handleContinue` gets the term
 * before any message is taken. `'hibernate'` does nothing, as JavaScript frees memory by itself. Source: the last elements of the
 * answers of `gen_server`.
 */
export type After = number | 'hibernate' | readonly ['continue', Value]

/**
 * A value that is sent as a reply. The union stands for all values; its parts have the compiler keep `'ok'` and `['error', 'full']` as
 * they are written, and not as `string` and `string[]`: a union of `''` and `string` alone would be `string`.
 */
export type Value =
  | ''
  | 0
  | 0n
  | boolean
  | null
  | undefined
  | readonly []
  | readonly Value[]
  | { readonly [key: string]: Value }
  // biome-ignore lint/complexity/noBannedTypes: with null and undefined it takes what is unknown, as no other type does.
  | {}

/** The answer of `init`: the state, that the server is not to run, or why it cannot. Source: `gen_server`'s `Module:init/1`. */
export type InitAnswer<S> =
  | readonly ['ok', S]
  | readonly ['ok', S, After]
  | 'ignore'
  | readonly ['stop', unknown]

/**
 * The answer of `handleCast`, `handleInfo` and `handleContinue`: the new state, or the reason for which the server ends, and its
 * last state. Source: `gen_server`'s `Module:handle_cast/2`.
 */
export type NoReplyAnswer<S> =
  | readonly ['noreply', S]
  | readonly ['noreply', S, After]
  | readonly ['stop', unknown, S]

/**
 * The answer of `handleCall`: a reply and the new state; the new state, where the reply comes later; or the reason for which the
 * server ends, with or without a reply before it, and its last state. Source: `gen_server`'s `Module:handle_call/3`.
 */
export type CallAnswer<S> =
  | NoReplyAnswer<S>
  | readonly ['reply', Value, S]
  | readonly ['reply', Value, S, After]
  | readonly ['stop', unknown, Value, S]

/** A value, or a promise of it. */
export type Async<T> = T | Promise<T>

/** Whether `value` can be the last element of an answer. */
function isAfter(value: unknown): value is After {
  if (typeof value === 'number')
    return (value >= 0 && value <= MAX_DURATION) || value === Number.POSITIVE_INFINITY
  return value === 'hibernate' || (Array.isArray(value) && value.length === 2 && value[0] === 'continue')
}

/** Whether an answer, with an `After` at `place`, or without one, has a fitting length. */
function fits(answer: readonly unknown[], place: number): boolean {
  return answer.length === place || (answer.length === place + 1 && isAfter(answer[place]))
}

/** Whether `answer` is one of `init`. */
export function isInitAnswer(answer: unknown): answer is InitAnswer<unknown> {
  if (answer === 'ignore') return true
  if (!Array.isArray(answer)) return false
  return answer[0] === 'ok' ? fits(answer, 2) : answer[0] === 'stop' && answer.length === 2
}

/** Whether `answer` is one of `handleCall`, or, unless `isCall`, of the callbacks that have nobody to reply to. */
export function isAnswer(answer: unknown, isCall: boolean): answer is CallAnswer<unknown> {
  if (!Array.isArray(answer)) return false
  switch (answer[0]) {
    case 'reply':
      return isCall && fits(answer, 3)
    case 'noreply':
      return fits(answer, 2)
    case 'stop':
      return answer.length === 3 || (isCall && answer.length === 4)
    default:
      return false
  }
}

/** The forms that the answers of a callback have, for an error. */
const FORMS = {
  init: "['ok', state], ['ok', state, after], 'ignore' or ['stop', reason]",
  call: "['reply', value, state], ['reply', value, state, after], ['noreply', state], ['noreply', state, after], ['stop', reason, state] or ['stop', reason, reply, state]",
  other: "['noreply', state], ['noreply', state, after] or ['stop', reason, state]",
}

/**
 * The exit reason of a server whose callback has given something that is no answer of it. Source: `{bad_return_value, Value}` of
 * `gen_server`.
 */
export class BadReturnValueError extends TypeError {
  /** `'BadReturnValueError'`. */
  override readonly name = 'BadReturnValueError'
  /** The value that the callback gave. */
  readonly value: unknown

  /** @internal `callback` is `init`, `handleCall.add` and the like. */
  constructor(callback: string, value: unknown) {
    const forms =
      callback === 'init' ? FORMS.init : callback.startsWith('handleCall') ? FORMS.call : FORMS.other
    const shown = inspect(value, { depth: 1, breakLength: Number.POSITIVE_INFINITY })
    super(`${callback} answered ${shown}, which is none of ${forms}`)
    this.value = value
  }
}
