/** Header fields as Node's HTTP/2 takes and gives them. */

import type { Headers } from '../words.js'

/** The fields that concern one connection of HTTP/1.1 (RFC 9113 section 8.2.2), and are left out. */
const OF_HTTP1 = new Set([
  'connection',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])
// Such a name would fail Node's session as a whole, and such a value would end early within it.
const wrongName = /[^!#$%&'*+\-.^_`|~0-9a-z]/
const wrongValue = /[\0\u0100-\uffff]/

export type HeaderBlock = Record<string, string | string[]>

/** Gives header fields as Node takes them. Throws a TypeError for those that Node cannot send, unless `isChecked`. */
export function headerBlock(pseudo: HeaderBlock, headers: Headers, isChecked: boolean): HeaderBlock {
  const block = pseudo
  if (!isChecked) for (const name in pseudo) checkValue(name, pseudo[name] as string)
  for (const [name, value] of headers) {
    if (OF_HTTP1.has(name) || (name === 'te' && value !== 'trailers')) continue
    if (!isChecked) checkField(name, value)
    // A header may have the name of a property that every object inherits.
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

/** Gives the header fields of a message of Node's without the pseudo-header fields. */
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

/**
 * Reads the request of a push; `undefined` for one that may not be cached or that the server does not speak for (RFC 9113
 * section 8.4).
 */
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
