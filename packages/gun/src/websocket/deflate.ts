/** permessage-deflate (RFC 7692): the offer, the check of the server's answer, and the result of both. */

import { createDeflateRaw, createInflateRaw } from 'node:zlib'
import { type DeflateParams, extension, PerMessageDeflate } from 'ws'
import type { CompressOpts } from '../options/websocket.js'
import { Context, canRun, UNUSED } from './context.js'
import { Deflater } from './deflater.js'
import { Inflater } from './inflater.js'
import { Shelf, sharedShelf } from './shelf.js'

const NAME = PerMessageDeflate.extensionName

/** The default size in bytes from which compressing a message is worth the CPU time. */
export const COMPRESS_THRESHOLD = 1024

/** RFC 7692 section 7.1.2. */
const MOST_BITS = 15

/** An offer under way: the value of the header, and what checks the answer. */
export interface Offer {
  readonly value: string
  readonly opts: CompressOpts
  readonly maxPayload: number
  readonly engine: PerMessageDeflate
}

/** Returns an offer of compression; `undefined` if this version of Node cannot compress within a call. */
export function offerDeflate(opts: CompressOpts, maxPayload: number): Offer | undefined {
  if (!canRun()) return undefined
  const { level: _, memLevel: __, threshold: ___, clientNoContextTakeover, ...params } = opts
  const engine = new PerMessageDeflate({
    ...params,
    // ws refuses the parameter if the option is false, but a server may always ask for it (RFC 7692 section
    // 7.1.1.2).
    ...(clientNoContextTakeover && { clientNoContextTakeover }),
    isServer: false,
  })
  return { value: extension.format({ [NAME]: engine.offer() }), opts, maxPayload, engine }
}

/**
 * Returns the deflation that the server has accepted, or `undefined` if it declined. Throws an Error that
 * describes the fault if the answer exceeds the offer.
 */
export function agreeOn(offer: Offer | undefined, answer: string | undefined): Deflation | undefined {
  if (answer === undefined) return undefined
  const { [NAME]: answers, ...others } = extension.parse(answer)
  const [other] = Object.keys(others)
  if (other !== undefined) throw new Error(`the extension ${other} was not offered`)
  if (offer === undefined || answers === undefined) throw new Error(`the extension ${NAME} was not offered`)
  if (answers.length > 1) throw new Error(`the extension ${NAME} must be accepted once`)
  const [accepted = {}] = answers
  for (const [name, [value]] of Object.entries(accepted)) {
    // ws accepts whatever Number parses, such as 0xA and 1e1; section 7.1.2 requires decimal digits without
    // leading zeroes.
    if (name.endsWith('_max_window_bits') && !/^([89]|1[0-5])$/.test(String(value))) {
      throw new Error(`Invalid value for parameter "${name}": ${value}`)
    }
  }
  const { opts, engine } = offer
  const params = engine.accept(answers)
  // RFC 7692 section 7.1: a server that cannot fulfil a requested parameter has to decline.
  if (opts.serverNoContextTakeover && !params.server_no_context_takeover) {
    throw new Error('the answer lacks server_no_context_takeover, which was asked for')
  }
  const { serverMaxWindowBits = MOST_BITS } = opts
  // The RFC also requires the server to repeat this parameter. Servers that do not are common, and any window
  // can be inflated here.
  if ((params.server_max_window_bits ?? 0) > serverMaxWindowBits) {
    throw new Error(`server_max_window_bits must be at most ${serverMaxWindowBits}`)
  }
  // A client that has offered this works without context takeover, whether or not the server repeats it
  // (section 7.1.1.2).
  if (opts.clientNoContextTakeover) params.client_no_context_takeover = true
  return new Deflation(offer, params, answer)
}

/** Compresses and inflates the messages of one WebSocket. */
export class Deflation {
  readonly deflater: Deflater
  readonly inflater: Inflater
  /** The size in bytes from which messages are compressed. */
  readonly threshold: number
  /** The value of the header that the server answered with. */
  readonly answer: string

  constructor({ opts, maxPayload }: Offer, params: DeflateParams, answer: string) {
    this.deflater = new Deflater(deflateShelf(opts, params))
    this.inflater = new Inflater(inflateShelf(params), maxPayload)
    this.threshold = opts.threshold ?? COMPRESS_THRESHOLD
    this.answer = answer
  }

  /** Lets go of the memory, and forgets messages under way. */
  dispose(): void {
    this.deflater.dispose()
    this.inflater.dispose()
  }
}

function deflateShelf({ level, memLevel }: CompressOpts, params: DeflateParams): Shelf {
  const { client_max_window_bits: windowBits = MOST_BITS } = params
  const options = {
    ...UNUSED,
    windowBits,
    ...(level !== undefined && { level }),
    ...(memLevel !== undefined && { memLevel }),
  }
  const make = () => new Context(createDeflateRaw(options))
  if (!params.client_no_context_takeover) return new Shelf(make, false)
  return sharedShelf(`deflate ${windowBits} ${level} ${memLevel}`, make)
}

function inflateShelf(params: DeflateParams): Shelf {
  const { server_max_window_bits: windowBits = MOST_BITS } = params
  const make = () => new Context(createInflateRaw({ ...UNUSED, windowBits }))
  if (!params.server_no_context_takeover) return new Shelf(make, false)
  return sharedShelf(`inflate ${windowBits}`, make)
}

/** Returns the most bytes that `size` bytes can become when they are compressed, as zlib computes it: more than `size`. */
export function deflateBound(size: number): number {
  return size + size / 8 + size / 64 + 64
}
