/** permessage-deflate (RFC 7692) of one WebSocket: what was offered, and what the two sides have made of that. */

import { createDeflateRaw, createInflateRaw } from 'node:zlib'
import type { CompressOpts } from '../options/websocket.js'
import { Context, canRun, UNUSED } from './context.js'
import { Deflater } from './deflater.js'
import { Inflater } from './inflater.js'
import { type Agreed, judge, offerOf } from './negotiation.js'
import { Shelf, sharedShelf } from './shelf.js'

/** The default size in bytes from which compressing a message is worth the CPU time. */
export const COMPRESS_THRESHOLD = 1024

/** An offer under way. */
export interface Offer {
  /** The value of the header. */
  readonly value: string
  readonly opts: CompressOpts
  readonly maxPayload: number
}

/** Returns an offer of compression; `undefined` if this version of Node cannot compress within a call. */
export function offerDeflate(opts: CompressOpts, maxPayload: number): Offer | undefined {
  return canRun() ? { value: offerOf(opts), opts, maxPayload } : undefined
}

/**
 * Returns the deflation that the server has accepted, or `undefined` if it declined. Throws an Error that
 * describes the fault if the answer exceeds the offer.
 */
export function agreeOn(offer: Offer | undefined, answer: string | undefined): Deflation | undefined {
  if (answer === undefined) return undefined
  const agreed = judge(offer?.opts, answer)
  return offer && new Deflation(offer, agreed, answer)
}

/** Compresses and inflates the messages of one WebSocket. */
export class Deflation {
  readonly deflater: Deflater
  readonly inflater: Inflater
  /** The size in bytes from which messages are compressed. */
  readonly threshold: number
  /** The value of the header that the server answered with. */
  readonly answer: string

  constructor({ opts, maxPayload }: Offer, agreed: Agreed, answer: string) {
    this.deflater = new Deflater(deflateShelf(opts, agreed))
    this.inflater = new Inflater(inflateShelf(agreed), maxPayload)
    this.threshold = opts.threshold ?? COMPRESS_THRESHOLD
    this.answer = answer
  }

  /** Lets go of the memory, and forgets messages under way. */
  dispose(): void {
    this.deflater.dispose()
    this.inflater.dispose()
  }
}

function deflateShelf({ level, memLevel }: CompressOpts, agreed: Agreed): Shelf {
  const windowBits = agreed.clientMaxWindowBits
  const options = {
    ...UNUSED,
    windowBits,
    ...(level !== undefined && { level }),
    ...(memLevel !== undefined && { memLevel }),
  }
  const make = () => new Context(createDeflateRaw(options))
  if (!agreed.clientNoContextTakeover) return new Shelf(make, false)
  return sharedShelf(`deflate ${windowBits} ${level} ${memLevel}`, make)
}

function inflateShelf(agreed: Agreed): Shelf {
  const windowBits = agreed.serverMaxWindowBits
  const make = () => new Context(createInflateRaw({ ...UNUSED, windowBits }))
  if (!agreed.serverNoContextTakeover) return new Shelf(make, false)
  return sharedShelf(`inflate ${windowBits}`, make)
}

/** Returns the most bytes that `size` bytes can become when they are compressed, as zlib computes it: more than `size`. */
export function deflateBound(size: number): number {
  return size + size / 8 + size / 64 + 64
}
