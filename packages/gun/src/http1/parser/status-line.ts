/** The status line: a version that is known, a status of three digits, and a reason (RFC 9112 section 4). */

import { notValid, type ResponseParseError, refused } from './values.js'

const STATUS_LINE = /^HTTP\/1\.[01] [1-9]\d\d(?: [\t\x20-\x7e\x80-\xff]*)?\r\n/
const MINOR_AT = 'HTTP/1.'.length
const STATUS_AT = 'HTTP/1.1 '.length
const ZERO = 0x30
/** The first byte of an alert of TLS (RFC 8446 section 5.1). */
const ALERT = 0x15

/** Longer and longer beginnings, each with the problem of a line that has all but this one. */
const BEGINNINGS: readonly (readonly [RegExp, problem: string])[] = [
  [/^HTTP\//, 'Expected HTTP/'],
  [/^HTTP\/\d/, 'Invalid major version'],
  [/^HTTP\/\d\./, 'Expected dot'],
  [/^HTTP\/\d\.\d/, 'Invalid minor version'],
  [/^HTTP\/\d\.\d /, 'Expected space after version'],
  [/^HTTP\/\d\.\d \d{3}/, 'Invalid status code'],
  [/^HTTP\/\d\.\d \d{3}[ \r]/, 'Invalid response status'],
]

/** Throws unless the text begins with a status line. */
export function checkStatusLine(text: string): void {
  if (!STATUS_LINE.test(text)) throw problemOf(text)
}

/** Gives the second number of the version in a status line that was checked: HTTP/1.0 or HTTP/1.1. */
export function minorOf(text: string): number {
  return text.charCodeAt(MINOR_AT) - ZERO
}

/** Gives the status in a status line that was checked. */
export function statusOf(text: string): number {
  return digit(text, STATUS_AT) * 100 + digit(text, STATUS_AT + 1) * 10 + digit(text, STATUS_AT + 2)
}

/** Makes the error for a control character in the reason, which most readers drop and some take for a line end. */
export function badReason(): ResponseParseError {
  return refused('the reason phrase contains a control character')
}

function digit(text: string, at: number): number {
  return text.charCodeAt(at) - ZERO
}

function problemOf(text: string): ResponseParseError {
  for (const [beginning, problem] of BEGINNINGS) if (!beginning.test(text)) return notValid(problem)
  const version = text.slice(0, 'HTTP/1.1'.length)
  if (!/1\.[01]$/.test(version)) {
    return refused(`the response has version ${version}, not HTTP/1.1 or HTTP/1.0`)
  }
  const status = statusOf(text)
  return status < 100 ? refused(`the response has the impossible status ${status}`) : badReason()
}

/** Says what is wrong with the first byte of a response; the bytes behind it may not have come. */
export function notHttp(first: number | undefined): ResponseParseError {
  const text = 'the response does not start with HTTP/'
  if (first !== ALERT) return refused(text)
  return refused(`${text}; the peer seems to speak TLS: open the connection with transport: 'tls'`)
}
