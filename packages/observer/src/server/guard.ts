/**
 * The guard lets in who may look. A page of another site must not: not by its own requests (`Origin`), and not by having its name lead to
 * this machine (`Host`, DNS rebinding).
 */

import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { SUBPROTOCOL } from '../words.js'

/** Why a request is refused. */
export interface Refusal {
  readonly status: 401 | 403
  readonly text: string
}

const BEARER = /^bearer +(\S+)$/i
/** The prefix of the subprotocol in which a page offers the token. */
const TOKEN = 'token.'

/** Checks requests. */
export class Guard {
  readonly #names: ReadonlySet<string>
  readonly #token: Buffer | undefined

  /** `names` are those by which the machine is reached, beside its addresses. */
  constructor(names: readonly string[], token: string | undefined) {
    this.#names = new Set(['localhost', hostname(), ...names].map(name => name.toLowerCase()))
    this.#token = token === undefined ? undefined : digest(token)
  }

  /** Says why nobody may ask in this way; `undefined`: the request is one of this site, or of a program. */
  refuse({ headers }: IncomingMessage): Refusal | undefined {
    const { host, origin } = headers
    if (host === undefined || !this.#isKnown(host)) {
      return {
        status: 403,
        text: 'The host of this request is none of those that the observer was told of (allowedHosts).',
      }
    }
    if (origin !== undefined && !isSameSite(origin, host)) {
      return { status: 403, text: 'Pages of other sites may not look.' }
    }
    // Browsers say so of requests without an origin, such as images.
    if (headers['sec-fetch-site'] === 'cross-site')
      return { status: 403, text: 'Pages of other sites may not look.' }
    return undefined
  }

  /** Says why who asks may not look: it does not know the token. */
  refuseStranger({ headers }: IncomingMessage): Refusal | undefined {
    if (this.#token === undefined) return undefined
    const given = BEARER.exec(headers.authorization ?? '')?.[1] ?? offered(headers['sec-websocket-protocol'])
    if (given !== undefined && timingSafeEqual(digest(given), this.#token)) return undefined
    return {
      status: 401,
      text: 'The token is missing or wrong: it is part of the address that the program has printed.',
    }
  }

  #isKnown(host: string): boolean {
    const name = host.replace(/:\d*$/, '').toLowerCase()
    const bare = name.replace(/^\[|\]$/g, '')
    // No name leads to an address, so that no other site's name can.
    return isIP(bare) !== 0 || this.#names.has(bare.replace(/\.$/, ''))
  }
}

/** Gives the token that is offered as a subprotocol. */
function offered(protocols: string | undefined): string | undefined {
  const [, token] = new RegExp(`(?:^|,)\\s*${TOKEN}([\\w-]+)\\s*(?:,|$)`).exec(protocols ?? '') ?? []
  return token === undefined ? undefined : Buffer.from(token, 'base64url').toString()
}

/** Chooses the subprotocol: never the one that holds the token, which an answer would repeat. */
export function chooseProtocol(protocols: ReadonlySet<string>): string | false {
  return protocols.has(SUBPROTOCOL) ? SUBPROTOCOL : false
}

function isSameSite(origin: string, host: string): boolean {
  return (
    URL.canParse(origin) &&
    new URL(origin).host.toLowerCase() === withoutDefaultPort(host.toLowerCase(), origin)
  )
}

function withoutDefaultPort(host: string, origin: string): string {
  return host.replace(origin.startsWith('https:') ? /:443$/ : /:80$/, '')
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
