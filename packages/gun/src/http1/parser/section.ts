/** A head and a trailer section are lines up to an empty one; options limit their sizes. */

import type { LinesKind } from './lines.js'
import { badReason } from './status-line.js'
import { notValid, type ResponseLimits, type ResponseParseError } from './values.js'

/** Makes the kind of lines of which an option limits the size. */
export function section(name: string, option: keyof ResponseLimits, limit: number): LinesKind {
  const excess = `the ${name} block exceeds ${option} (${limit} bytes)`
  return { isSection: true, limit, excess, place: placeOf, invalid: invalidIn }
}

function isStatusLine(line: string): boolean {
  return line.startsWith('HTTP/')
}

function placeOf(line: string): string {
  if (isStatusLine(line)) return 'response status line'
  if (/^\r?$/.test(line)) return 'headers'
  return line.includes(':') ? 'header value' : 'header name'
}

function invalidIn(line: string): ResponseParseError {
  if (isStatusLine(line)) return badReason()
  return notValid(line.includes(':') ? 'Invalid header value char' : 'Invalid header token')
}
