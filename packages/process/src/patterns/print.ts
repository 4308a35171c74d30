/** Values in one line, for people: cut to a length, and without what their names say to be secret. */

import { P } from 'ts-pattern'
import { isHandle, isPlain } from '../ref.js'
import { isMatcher } from './pattern.js'

/** How much is shown. */
export interface PrintLimits {
  /** The most characters of a string. */
  readonly text: number
  /** The most characters of an error's message, which nobody can guess. */
  readonly message: number
  /** The most entries of a list or an object. */
  readonly entries: number
  /** How deep plain objects and lists are entered. */
  readonly depth: number
  /** Whether fields that are `undefined` are shown: in a pattern they say something. */
  readonly absent: boolean
  /** The names of values of which nothing is shown, beside those that are secret by their name. */
  readonly opaque?: RegExp
}

/** Stands for what is not shown. */
export const LEFT_OUT = '…'

/** The names of values that are secret; `author`, `authority` and `www-authenticate` are not. */
const secret =
  /auth(?!or(?!i[sz])|enticate)|cookie|token|secret|session|signature|credential|pass(word|wd|phrase)|key$/i
/** What the patterns below begin with. */
const suspicious = /[?&@":]| /
/** A part of a query. */
const parameter = /([?&])([^=&#\s]+)=[^&#\s]*/g
/** What stands before the host in a URL. */
const userInfo = /\/\/[^/?#@\s]*@/g
/** A member of an object in JSON that is a string, closed or cut off. */
const member = /"([^"\\]{1,64})"(\s*:\s*)"(?:[^"\\]|\\.)*(?:"|\\?$)/g
/** Credentials as a header's value has them (RFC 9110 section 11.4). */
const credentials = /\b(basic|bearer|digest|negotiate)\s+[\w\-.~+/=]{2,}/gi

/** What an error shows of a message or a pattern. */
const SHORT: PrintLimits = { text: 40, message: 100, entries: 8, depth: 3, absent: true }
/** So long is a line of an error. */
const LONGEST_LINE = 300

/** A value in one line. What is neither plain data nor a handle is only named, whatever it holds. */
export function print(value: unknown, limits: PrintLimits): string {
  return show(value, limits, limits.depth)
}

/** A message or a pattern in one short line. Never throws. */
export function printShort(value: unknown): string {
  try {
    const line = print(value, SHORT)
    return line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}${LEFT_OUT}` : line
  } catch {
    // A getter of its author's has thrown.
    return LEFT_OUT
  }
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
  // A header, or something that looks like one.
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
  // More than is shown, since what is cut off may be what tells that the rest is secret.
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
