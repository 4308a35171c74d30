/**
 * Functions among the options that must return a value at once: every failure of such a function is reported
 * under the name of its option.
 */

import { inspect } from 'node:util'
import { onRejection, reportThrown } from '@holster/process/internal'
import { GunError, messageOf } from '../errors.js'

/**
 * Returns the result of `call` as converted by `accept`. Throws a GunError `bad_option` that names the option
 * if `call` throws (the error thrown is the `cause`) or if `accept` returns `undefined`; `wanted` describes
 * the right result in the error's message. A getter that throws within `accept` counts as `call` throwing. If
 * the result is a promise that rejects, the rejection is reported besides.
 */
export function ask<T>(
  option: string,
  call: () => unknown,
  accept: (result: unknown) => T | undefined,
  wanted: string,
): T {
  let result: unknown
  let accepted: T | undefined
  try {
    result = call()
    accepted = accept(result)
  } catch (cause) {
    throw new GunError('bad_option', 'options', `${option} threw: ${messageOf(cause)}`, { cause })
  }
  if (accepted !== undefined) return accepted
  const isPromise = onRejection(result, reason => reportThrown(option, reason))
  const actual = isPromise ? 'a promise' : describe(result)
  throw new GunError('bad_option', 'options', `${option} must give ${wanted}, not ${actual}`)
}

/** Describes a wrong result without showing anything secret or long. */
function describe(result: unknown): string {
  if (typeof result === 'object' && result !== null) return 'another object'
  if (typeof result === 'string') return 'another string'
  return inspect(result, { depth: 0 }).slice(0, 40)
}
