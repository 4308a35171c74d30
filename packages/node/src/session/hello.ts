/** Two nodes say who they are, and each shows that it knows the cookie without saying it. */

import { createHmac, randomBytes, randomInt, timingSafeEqual } from 'node:crypto'
import type { Identity } from '../identity.js'
import { VERSION } from './packet.js'

/** Says who a node is, and which number it has given the session. */
export interface Hello extends Identity {
  readonly version: number
  readonly session: number
  /** The most bytes that the node lets be under way; the other side acknowledges what comes soon enough for that. */
  readonly window?: number
  /** A number used once, which the proof of the other side must contain. */
  readonly nonce: string
  /** Whether the hello answers one, so that it needs no answer. */
  readonly isAnswer?: boolean
}

/** Begins the hello of a session. */
export function makeHello({ name, incarnation }: Identity, window: number): Hello {
  // Not 0, which stands for a session that has no number yet.
  const session = randomInt(1, 2 ** 32)
  return {
    version: VERSION,
    name,
    incarnation,
    session,
    window,
    nonce: randomBytes(16).toString('base64url'),
  }
}

/** Reads a hello; `undefined` if the words are none. Only the version and the name of a hello of another version can be relied on. */
export function readHello(words: Readonly<Record<string, unknown>> | undefined): Hello | undefined {
  if (typeof words?.version !== 'number' || typeof words.name !== 'string') return undefined
  const isText = [words.incarnation, words.nonce].every(value => typeof value === 'string')
  if (words.version === VERSION && !(isText && typeof words.session === 'number')) return undefined
  return words as unknown as Hello
}

/** Gives the proof of `own`, which must contain all that both sides have said: a proof cannot be used in another session. */
export function prove(cookie: string, own: Hello, peer: Hello): string {
  const said = [own, peer].map(({ version, name, incarnation, session, nonce }) => {
    return [version, name, incarnation, session, nonce]
  })
  return createHmac('sha256', cookie).update(JSON.stringify(said)).digest('base64url')
}

/** Whether `proof` is the one that `peer` should give. */
export function isProven(cookie: string, own: Hello, peer: Hello, proof: unknown): boolean {
  if (typeof proof !== 'string') return false
  const [wanted, given] = [prove(cookie, peer, own), proof].map(text => Buffer.from(text))
  return (
    wanted !== undefined &&
    given !== undefined &&
    wanted.length === given.length &&
    timingSafeEqual(wanted, given)
  )
}
