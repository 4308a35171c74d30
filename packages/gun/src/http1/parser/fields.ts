/** A field line is a name, a colon and a value; a line that begins with a blank continues the value (RFC 9112 section 5). */

import { type Fields, notValid } from './values.js'

const TAB = 0x09
const SPACE = 0x20
const LINE_END = '\r\n'.length
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** Names that are sent often: in the two usual spellings they are neither checked nor lowered again. */
const OFTEN = [
  ...['accept-ranges', 'access-control-allow-credentials', 'access-control-allow-headers'],
  ...['access-control-allow-methods', 'access-control-allow-origin', 'access-control-expose-headers'],
  ...['access-control-max-age', 'age', 'allow', 'alt-svc', 'cache-control', 'connection'],
  ...['content-disposition', 'content-encoding', 'content-language', 'content-length', 'content-location'],
  ...['content-range', 'content-security-policy', 'content-type', 'cross-origin-opener-policy'],
  ...['cross-origin-resource-policy', 'date', 'etag', 'expires', 'keep-alive', 'last-modified', 'link'],
  ...['location', 'permissions-policy', 'pragma', 'proxy-authenticate', 'referrer-policy', 'retry-after'],
  ...['sec-websocket-accept', 'sec-websocket-extensions', 'sec-websocket-protocol', 'server'],
  ...['server-timing', 'set-cookie', 'strict-transport-security', 'trailer', 'transfer-encoding', 'upgrade'],
  ...['vary', 'via', 'www-authenticate', 'x-cache', 'x-content-type-options', 'x-frame-options'],
  ...['x-powered-by', 'x-request-id', 'x-xss-protection'],
]
/** The names by length and first letter, each with its other spelling. */
const KNOWN: [name: string, spelling: string][][] = Array.from({ length: 64 * 32 }, () => [])
for (const name of OFTEN) {
  const spelling = name.replace(/\b[a-z]/g, letter => letter.toUpperCase())
  KNOWN[keyOf(name, 0, name.length)]?.push([name, spelling])
}

/** Shared by all messages without fields. */
const NONE: Fields = Object.freeze([])

/** Reads the field lines of a head or of a trailer section. */
export class FieldReader {
  /** Whether a tab is the last of a `transfer-encoding`, or among the blanks behind it. */
  hasTabBehindCoding = false
  #fields: [name: string, value: string][] = []

  /** Begins another section. */
  begin(): void {
    this.#fields = []
    this.hasTabBehindCoding = false
  }

  /** The fields that have come. */
  get fields(): Fields {
    return this.#fields.length === 0 ? NONE : this.#fields
  }

  /** Reads whole lines from `start` on, up to the empty line that may be the last. */
  add(lines: string, start: number): void {
    for (let at = start; at < lines.length; ) {
      const end = lines.indexOf('\r', at)
      if (end === at) return
      if (isBlank(lines, at)) this.#continue(lines, at, end)
      else this.#begin(lines, at, end)
      at = end + LINE_END
    }
  }

  #begin(lines: string, start: number, end: number): void {
    const colon = lines.indexOf(':', start)
    if (colon === -1 || colon > end) throw notValid('Invalid header token')
    const name = nameAt(lines, start, colon)
    this.#fields.push([name, trimmed(lines, colon + 1, end)])
    // llhttp, and so Node, does not take `chunked` before a tab for the coding.
    if (name === 'transfer-encoding' && /\t *$/.test(lines.slice(colon + 1, end))) {
      this.hasTabBehindCoding = true
    }
  }

  /** Joins a folded line to the value before it by one space (RFC 9112 section 5.2). */
  #continue(lines: string, start: number, end: number): void {
    const field = this.#fields.at(-1)
    if (field === undefined) throw notValid('Unexpected space after start line')
    const [name, before] = field
    // Readers that do not know the fold see another end of the body.
    if (name === 'content-length' || name === 'transfer-encoding') {
      throw notValid('Unexpected whitespace after header value')
    }
    const more = trimmed(lines, start, end)
    if (more !== '') field[1] = before === '' ? more : `${before} ${more}`
  }
}

function nameAt(text: string, start: number, end: number): string {
  const length = end - start
  for (const [name, spelling] of KNOWN[keyOf(text, start, length)] ?? []) {
    if (length !== name.length) continue
    if (text.startsWith(spelling, start) || text.startsWith(name, start)) return name
  }
  const name = text.slice(start, end)
  if (!TOKEN.test(name)) throw notValid('Invalid header token')
  return name.toLowerCase()
}

/** Gives the place in the table for a name, in either case; other names may have the same. */
function keyOf(text: string, start: number, length: number): number {
  return (length % 64) * 32 + (text.charCodeAt(start) % 32)
}

/** Gives a part of a text without the blanks around it: JavaScript's `trim` would also remove bytes of UTF-8. */
export function trimmed(text: string, from: number, to: number): string {
  let start = from
  let end = to
  while (start < end && isBlank(text, start)) start++
  while (end > start && isBlank(text, end - 1)) end--
  return text.slice(start, end)
}

function isBlank(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code === SPACE || code === TAB
}
