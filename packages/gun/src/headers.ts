/** Header fields that the caller gives: accepted in any form, checked, and brought into one. */

import { inspect } from 'node:util'
import { beyondOctets } from './octets.js'
import type { Headers } from './words.js'

/** Header fields as they may be given; names in any case. */
export type HeadersInit =
  | Iterable<readonly [name: string, value: string | number]>
  | Readonly<Record<string, string | number | readonly string[]>>

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** RFC 9110 section 5.5. */
export const forbiddenInValue = /[^\t\x20-\x7e\x80-\xff]/
const TAB = 0x09
const SPACE = 0x20
const forbiddenInPath = /[^\x21-\x7e]/

/** Lower-case names with their values, in the order given. Throws a TypeError that names the header; unchecked only for what is no octet. */
export function normalizeHeaders(
  given: HeadersInit | undefined,
  isChecked = true,
): (readonly [string, string])[] {
  if (given === undefined) return []
  if (typeof given !== 'object' || given === null) {
    throw new TypeError(`headers must be an object or a list of pairs, not ${inspect(given)}`)
  }
  const headers: (readonly [string, string])[] = []
  const add = (name: unknown, value: unknown) => headers.push(checkHeader(name, value, isChecked))
  if (Symbol.iterator in given) {
    for (const pair of given) {
      if (!Array.isArray(pair) || pair.length !== 2)
        throw new TypeError(`headers: ${inspect(pair)} is not a pair`)
      add(pair[0], pair[1])
    }
  } else {
    for (const [name, value] of Object.entries(given)) {
      if (Array.isArray(value)) for (const one of value) add(name, one)
      else add(name, value)
    }
  }
  // RFC 9112 section 3.2: servers answer two with 400, and proxies do not agree on which one counts.
  if (headers.filter(([name]) => name === 'host').length > 1)
    throw new TypeError('headers: host is given twice')
  return headers
}

function checkHeader(name: unknown, value: unknown, isChecked: boolean): readonly [string, string] {
  if (typeof name !== 'string' || (isChecked ? !token.test(name) : beyondOctets.test(name))) {
    throw new TypeError(`headers: ${inspect(name)} is not a header name`)
  }
  const text = typeof value === 'number' ? String(value) : value
  if (typeof text !== 'string') {
    const advice =
      value === undefined || value === null ? 'leave the header out, or give it a string' : 'give a string'
    throw new TypeError(
      `headers: the value of ${name} is ${inspect(value, { depth: 0 })}; ${advice} or a number`,
    )
  }
  if ((isChecked ? forbiddenInValue : beyondOctets).test(text)) {
    const advice = 'encode it, for example with encodeURIComponent'
    throw new TypeError(
      `headers: the value of ${name} has a character that may not be sent: ${inspect(value)}; ${advice}`,
    )
  }
  return [name.toLowerCase(), isChecked ? trimBlanks(text) : text]
}

/** RFC 9110 section 5.6.2. */
export function isToken(text: string): boolean {
  return token.test(text)
}

/** Throws a TypeError unless `method` is a token (RFC 9110 section 9.1). */
export function checkMethod(method: unknown, isChecked = true): asserts method is string {
  if (typeof method !== 'string' || (isChecked ? !token.test(method) : beyondOctets.test(method))) {
    throw new TypeError(`method must be a token such as GET, not ${inspect(method)}`)
  }
}

/** The forms of a request target beside a path (RFC 9112 section 3.2): `*`, a whole URL, and a host with its port. */
const otherTarget = /^(?:\*$|https?:\/\/|[^/?#]+:\d+$)/i

/**
 * Throws a TypeError unless `path` can stand in a request line: no spaces, no control characters, and `/` first unless it is
 * another form of a request target.
 */
export function checkPath(path: unknown, isChecked = true): asserts path is string {
  if (typeof path !== 'string' || path === '' || (isChecked ? forbiddenInPath : beyondOctets).test(path)) {
    const advice = typeof path === 'string' && path !== '' ? '; encode it, for example with encodeURI' : ''
    throw new TypeError(
      `path must be a non-empty string without spaces or control characters, not ${inspect(path)}${advice}`,
    )
  }
  if (!isChecked || path.startsWith('/') || otherTarget.test(path)) return
  throw new TypeError(`path must begin with a slash: ${inspect(`/${path}`)}, not ${inspect(path)}`)
}

/** The value of a field, several joined as RFC 9110 section 5.3 says; `undefined` if there is none. */
export function headerValue(headers: Headers, name: string): string | undefined {
  let joined: string | undefined
  for (const header of headers) {
    if (header[0] === name) joined = joined === undefined ? header[1] : `${joined}, ${header[1]}`
  }
  return joined
}

/** Whether the connection ends with the message that these are of (RFC 9112 section 9.6). */
export function saysClose(headers: Headers): boolean {
  const options = headerValue(headers, 'connection')
  return options?.split(',').some(option => option.trim().toLowerCase() === 'close') ?? false
}

/**
 * A field value without the blanks around it (RFC 9110 section 5.6.3). JavaScript's `trim` would take bytes of UTF-8 along, and a
 * regular expression would try each blank within the value.
 */
export function trimBlanks(value: string): string {
  let start = 0
  let end = value.length
  while (start < end && isBlank(value.charCodeAt(start))) start++
  while (end > start && isBlank(value.charCodeAt(end - 1))) end--
  return value.slice(start, end)
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB
}

/** About how many bytes header fields hold. */
export function sizeOf(headers: Headers): number {
  let size = 0
  for (const [name, value] of headers) size += name.length + value.length
  return size
}
