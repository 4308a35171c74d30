/** Reads a response, trailers or a promised request from a list of header fields that keeps to the rules (RFC 9113 section 8). */

import { type Field, LENGTH, PSEUDO, REGULAR } from './field.js'

export type Headers = readonly (readonly [name: string, value: string])[]

/** The head of a response, interim or final. */
export interface ResponseHead {
  readonly status: number
  readonly headers: Headers
  /** How many bytes the body is to have, where the head says so. */
  readonly length: number | undefined
}

/** The request that a push answers. */
export interface PromisedRequest {
  readonly method: string
  readonly scheme: string
  readonly authority: string | undefined
  readonly path: string
  readonly headers: Headers
}

/** Reads the head of a response; `undefined`: it is malformed (RFC 9113 section 8.3.2). */
export function readResponse(fields: readonly Field[]): ResponseHead | undefined {
  const first = fields[0]
  if (first === undefined || first.pair[0] !== ':status') return undefined
  const status = statusOf(first.pair[1])
  if (status === undefined) return undefined
  const headers: (readonly [string, string])[] = []
  let length: number | undefined
  for (let i = 1; i < fields.length; i++) {
    const { kind, pair } = fields[i] as Field
    if (kind === LENGTH) {
      // Two of them are two answers to one question.
      if (length !== undefined || !/^\d{1,15}$/.test(pair[1])) return undefined
      length = Number(pair[1])
    } else if (kind !== REGULAR) {
      return undefined
    }
    headers.push(pair)
  }
  return { status, headers, length }
}

/** Reads trailers; `undefined`: they are malformed (RFC 9113 section 8.1). */
export function readTrailers(fields: readonly Field[]): Headers | undefined {
  const headers: (readonly [string, string])[] = []
  for (const { kind, pair } of fields) {
    if (kind !== REGULAR && kind !== LENGTH) return undefined
    headers.push(pair)
  }
  return headers
}

/** Reads a promised request; `undefined`: it is malformed (RFC 9113 sections 8.3.1 and 8.4). */
export function readRequest(fields: readonly Field[]): PromisedRequest | undefined {
  const pseudo = new Map<string, string>()
  const headers: (readonly [string, string])[] = []
  for (const { kind, pair } of fields) {
    if (kind === PSEUDO) {
      if (headers.length > 0 || pseudo.has(pair[0]) || !OF_REQUEST.has(pair[0])) return undefined
      pseudo.set(pair[0], pair[1])
    } else if (kind === REGULAR || (kind === LENGTH && pair[1] === '0')) {
      // A promised request has no content.
      headers.push(pair)
    } else {
      return undefined
    }
  }
  const method = pseudo.get(':method')
  const scheme = pseudo.get(':scheme')
  const path = pseudo.get(':path')
  // Any other path would be taken for a part of the authority, or be none.
  if (method === undefined || scheme === undefined || !path?.startsWith('/')) return undefined
  return { method, scheme, authority: pseudo.get(':authority'), path, headers }
}

const OF_REQUEST: ReadonlySet<string> = new Set([':method', ':scheme', ':authority', ':path'])

/** Returns the number of a status of three digits. */
function statusOf(text: string): number | undefined {
  if (text.length !== 3) return undefined
  let status = 0
  for (let i = 0; i < 3; i++) {
    const digit = text.charCodeAt(i) - 0x30
    if (digit < 0 || digit > 9) return undefined
    status = 10 * status + digit
  }
  return status >= 100 ? status : undefined
}
