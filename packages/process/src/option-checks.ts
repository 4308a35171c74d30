/** An option must have a known name, and where it is one of a few words, be one of them; who mistypes either is told what there is. */

import { inspect } from 'node:util'
import { didYouMean, type Synonyms } from './suggestion.js'

/**
 * Throws a TypeError unless `options` is an object whose names are all `known`. `what` says whose options they are, and `argument` what the
 * object is called.
 */
export function checkNames(
  options: unknown,
  known: readonly string[],
  what: string,
  synonyms: Synonyms = {},
  argument = 'options',
): asserts options is object {
  checkObject(options, argument)
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    throw new TypeError(`${argument}.${name} is not an option of ${what}${didYouMean(name, known, synonyms)}`)
  }
}

/** Throws a TypeError unless `value` is an object. */
export function checkObject(value: unknown, argument = 'options'): asserts value is object {
  if (typeof value === 'object' && value !== null) return
  throw new TypeError(`${argument} must be an object, not ${inspect(value, { depth: 0 })}`)
}

/** Throws a TypeError unless `value` is one of `choices`. */
export function checkChoice(argument: string, value: unknown, choices: readonly string[]): void {
  if (choices.includes(value as string)) return
  const words = choices.map(choice => `'${choice}'`)
  const all = [words.slice(0, -1).join(', '), ...words.slice(-1)].filter(part => part !== '').join(' or ')
  throw new TypeError(`${argument} must be ${all}, not ${inspect(value, { depth: 0 })}`)
}
