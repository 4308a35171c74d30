/** Functions among the options that have to give a value at once: whatever is wrong with one is told by the option's name. */

import { inspect } from 'node:util'
import { onRejection, reportThrown } from '@holster/process/internal'
import { GunError, messageOf } from '../errors.js'

/**
 * What `call` gives, as `accept` takes it. Throws a GunError `bad_option` that names the option, whose cause is what the
 * function has thrown, if it throws or `accept` gives `undefined`. `accept` is called with whatever came, a getter that
 * throws included; `wanted` says what must come. A promise that rejects is reported besides.
 */
export function ask<T>(
  option: string,
  call: () => unknown,
  accept: (given: unknown) => T | undefined,
  wanted: string,
): T {
  let given: unknown
  let accepted: T | undefined
  try {
    given = call()
    accepted = accept(given)
  } catch (cause) {
    throw new GunError('bad_option', 'options', `${option} threw: ${messageOf(cause)}`, { cause })
  }
  if (accepted !== undefined) return accepted
  const isPromise = onRejection(given, reason => reportThrown(option, reason))
  const what = isPromise ? 'a promise' : describe(given)
  throw new GunError('bad_option', 'options', `${option} must give ${wanted}, not ${what}`)
}

/** Nothing that may be secret, and nothing long. */
function describe(given: unknown): string {
  if (typeof given === 'object' && given !== null) return 'another object'
  if (typeof given === 'string') return 'another string'
  return inspect(given, { depth: 0 }).slice(0, 40)
}
