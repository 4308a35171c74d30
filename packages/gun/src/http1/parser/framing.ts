/** The method, the status and the fields decide where a body ends (RFC 9112 section 6.3), and whether the connection goes on. */

import { trimmed } from './fields.js'
import { type Fields, notValid, type ResponseParseError, refused } from './values.js'

/** Where the body ends: with the head, since there is none, behind its length, with the last chunk, or with the connection. */
export type BodyEnd = 'head' | 'length' | 'last chunk' | 'connection'

/** The parts of a head, and of its request, that decide. */
export interface Head {
  readonly method: string
  readonly status: number
  /** The second number of the version, which is HTTP/1.0 or HTTP/1.1. */
  readonly minor: number
  readonly contentLength: string | undefined
  readonly transferEncoding: string | undefined
  readonly connection: string | undefined
}

/** Where the body ends: the first rule that holds decides, and without any the connection ends it. */
const RULES: readonly (readonly [holds: (head: Head) => boolean, end: BodyEnd])[] = [
  [({ method }) => method === 'HEAD', 'head'],
  [({ status }) => status === 204 || status === 304, 'head'],
  [({ method, status }) => method === 'CONNECT' && status < 300, 'head'],
  [({ contentLength }) => contentLength !== undefined, 'length'],
  [({ transferEncoding }) => isChunked(transferEncoding), 'last chunk'],
]

/** The least length that is refused. */
const BEYOND = 2n ** 64n
/** How many digits stay below it whatever they are, and how many a smaller number has at most. */
const FEW_DIGITS = 19
const MOST_DIGITS = 20

const CHAR = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]"
const PARAMETER = `[ \\t]*;[ \\t]*${CHAR}+(?:[ \\t]*=[ \\t]*${CHAR}+)?`
/** A coding with parameters in tokens: a quoted comma is where readers of lists part ways. */
const CODING = new RegExp(`^${CHAR}+(?:${PARAMETER})*$`)
/** The name of the one coding that says where the body ends, as a token of its own. */
const CHUNKED = new RegExp(`(?<!${CHAR})chunked(?!${CHAR})`)

/** Gives what decides among the fields of a head; the fields themselves must not leave a doubt. */
export function headOf(method: string, status: number, minor: number, fields: Fields): Head {
  let contentLength: string | undefined
  let transferEncoding: string | undefined
  let connection: string | undefined
  for (const field of fields) {
    const value = field[1]
    switch (field[0]) {
      case 'content-length':
        if (contentLength !== undefined) throw notValid('Duplicate Content-Length')
        if (transferEncoding !== undefined) throw both('Content-Length', 'Transfer-Encoding')
        contentLength = value
        checkLength(value)
        break
      case 'transfer-encoding':
        if (contentLength !== undefined) throw both('Transfer-Encoding', 'Content-Length')
        transferEncoding = append(transferEncoding, value)
        break
      case 'connection':
        connection = append(connection, value)
        break
    }
  }
  return { method, status, minor, contentLength, transferEncoding, connection }
}

export function bodyEndOf(head: Head): BodyEnd {
  return RULES.find(([holds]) => holds(head))?.[1] ?? 'connection'
}

/** Whether the connection goes on behind the response (RFC 9112 section 9.3). */
export function goesOn({ minor, transferEncoding, connection }: Head, bodyEnd: BodyEnd): boolean {
  if (bodyEnd === 'connection') return false
  // RFC 9112 section 6.1: such a message is to be read, and its connection closed.
  if (minor === 0 && transferEncoding !== undefined) return false
  if (connection === undefined) return minor === 1
  if (connection === 'keep-alive') return true
  const options = elements(connection)
  if (options.includes('close')) return false
  return minor === 1 || options.includes('keep-alive')
}

/** Refuses a transfer coding that others may read differently (RFC 9112 sections 6.1 and 7). */
export function checkCodings(list: string, isDoubtful: boolean): void {
  const codings = elements(list)
  const isPlain = codings.length > 0 && codings.every(coding => CODING.test(coding))
  // llhttp takes it for the coding in a parameter, too.
  const chunked = codings.filter(coding => CHUNKED.test(coding))
  const isOnce = chunked.length === 0 || (chunked.length === 1 && chunked[0] === 'chunked')
  const isLast = isChunked(list) || codings.at(-1) !== 'chunked'
  if (isPlain && isOnce && isLast && !isDoubtful) return
  throw refused(`the transfer-encoding "${list}" is ambiguous`)
}

function isChunked(list: string | undefined): boolean {
  return list !== undefined && /(?:^|[, \t])chunked$/i.test(list)
}

function checkLength(value: string): void {
  if (value === '') throw notValid('Empty Content-Length')
  if (!/^\d+$/.test(value)) throw notValid('Invalid character in Content-Length')
  if (value.length <= FEW_DIGITS) return
  const digits = value.replace(/^0+/, '')
  if (digits.length > MOST_DIGITS || BigInt(digits) >= BEYOND) throw notValid('Content-Length overflow')
}

function both(second: string, first: string): ResponseParseError {
  return notValid(`${second} can't be present with ${first}`)
}

function append(list: string | undefined, value: string): string {
  return list === undefined ? value : `${list},${value}`
}

/** Gives the elements of a list-valued field (RFC 9110 section 5.6.1), in lower case. */
function elements(list: string): string[] {
  return list
    .split(',')
    .map(element => trimmed(element, 0, element.length).toLowerCase())
    .filter(element => element !== '')
}
