/** The framing of a request's body, and the header fields that belong to it (RFC 9112 section 6). */

import { headerValue } from '../headers.js'
import type { Origin } from '../options/host.js'
import type { Headers } from '../words.js'

/** How a request marks the end of its body: by having none, by a length, by chunks, or by its carrier. */
export type Framing =
  | { readonly type: 'none' }
  | { readonly type: 'length'; readonly length: number }
  | { readonly type: 'chunked' }
  /** The end is marked by the carrier: an HTTP/2 stream has an end of its own. */
  | { readonly type: 'open' }

/** Returns the framing stated by the caller's headers; `undefined` if they state none. */
export function framingOf(headers: Headers): Framing | undefined {
  const length = headerValue(headers, 'content-length')
  if (length !== undefined) return { type: 'length', length: Number(length) }
  return headerValue(headers, 'transfer-encoding') === undefined ? undefined : { type: 'chunked' }
}

/**
 * Returns the framing like `framingOf`. For a whole body without a length it adds `content-length` to the
 * headers (RFC 9110 section 8.6).
 */
export function frame(
  headers: (readonly [string, string])[],
  method: string,
  body: Uint8Array | undefined,
): Framing | undefined {
  const framing = framingOf(headers)
  if (framing !== undefined || body === undefined) return framing
  if (body.length === 0 && !expectsBody(method)) return { type: 'none' }
  headers.push(['content-length', String(body.length)])
  return { type: 'length', length: body.length }
}

function expectsBody(method: string): boolean {
  return method === 'POST' || method === 'PUT' || method === 'PATCH'
}

/** Throws a TypeError if the headers state the body's length in a way that cannot be sent. */
export function checkFraming(headers: Headers, body: Uint8Array | undefined): void {
  const length = headerValue(headers, 'content-length')
  const coding = headerValue(headers, 'transfer-encoding')
  if (length !== undefined && coding !== undefined) {
    throw new TypeError('headers: content-length and transfer-encoding exclude each other')
  }
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
    throw new TypeError(`headers: transfer-encoding can only be chunked, not ${coding}`)
  }
  if (length === undefined) return
  if (!/^\d{1,15}$/.test(length)) throw new TypeError(`headers: content-length ${length} is not a length`)
  if (body !== undefined && Number(length) !== body.length) {
    throw new TypeError(`headers: content-length is ${length}, but the body has ${body.length} bytes`)
  }
}

/** Returns the target of a CONNECT, which names the port in any case (RFC 9110 section 9.3.6). */
export function targetOf({ host, port }: Origin): string {
  return `${host.uriHost}:${port}`
}

/** Returns the header fields with a host first, unless they have one. */
export function withHost(headers: Headers, authority: string): (readonly [string, string])[] {
  return headerValue(headers, 'host') === undefined ? [['host', authority], ...headers] : [...headers]
}

/**
 * Returns the header fields with the store's cookies behind the caller's in one field, since only one is
 * allowed (RFC 6265 section 5.4).
 */
export function withCookies(headers: Headers, cookies: string): Headers {
  const callerCookies = headers.filter(([name]) => name === 'cookie').map(([, value]) => value)
  const others = headers.filter(([name]) => name !== 'cookie')
  return [...others, ['cookie', [...callerCookies, cookies].join('; ')]]
}

/**
 * Fields forbidden in trailers (RFC 9110 section 6.5.1): those that frame, route, authenticate or describe
 * the message.
 */
const NOT_IN_TRAILERS = new Set([
  'authorization',
  'cache-control',
  'connection',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'expect',
  'host',
  'keep-alive',
  'max-forwards',
  'pragma',
  'proxy-authorization',
  'proxy-connection',
  'range',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Throws a TypeError that names a header that is forbidden in trailers. */
export function checkTrailers(headers: Headers): void {
  const wrong = headers.find(([name]) => NOT_IN_TRAILERS.has(name))
  if (wrong !== undefined) throw new TypeError(`headers: ${wrong[0]} may not stand in trailers`)
}
