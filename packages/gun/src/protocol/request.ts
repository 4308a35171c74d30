/** How a request is written (RFC 9112 section 3 and 6): its head, and the framing of its body. */

import { headerValue } from '../headers.js'
import type { Headers } from '../messages.js'
import type { Origin } from '../transport/contract.js'

/** How the end of a request's body is told: not at all, by counting, or by chunks. */
export type Framing =
  | { readonly type: 'none' }
  | { readonly type: 'length'; readonly length: number }
  | { readonly type: 'chunked' }

/** The framing that the caller's headers ask for. */
export function framingOf(headers: Headers): Framing | undefined {
  const length = headerValue(headers, 'content-length')
  if (length !== undefined) return { type: 'length', length: Number(length) }
  return headerValue(headers, 'transfer-encoding') === undefined ? undefined : { type: 'chunked' }
}

/** Throws a TypeError when headers state the length of the body in a way that cannot be sent. */
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

/** The head of a request, ready to be sent. */
export function writeHead(method: string, path: string, version: string, headers: Headers): Buffer {
  let head = `${method} ${path} ${version}\r\n`
  for (const [name, value] of headers) head += `${name}: ${value}\r\n`
  return Buffer.from(`${head}\r\n`, 'latin1')
}

/** The pieces of one chunk of a chunked body. */
export function writeChunk(chunk: Uint8Array): readonly Uint8Array[] {
  return chunk.length === 0 ? [] : [Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, CRLF]
}

export const LAST_CHUNK: Uint8Array = Buffer.from('0\r\n\r\n')
const CRLF: Uint8Array = Buffer.from('\r\n')

/** The host header: no default port, brackets around IPv6 (RFC 9110 section 7.2). */
export function authorityOf({ host, port }: Origin, transport: 'tcp' | 'tls'): string {
  const name = host.includes(':') ? `[${host}]` : host
  return port === (transport === 'tls' ? 443 : 80) ? name : `${name}:${port}`
}
