/**
 * permessage-deflate (RFC 7692): the offer, the check of the server's answer, and the compression by the
 * engine of ws.
 */

import { extension, PerMessageDeflate } from 'ws'
import type { CompressOpts } from '../options/websocket.js'

const NAME = PerMessageDeflate.extensionName

/** The default size in bytes from which compressing a message is worth the CPU time. */
export const COMPRESS_THRESHOLD = 1024

/** RFC 7692 section 7.1.2. */
const MOST_BITS = 15

/** An offer under way: the value of the header, and the engine that checks the answer. */
export interface Offer {
  readonly value: string
  readonly opts: CompressOpts
  readonly engine: PerMessageDeflate
}

/** Returns an offer of compression. */
export function offerDeflate(opts: CompressOpts, maxPayload: number): Offer {
  const { level, memLevel, threshold: _, clientNoContextTakeover, ...params } = opts
  const engine = new PerMessageDeflate({
    ...params,
    // ws refuses the parameter if the option is false, but a server may always ask for it (RFC 7692 section
    // 7.1.1.2).
    ...(clientNoContextTakeover && { clientNoContextTakeover }),
    isServer: false,
    // ws keeps the limit in 32 bits, and a longer message could not be held anyway.
    maxPayload: Math.min(maxPayload, 2 ** 31 - 1),
    zlibDeflateOptions: {
      ...(level !== undefined && { level }),
      ...(memLevel !== undefined && { memLevel }),
    },
  })
  return { value: extension.format({ [NAME]: engine.offer() }), opts, engine }
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
  return new Deflation(engine, opts.threshold ?? COMPRESS_THRESHOLD, answer)
}

/**
 * Compresses and inflates the messages of one WebSocket, in order. The number of concurrent jobs is limited
 * for the whole program.
 */
export class Deflation {
  readonly #engine: PerMessageDeflate
  /** The size in bytes from which messages are compressed. */
  readonly threshold: number
  /** The value of the header that the server answered with. */
  readonly answer: string
  /** How many jobs the engine has not answered. */
  #pending = 0
  #isDisposed = false

  constructor(engine: PerMessageDeflate, threshold: number, answer: string) {
    this.#engine = engine
    this.threshold = threshold
    this.answer = answer
  }

  /** Calls `done` with the whole message, or with the error that stopped it before it exceeded the limit. */
  inflate(bytes: Buffer, done: (error: Error | null, data: Buffer) => void): void {
    this.#pending++
    this.#engine.decompress(bytes, true, (error, data) => {
      if (this.#goesOn()) done(error, data)
    })
  }

  /** Calls `done` with the compressed message. */
  deflate(bytes: string | Uint8Array, done: (data: Buffer) => void): void {
    this.#pending++
    this.#engine.compress(bytes, true, (_, data) => {
      if (this.#goesOn()) done(data)
    })
  }

  /** Lets go of the memory; `done` of pending jobs is not called any more. */
  dispose(): void {
    this.#isDisposed = true
    this.#cleanUp()
  }

  /** Takes note that the engine has done a job. Gives whether its result is still wanted. */
  #goesOn(): boolean {
    this.#pending--
    if (this.#isDisposed) this.#cleanUp()
    return !this.#isDisposed
  }

  /**
   * Waits for the engine's jobs: cleaning up before would lose a place among the concurrent jobs, or fail on
   * data that is gone.
   */
  #cleanUp(): void {
    if (this.#pending === 0) this.#engine.cleanup()
  }
}

/** Returns the most bytes that `size` bytes can become when they are compressed, as zlib computes it: more than `size`. */
export function deflateBound(size: number): number {
  return size + size / 8 + size / 64 + 64
}
