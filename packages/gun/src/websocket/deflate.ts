/** permessage-deflate (RFC 7692): what is offered, what may be agreed on, and ws's engine that does it. */

import { extension, PerMessageDeflate } from 'ws'
import type { CompressOpts } from '../options/websocket.js'

const NAME = PerMessageDeflate.extensionName

/** Messages of fewer bytes are not worth the CPU. */
export const COMPRESS_THRESHOLD = 1024

/** RFC 7692 section 7.1.2. */
const MOST_BITS = 15

/** An offer under way: the header's value, and the engine that judges the answer. */
export interface Offer {
  readonly value: string
  readonly opts: CompressOpts
  readonly engine: PerMessageDeflate
}

export function offerDeflate(opts: CompressOpts, maxPayload: number): Offer {
  const { level, memLevel, threshold: _, clientNoContextTakeover, ...params } = opts
  const engine = new PerMessageDeflate({
    ...params,
    // ws takes false for a refusal, but a server may always ask for this (RFC 7692 section 7.1.1.2).
    ...(clientNoContextTakeover && { clientNoContextTakeover }),
    isServer: false,
    // ws keeps it in 32 bits, and what is longer could not be held anyway.
    maxPayload: Math.min(maxPayload, 2 ** 31 - 1),
    zlibDeflateOptions: {
      ...(level !== undefined && { level }),
      ...(memLevel !== undefined && { memLevel }),
    },
  })
  return { value: extension.format({ [NAME]: engine.offer() }), opts, engine }
}

/**
 * The deflation that the server has agreed to, `undefined` if it has declined. Throws an Error that says what is wrong
 * with an answer that goes beyond the offer.
 */
export function agreeOn(offer: Offer | undefined, answer: string | undefined): Deflation | undefined {
  if (answer === undefined) return undefined
  const { [NAME]: answers, ...others } = extension.parse(answer)
  const [other] = Object.keys(others)
  if (other !== undefined) throw new Error(`the extension ${other} was not offered`)
  if (offer === undefined || answers === undefined) throw new Error(`the extension ${NAME} was not offered`)
  if (answers.length > 1) throw new Error(`the extension ${NAME} must be accepted once`)
  const [given = {}] = answers
  for (const [name, [value]] of Object.entries(given)) {
    // ws takes all that Number does, 0xA and 1e1 too; section 7.1.2 wants decimal digits without leading zeroes.
    if (name.endsWith('_max_window_bits') && !/^([89]|1[0-5])$/.test(String(value))) {
      throw new Error(`Invalid value for parameter "${name}": ${value}`)
    }
  }
  const { opts, engine } = offer
  const params = engine.accept(answers)
  // RFC 7692 section 7.1: a server that cannot do what is asked of it has to decline.
  if (opts.serverNoContextTakeover && !params.server_no_context_takeover) {
    throw new Error('the answer lacks server_no_context_takeover, which was asked for')
  }
  const { serverMaxWindowBits = MOST_BITS } = opts
  // By the RFC it also has to repeat this. Those that do not know it are common, and any window can be inflated here.
  if ((params.server_max_window_bits ?? 0) > serverMaxWindowBits) {
    throw new Error(`server_max_window_bits must be at most ${serverMaxWindowBits}`)
  }
  // Having said so we do without, whether or not the server has repeated it (section 7.1.1.2).
  if (opts.clientNoContextTakeover) params.client_no_context_takeover = true
  return new Deflation(engine, opts.threshold ?? COMPRESS_THRESHOLD, answer)
}

/** Compresses and inflates the messages of one WebSocket, in order. How many at once is bounded for the whole program. */
export class Deflation {
  readonly #engine: PerMessageDeflate
  /** Messages of fewer bytes are sent as they are. */
  readonly threshold: number
  /** The header's value that the server answered with. */
  readonly answer: string
  /** Jobs that the engine has not answered. */
  #pending = 0
  #ended = false

  constructor(engine: PerMessageDeflate, threshold: number, answer: string) {
    this.#engine = engine
    this.threshold = threshold
    this.answer = answer
  }

  /** Gives the whole message, or the error that stopped it before it was longer than the limit. */
  inflate(bytes: Buffer, done: (error: Error | null, data: Buffer) => void): void {
    this.#pending++
    this.#engine.decompress(bytes, true, (error, data) => {
      if (this.#goesOn()) done(error, data)
    })
  }

  deflate(bytes: string | Uint8Array, done: (data: Buffer) => void): void {
    this.#pending++
    this.#engine.compress(bytes, true, (_, data) => {
      if (this.#goesOn()) done(data)
    })
  }

  /** Gives the memory back. Nothing is called any more. */
  end(): void {
    this.#ended = true
    this.#cleanUp()
  }

  #goesOn(): boolean {
    this.#pending--
    if (this.#ended) this.#cleanUp()
    return !this.#ended
  }

  /** Not while the engine works: it would lose a place among those that may work at once, or fail on what is gone. */
  #cleanUp(): void {
    if (this.#pending === 0) this.#engine.cleanup()
  }
}
