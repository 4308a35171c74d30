/** The states between two values: what the next byte belongs to, and what the end of the input means there. */

import type { BodyEnd } from './framing.js'

/** The part of a response that the next byte belongs to. */
export type State =
  /** A response that has not begun. */
  | 'between'
  | 'head'
  /** A body of a known length. */
  | 'length'
  /** A body that ends with the connection. */
  | 'connection'
  | 'chunk size'
  | 'chunk'
  | 'chunk end'
  | 'trailers'
  /** Another protocol. */
  | 'left'

/** Where a response breaks off if the input ends in that state (RFC 9112 section 8); in the other states it does not. */
export const BREAKS: Partial<Record<State, 'head' | 'body' | 'trailers'>> = {
  head: 'head',
  length: 'body',
  'chunk size': 'body',
  chunk: 'body',
  'chunk end': 'body',
  trailers: 'trailers',
}

/** The state behind a head, by where its body ends. */
export const BEHIND_HEAD: Record<BodyEnd, State> = {
  head: 'between',
  length: 'length',
  'last chunk': 'chunk size',
  connection: 'connection',
}
