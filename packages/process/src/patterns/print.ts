/** Prints values in one line for people: shortened, and without the values that a name marks as secret. */

import { P } from 'ts-pattern'
import { isHandle, isPlain } from '../ref.js'
import { isMatcher } from './pattern.js'

/** Says how much of a value is shown. */
export interface PrintLimits {
  /** The most characters of a string. */
  readonly text: number
  /** The most characters of an error's message. */
  readonly message: number
  /** The most entries of a list or an object. */
  readonly entries: number
  /** How many levels of plain objects and lists are shown. */
  readonly depth: number
  /** Whether fields that are `undefined` are shown, as they have a meaning in a pattern. */
  readonly absent: boolean
  /** Matches further names of values that are left out. Default: none. */
  readonly opaque?: RegExp
}

/** Stands for anything that is left out. */
export const LEFT_OUT = '…'

/** Matches the names of secret values, but not `author`, `authority` and `www-authenticate`. */
const secret =
  /auth(?!or(?!i[sz])|enticate)|cookie|token|secret|session|signature|credential|pass(word|wd|phrase)|key$/i
/** Matches the text that one of the expressions below may match. */
const suspicious = /[?&@":]| /
/** Matches a parameter of a query. */
const parameter = /([?&])([^=&#\s]+)=[^&#\s]*/g
/** Matches the user information before the host of a URL; a password may contain an `@` that should have been encoded. */
const userInfo = /\/\/[^/?#\s]*@/g
/** Matches a member of a JSON object that is a string, also one that was cut off. */
const member = /"([^"\\]{1,64})"(\s*:\s*)"(?:[^"\\]|\\.)*(?:"|\\?$)/g
/** Matches credentials in the value of a header (RFC 9110 section 11.4). */
const credentials = /\b(basic|bearer|digest|negotiate)\s+[\w\-.~+/=]{2,}/gi

/** Whether a value of that name is left out. */
export function isSecretName(name: string): boolean {
  return secret.test(name)
}

/** The limits for a message or a pattern in an error. */
const SHORT: PrintLimits = { text: 40, message: 100, entries: 8, depth: 3, absent: true }
/** The most characters of a line of an error. */
const LONGEST_LINE = 300

/** Prints a value in one line. A value that is neither plain data nor a handle is only named. */
export function print(value: unknown, limits: PrintLimits): string {
  return show(value, limits, limits.depth)
}

/** Prints a message or a pattern in one short line. Never throws. */
export function printShort(value: unknown): string {
  try {
    const line = print(value, SHORT)
    return line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}${LEFT_OUT}` : line
  } catch {
    // A getter has thrown.
    return LEFT_OUT
  }
}

/**
 * Prints the reason of an end, or an error, in at most `longest` characters and an ellipsis: an Error with its name and message, a string as
 * it is, anything else as a value. Never throws.
 */
export function printReason(reason: unknown, longest: number): string {
  try {
    const text = textOf(reason)
    // Longer than the shown text, since the end of a secret may be needed to recognize its beginning.
    const shown = withoutSecrets(text.slice(0, 10 * longest))
    return shown.length > longest ? `${shown.slice(0, longest)}${LEFT_OUT}` : shown
  } catch {
    // A getter has thrown.
    return 'a value that cannot be shown'
  }
}

function textOf(reason: unknown): string {
  if (typeof reason === 'string') return reason
  return reason instanceof Error ? `${reason.name}: ${reason.message}` : print(reason, SHORT)
}

function show(value: unknown, limits: PrintLimits, depth: number): string {
  if (typeof value === 'string') return quote(value, limits.text)
  if (typeof value === 'function') return '<function>'
  if (typeof value !== 'object' || value === null) return String(value)
  if (isHandle(value)) return String(value)
  if (isMatcher(value)) return showMatcher(value)
  if (ArrayBuffer.isView(value)) return `<${value.byteLength} bytes>`
  if (value instanceof Error) return showError(value, limits.message)
  if (depth === 0) return LEFT_OUT
  if (Array.isArray(value)) return showList(value, limits, depth)
  return isPlain(value) ? showFields(value, limits, depth) : `<${value.constructor?.name ?? 'object'}>`
}

function showMatcher(matcher: object): string {
  const name = Object.entries(P).find(([, each]) => each === matcher)?.[0] ?? LEFT_OUT
  return `P.${name === 'any' ? '_' : name}`
}

function showList(list: readonly unknown[], limits: PrintLimits, depth: number): string {
  const [name, value] = list
  // The pair looks like a header.
  if (list.length === 2 && typeof name === 'string' && typeof value === 'string' && secret.test(name)) {
    return `[${quote(name, limits.text)}, ${LEFT_OUT}]`
  }
  let shown = ''
  for (let i = 0; i < list.length && i < limits.entries; i++) {
    shown += `${i === 0 ? '' : ', '}${show(list[i], limits, depth - 1)}`
  }
  return list.length > limits.entries ? `[${shown}, ${LEFT_OUT} (${list.length})]` : `[${shown}]`
}

function showFields(value: object, limits: PrintLimits, depth: number): string {
  let shown = ''
  let count = 0
  for (const [name, each] of Object.entries(value)) {
    if (each === undefined && !limits.absent) continue
    if (count++ === limits.entries) return `{ ${shown}, ${LEFT_OUT} }`
    const isSecret = secret.test(name) || limits.opaque?.test(name)
    shown += `${shown === '' ? '' : ', '}${name}: ${isSecret ? LEFT_OUT : show(each, limits, depth - 1)}`
  }
  return shown === '' ? '{}' : `{ ${shown} }`
}

function showError(error: Error, longest: number): string {
  const code = 'code' in error ? ` ${error.code}` : ''
  return `<${error.name}${code}: ${quote(error.message, longest)}>`
}

function quote(text: string, longest: number): string {
  // Longer than the shown text, since the end of a secret may be needed to recognize its beginning.
  let shown = text.length > 10 * longest ? text.slice(0, 10 * longest) : text
  if (suspicious.test(shown)) shown = withoutSecrets(shown)
  if (shown.length > longest) shown = shown.slice(0, longest)
  return JSON.stringify(shown) + (text.length > longest ? `${LEFT_OUT} (${text.length})` : '')
}

function withoutSecrets(text: string): string {
  return text
    .replace(parameter, (all, mark, name) => (secret.test(name) ? `${mark}${name}=${LEFT_OUT}` : all))
    .replace(userInfo, `//${LEFT_OUT}@`)
    .replace(member, (all, name, colon) => (secret.test(name) ? `"${name}"${colon}${LEFT_OUT}` : all))
    .replace(credentials, `$1 ${LEFT_OUT}`)
}
