/** Header fields given by the caller: accepted in any form, checked, and normalised to one form. */

import { inspect } from 'node:util'
import { beyondOctets } from './octets.js'
import type { Headers } from './words.js'

/** Header fields as the caller may give them: an iterable of pairs, or a record. Names may be in any case. */
export type HeadersInit =
  | Iterable<readonly [name: string, value: string | number]>
  | Readonly<Record<string, string | number | readonly string[]>>

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** Matches a character that a field value must not contain (RFC 9110 section 5.5). */
export const forbiddenInValue = /[^\t\x20-\x7e\x80-\xff]/
const TAB = 0x09
const SPACE = 0x20
const forbiddenInPath = /[^\x21-\x7e]/

/**
 * Returns the fields with lower-case names, in the order given. Throws a TypeError that names the header.
 * Unless `isChecked`, the only characters refused are those that are not octets.
 */
export function normalizeHeaders(
  init: HeadersInit | undefined,
  isChecked = true,
): (readonly [string, string])[] {
  if (init === undefined) return []
  if (typeof init !== 'object' || init === null) {
    throw new TypeError(`headers must be an object or a list of pairs, not ${inspect(init)}`)
  }
  const headers: (readonly [string, string])[] = []
  const add = (name: unknown, value: unknown) => headers.push(checkHeader(name, value, isChecked))
  if (Symbol.iterator in init) {
    for (const pair of init) {
      if (!Array.isArray(pair) || pair.length !== 2)
        throw new TypeError(`headers: ${inspect(pair)} is not a pair`)
      add(pair[0], pair[1])
    }
  } else {
    for (const [name, value] of Object.entries(init)) {
      if (Array.isArray(value)) for (const item of value) add(name, item)
      else add(name, value)
    }
  }
  // RFC 9112 section 3.2: servers answer two host fields with 400, and proxies disagree on which one counts.
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

/** Whether the text is a token (RFC 9110 section 5.6.2). */
export function isToken(text: string): boolean {
  return token.test(text)
}

/** Throws a TypeError unless `method` is a token (RFC 9110 section 9.1). */
export function checkMethod(method: unknown, isChecked = true): asserts method is string {
  if (typeof method !== 'string' || (isChecked ? !token.test(method) : beyondOctets.test(method))) {
    throw new TypeError(`method must be a token such as GET, not ${inspect(method)}`)
  }
}

/**
 * Matches the forms of a request target other than a path (RFC 9112 section 3.2): `*`, a whole URL, and a
 * host with its port.
 */
const otherTarget = /^(?:\*$|https?:\/\/|[^/?#]+:\d+$)/i

/**
 * Throws a TypeError unless `path` can stand in a request line: it has no spaces and no control characters,
 * and begins with `/` unless it is another form of a request target.
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

/**
 * Returns the value of a field, with several values joined as RFC 9110 section 5.3 defines; `undefined` if
 * the field is absent.
 */
export function headerValue(headers: Headers, name: string): string | undefined {
  let joined: string | undefined
  for (const header of headers) {
    if (header[0] === name) joined = joined === undefined ? header[1] : `${joined}, ${header[1]}`
  }
  return joined
}

/**
 * Whether the headers contain `connection: close`, which makes their message the last of the connection
 * (RFC 9112 section 9.6).
 */
export function saysClose(headers: Headers): boolean {
  const options = headerValue(headers, 'connection')
  return options?.split(',').some(option => option.trim().toLowerCase() === 'close') ?? false
}

/**
 * Returns a field value without the blanks around it (RFC 9110 section 5.6.3). JavaScript's `trim` would also
 * remove bytes of UTF-8, and a regular expression would retry at each blank within the value.
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

/** Returns the approximate size of the header fields in bytes. */
export function sizeOf(headers: Headers): number {
  let size = 0
  for (const [name, value] of headers) size += name.length + value.length
  return size
}

/** Throws a TypeError for header fields that announce a body, which a CONNECT has not (RFC 9110 section 9.3.6). */
export function checkWithoutBody(headers: Headers): void {
  for (const name of ['content-length', 'transfer-encoding']) {
    if (headerValue(headers, name) !== undefined) {
      throw new TypeError(`headers: ${name} has no meaning for a tunnel, whose request has no body`)
    }
  }
}

/** Returns the protocols that header fields ask for, or agree to, in place of HTTP (RFC 9110 section 7.8). */
export function upgradesIn(headers: Headers): readonly string[] {
  if (headerValue(headers, 'upgrade') === undefined) return NO_UPGRADES
  if (!listIn(headers, 'connection').some(option => option.toLowerCase() === 'upgrade')) return NO_UPGRADES
  return listIn(headers, 'upgrade')
}

const NO_UPGRADES: readonly string[] = []

/** Returns the elements of a field whose value is a list (RFC 9110 section 5.6.1). */
function listIn(headers: Headers, name: string): readonly string[] {
  return headers
    .filter(field => field[0] === name)
    .flatMap(([, value]) => value.split(','))
    .map(element => element.trim())
    .filter(element => element !== '')
}
