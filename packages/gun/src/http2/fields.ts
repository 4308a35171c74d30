/** Header fields as Node's HTTP/2 takes and gives them. */

import type { Headers } from '../words.js'

/** RFC 9113 section 8.2.2: they concern one connection of HTTP/1.1. */
const OF_HTTP1 = new Set([
  'connection',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])
/** What Node's session would fail with as a whole, and what would end a string within it. */
const wrongName = /[^!#$%&'*+\-.^_`|~0-9a-z]/
const wrongValue = /[\0\u0100-\uffff]/

export type HeaderBlock = Record<string, string | string[]>

/** The header fields of a message as Node takes them. Throws a TypeError for what it cannot send, unless that was checked. */
export function headerBlock(pseudo: HeaderBlock, headers: Headers, isChecked: boolean): HeaderBlock {
  const block = pseudo
  if (!isChecked) for (const name in pseudo) checkValue(name, pseudo[name] as string)
  for (const [name, value] of headers) {
    if (OF_HTTP1.has(name) || (name === 'te' && value !== 'trailers')) continue
    if (!isChecked) checkField(name, value)
    // The names of Object's own are headers like any other.
    const before = Object.hasOwn(block, name) ? block[name] : undefined
    if (name === '__proto__') throw new TypeError('HTTP/2 cannot send the header "__proto__"')
    if (before === undefined) block[name] = value
    else if (typeof before === 'string') block[name] = [before, value]
    else before.push(value)
  }
  return block
}

function checkField(name: string, value: string): void {
  if (wrongName.test(name)) throw new TypeError(`HTTP/2 cannot send the header ${JSON.stringify(name)}`)
  checkValue(name, value)
}

function checkValue(name: string, value: string): void {
  if (wrongValue.test(value)) throw new TypeError(`HTTP/2 cannot send the value of ${name}`)
}

/** Header fields as Node gives them, but for those that HTTP/2 itself has added. */
export function headersOf(raw: readonly string[]): Headers {
  const headers: [string, string][] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string
    if (name.charCodeAt(0) !== 0x3a) headers.push([name, raw[i + 1] as string])
  }
  return headers
}

/** A request that the server has made up, to push its response. */
export interface PushedRequest {
  readonly method: 'GET' | 'HEAD'
  readonly path: string
  readonly headers: Headers
}

/** RFC 9113 section 8.4: only what may be cached, and only what the server speaks for; `undefined` for anything else. */
export function pushedRequest(
  raw: readonly string[],
  scheme: string,
  authority: string,
): PushedRequest | undefined {
  const pseudo = new Map<string, string>()
  for (let i = 0; i + 1 < raw.length; i += 2) pseudo.set(raw[i] as string, raw[i + 1] as string)
  const method = pseudo.get(':method')
  const isOurs = pseudo.get(':scheme') === scheme && pseudo.get(':authority') === authority
  if (!isOurs || (method !== 'GET' && method !== 'HEAD')) return undefined
  return { method, path: pseudo.get(':path') ?? '', headers: headersOf(raw) }
}
