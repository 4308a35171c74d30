/** An option that is not known is refused with the name that was probably meant. */

import { inspect } from 'node:util'
import { didYouMean, type Synonyms } from '@holster/process/internal'

/** Throws a TypeError unless `options` is an object whose names are among `known`. */
export function checkOptionNames(
  options: unknown,
  known: readonly string[],
  what: string,
  synonyms: Synonyms = {},
): asserts options is object {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`options must be an object, not ${inspect(options, { depth: 0 })}`)
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    throw new TypeError(`options.${name} is not an option of ${what}${didYouMean(name, known, synonyms)}`)
  }
}

/** Throws a TypeError unless `value` is one of `choices`. */
export function checkChoice(name: string, value: unknown, choices: readonly string[]): void {
  if (choices.includes(value as string)) return
  const all = choices.map(choice => `'${choice}'`).join(' or ')
  throw new TypeError(`${name} must be ${all}, not ${inspect(value, { depth: 0 })}`)
}
