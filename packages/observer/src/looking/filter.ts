/** A filter is a pattern as `receive` takes it, written in JSON5; handles are written as they print. */

import { P } from '@holster/process'
import { compile, isPlain } from '@holster/process/internal'
import JSON5 from 'json5'

/** A handle as it prints, such as `#Stream<7>`. */
const HANDLE = /^#\w+<[^>]*>$/

/** Says whether a message passes. */
export type Filter = (message: unknown) => boolean

/** Makes a filter of the text; an empty one lets all pass. Throws an Error that says what is wrong with the text. */
export function filterOf(text: string): Filter {
  if (text.trim() === '') return () => true
  const matches = compile(patternOf(parse(text)))
  return message => {
    try {
      return matches(message)
    } catch {
      // A getter has thrown.
      return false
    }
  }
}

/** Reads JSON5. Throws an Error that says what is wrong, and how a pattern is written. */
export function parse(text: string): unknown {
  try {
    return JSON5.parse(text)
  } catch (error) {
    const why = (error as Error).message.replace(/^JSON5: /, '')
    throw new Error(`this is not JSON5: ${why}. Write it like { type: 'gun_ws', streamRef: '#Stream<7>' }`)
  }
}

/** Has text that is the print of a handle match the handle. */
function patternOf(value: unknown): unknown {
  if (typeof value === 'string' && HANDLE.test(value)) {
    return P.when(other => other === value || isThat(other, value))
  }
  if (Array.isArray(value)) return value.map(patternOf)
  if (typeof value === 'object' && value !== null && isPlain(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, patternOf(each)]))
  }
  return value
}

/** Whether a handle prints like that, with its name or without. */
function isThat(value: unknown, shown: string): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { id } = value as { readonly id?: unknown }
  return id === shown || String(value) === shown
}
