/** One request and its response: what is to be sent, how far that is, and how the response is to be taken. */

import type { ContentChain } from '../content/chain.js'
import { headerValue } from '../headers.js'
import type { Headers, IsFin } from '../messages.js'
import type { StreamRef } from '../stream-ref.js'
import type { Handshake } from '../ws/handshake.js'
import type { Host, UpgradeCommand } from './contract.js'
import { type Framing, LAST_CHUNK, writeChunk } from './request.js'

/** What a stream is made of. */
export interface StreamInit {
  readonly ref: StreamRef
  readonly function: 'headers' | 'request' | 'wsUpgrade'
  readonly method: string
  readonly path: string
  readonly headers: Headers
  readonly framing: Framing
  readonly flow: number
  readonly upgrade?: { readonly handshake: Handshake; readonly command: UpgradeCommand }
}

export class HttpStream {
  readonly ref: StreamRef
  readonly function: StreamInit['function']
  readonly method: string
  readonly path: string
  /** Without the cookies of the store. */
  readonly headers: Headers
  readonly framing: Framing
  /** An upgrade that has not been answered yet. */
  upgrade: StreamInit['upgrade']

  /** The store's cookies; `undefined` until it has given them. */
  cookies: string | undefined
  /** The store was asked for them. */
  isAsking = false
  /** What was given of the body and not sent yet. */
  readonly held: Uint8Array[] = []
  /** How many bytes of the body were given. */
  #given = 0
  /** The caller has given the whole body. */
  isComplete = false
  /** The body waits for the peer to say `100 Continue`. */
  isExpecting: boolean

  /** How many messages of the body are still wanted. */
  credit: number
  /** What handles the body. */
  chain: ContentChain | undefined
  /** Nothing more is posted. */
  isCancelled = false
  /** How many bytes the body has. */
  length: number | undefined
  /** How many of them have come. */
  received = 0
  /** How many of those that its content handlers were given last no message of theirs stands for yet. */
  undelivered = 0
  /** How many have come since it was cancelled. */
  dropped = 0
  /** All of it has come. */
  isReceived = false
  hasTrailers = false

  constructor(init: StreamInit) {
    this.ref = init.ref
    this.function = init.function
    this.method = init.method
    this.path = init.path
    this.headers = init.headers
    this.framing = init.framing
    this.upgrade = init.upgrade
    this.credit = init.flow
    this.isExpecting =
      init.framing.type !== 'none' && headerValue(init.headers, 'expect')?.toLowerCase() === '100-continue'
  }

  /** The value of the host header. */
  get authority(): string {
    return headerValue(this.headers, 'host') ?? ''
  }

  /** The peer is asked to close the connection after its response. */
  get isLast(): boolean {
    const connection = headerValue(this.headers, 'connection')
    if (connection === undefined) return false
    return connection.split(',').some(option => option.trim().toLowerCase() === 'close')
  }

  /** Why a part of the body cannot be taken; `undefined` when it can. */
  problemWith(isFin: IsFin, chunk: Uint8Array): string | undefined {
    const { framing } = this
    if (framing.type !== 'length') return undefined
    const length = this.#given + chunk.length
    if (length === framing.length || (length < framing.length && isFin === 'nofin')) return undefined
    return `the body has ${length} bytes, not the ${framing.length} that its content-length says`
  }

  /** Frames a part of the body and keeps it until it may be sent. */
  hold(isFin: IsFin, chunk: Uint8Array): void {
    this.#given += chunk.length
    if (this.framing.type === 'chunked') {
      this.held.push(...writeChunk(chunk))
      if (isFin === 'fin') this.held.push(LAST_CHUNK)
    } else if (chunk.length > 0) {
      this.held.push(chunk)
    }
    if (isFin === 'fin') this.isComplete = true
  }
}

/** What a cookie store is asked about. */
export function urlOf(stream: HttpStream, { scheme }: Pick<Host, 'scheme'>): string {
  // RFC 9110 section 7.1: `*` stands for no path.
  const path = stream.path.startsWith('/') ? stream.path : ''
  return `${scheme}://${stream.authority}${path}`
}
