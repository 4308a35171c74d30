/** Bytes in, messages out (RFC 6455 section 5): parsed where they lie, and never a message more than is wanted. */

import { constants } from 'node:buffer'
import { GunError } from '../errors.js'
import { Slice } from '../transport/slice.js'
import type { WsFrameIn } from '../words.js'
import type { Deflation } from './deflate.js'
import { isSendable } from './frame.js'
import { BINARY, CLOSE, CONTINUATION, FIN, MASK, PING, PONG, RSV1, RSV2_AND_3, TEXT } from './opcode.js'
import { Payload } from './payload.js'
import { textOf } from './text.js'

/** What inbound tells the protocol. Whatever it is told, it may hold or end inbound. */
export interface InboundHandler {
  /** A whole message or a control frame; `bytes` is the size of its payload. */
  onFrame(frame: WsFrameIn, bytes: number): void
  /** Nothing follows. `code` is the close code that answers this error (RFC 6455 section 7.4.1). */
  onError(error: GunError, code: number): void
  /** What has come waits for the next turn of the event loop: until all was handed on nothing more should be read. */
  onYield(): void
  /** All that was held back has been handed on. */
  onCaughtUp(): void
  /** Runs what goes on by itself, not within a call of the protocol's, where a defect would end the program. */
  guard(run: () => void): void
}

export interface InboundLimits {
  readonly maxPayload: number
  readonly maxFragments: number
}

/** Sees each frame as it is on the wire; `length` is that of its payload. */
export interface FrameWatcher {
  start(): void
  header(first: number, length: number): void
  end(payload: Buffer): void
}

/** Why nothing is handed on for now; several may hold at once. */
export const CREDIT = 1
export const MAILBOX = 2
const INFLATING = 4
const YIELDING = 8

const OPCODE = 0x0f
const MAX_CONTROL_PAYLOAD = 125
/** What stands for a length of 16 bits, and one more for 64 bits, in the second byte. */
const LENGTH_16 = 126
const EMPTY = Buffer.alloc(0)

/** Turns the bytes of one WebSocket into frames; fragments are put together. Nothing follows a close or an error. */
export class Inbound {
  readonly #limits: InboundLimits
  readonly #deflation: Deflation | undefined
  readonly #handler: InboundHandler
  readonly #watcher: FrameWatcher | undefined
  #holds = 0
  readonly #slice = new Slice()
  #scheduled = false
  #ended = false
  /** Not parsed yet: the beginning of a header, or what came while something held. */
  #rest: Buffer | undefined
  /** The first byte of the frame whose payload is coming, and how much of that is missing. */
  #first = 0
  #missing = 0
  /** Where in the message that frame begins. */
  #frameStart = 0
  #control: Payload | undefined
  /** The message whose fragments are coming: its opcode (0: there is none), its parts so far. */
  #opcode = CONTINUATION
  #isCompressed = false
  #message: Payload | undefined
  #fragments = 0
  /** The watcher knows of the frame whose header is not complete. */
  #isStarted = false

  constructor(
    limits: InboundLimits,
    deflation: Deflation | undefined,
    handler: InboundHandler,
    watcher?: FrameWatcher,
  ) {
    this.#limits = limits
    this.#deflation = deflation
    this.#handler = handler
    this.#watcher = watcher
  }

  /** Whether something may be held back, or was and is about to be handed on. */
  get isHeld(): boolean {
    return this.#holds !== 0 || this.#scheduled
  }

  /** Whether a compressed message is being made of what has come. */
  get isInflating(): boolean {
    return (this.#holds & INFLATING) !== 0
  }

  /** `chunk` is only read during the call. */
  write(chunk: Buffer): void {
    if (this.#ended) return
    const rest = this.#rest
    this.#rest = undefined
    if (rest === undefined) this.#parse(chunk, false)
    else this.#parse(Buffer.concat([rest, chunk]), true)
  }

  /** Hands nothing more on, from the next message on. */
  hold(reason: typeof CREDIT | typeof MAILBOX): void {
    this.#holds |= reason
  }

  /** Goes on in a moment, not within this call, unless something else holds. */
  release(reason: typeof CREDIT | typeof MAILBOX): void {
    if ((this.#holds & reason) === 0) return
    this.#holds &= ~reason
    if (this.#holds !== 0 || this.#scheduled) return
    this.#scheduled = true
    process.nextTick(() => this.#handler.guard(() => this.#goOn()))
  }

  /** Nothing more is wanted. */
  end(): void {
    this.#ended = true
    this.#rest = undefined
    this.#message = undefined
  }

  /** Parses what was held back. */
  #goOn(): void {
    this.#scheduled = false
    if (this.#holds !== 0 || this.#ended) return
    const rest = this.#rest
    this.#rest = undefined
    if (rest !== undefined) this.#parse(rest, true)
    if (this.#holds === 0) this.#handler.onCaughtUp()
  }

  /** `isOurs`: the chunk is still there after the call. */
  #parse(chunk: Buffer, isOurs: boolean): void {
    const { length } = chunk
    let at = 0
    this.#slice.begin()
    while (at < length && this.#holds === 0 && !this.#ended) {
      const next = this.#missing > 0 ? this.#continue(chunk, at) : this.#begin(chunk, at)
      if (next === at) break
      at = next
      if (this.#slice.isOver() && at < length && !this.#ended) this.#yield()
    }
    if (at === length || this.#ended) return
    this.#rest = isOurs ? chunk.subarray(at) : copyOf(chunk, at, length)
  }

  #yield(): void {
    this.#holds |= YIELDING
    this.#handler.onYield()
    setImmediate(() =>
      this.#handler.guard(() => {
        this.#holds &= ~YIELDING
        this.#goOn()
      }),
    )
  }

  /** A frame from its first byte. Gives where to go on: at `at` again if the header is not complete. */
  #begin(chunk: Buffer, at: number): number {
    const available = chunk.length - at
    if (this.#watcher !== undefined && !this.#isStarted) {
      this.#isStarted = true
      this.#watcher.start()
    }
    if (available < 2) return at
    const first = chunk[at] as number
    const second = chunk[at + 1] as number
    const problem = this.#findProblem(first, second)
    if (problem !== undefined) {
      this.#refuse(problem)
      return chunk.length
    }
    const headerSize = second < LENGTH_16 ? 2 : second === LENGTH_16 ? 4 : 10
    if (available < headerSize) return at
    const size = headerSize === 2 ? second : lengthOf(chunk, at + 2, headerSize)
    if (!this.#admit(first, second, size)) return chunk.length
    this.#isStarted = false
    this.#watcher?.header(first, size)
    const start = at + headerSize
    const end = start + size
    if (end <= chunk.length) {
      this.#watcher?.end(chunk.subarray(start, end))
      this.#whole(first, chunk, start, end)
      return end
    }
    this.#first = first
    this.#missing = end - chunk.length
    this.#frameStart = this.#message?.length ?? 0
    this.#append(first, chunk, start, chunk.length)
    return chunk.length
  }

  /** More of a payload. */
  #continue(chunk: Buffer, at: number): number {
    const first = this.#first
    const end = Math.min(at + this.#missing, chunk.length)
    this.#missing -= end - at
    this.#append(first, chunk, at, end)
    if (this.#missing > 0) return end
    if (isControl(first)) {
      const payload = this.#control?.take() ?? EMPTY
      this.#control = undefined
      this.#watcher?.end(payload)
      this.#handleControl(first & OPCODE, payload)
    } else {
      this.#watcher?.end(this.#message?.take().subarray(this.#frameStart) ?? EMPTY)
      if ((first & FIN) !== 0) this.#complete()
    }
    return end
  }

  /** A frame that lies in the chunk as a whole. */
  #whole(first: number, chunk: Buffer, start: number, end: number): void {
    const opcode = first & OPCODE
    if (isControl(first)) return this.#handleControl(opcode, copyOf(chunk, start, end))
    if ((first & FIN) !== 0 && opcode !== CONTINUATION) {
      this.#fragments = 0
      if ((first & RSV1) !== 0) return this.#inflate(opcode, copyOf(chunk, start, end))
      if (opcode === TEXT) return this.#deliverText(chunk, start, end)
      return this.#handler.onFrame(['binary', copyOf(chunk, start, end)], end - start)
    }
    this.#append(first, chunk, start, end)
    if ((first & FIN) !== 0) this.#complete()
  }

  /** Keeps a part of a payload whose frame has `#missing` bytes to come. */
  #append(first: number, chunk: Buffer, start: number, end: number): void {
    const size = end - start + this.#missing
    if (isControl(first)) {
      this.#control ??= new Payload(size)
      this.#control.append(chunk, start, end, size)
      return
    }
    if ((first & OPCODE) !== CONTINUATION) {
      this.#opcode = first & OPCODE
      this.#isCompressed = (first & RSV1) !== 0
    }
    this.#message ??= new Payload(size)
    const most = (first & FIN) !== 0 ? this.#message.length + size : Number.POSITIVE_INFINITY
    this.#message.append(chunk, start, end, most)
  }

  /** The last fragment is there. */
  #complete(): void {
    const opcode = this.#opcode
    const bytes = this.#message?.take() ?? EMPTY
    this.#opcode = CONTINUATION
    this.#message = undefined
    this.#fragments = 0
    if (this.#isCompressed) this.#inflate(opcode, bytes)
    else this.#deliver(opcode, bytes)
  }

  #deliver(opcode: number, bytes: Buffer): void {
    if (opcode === TEXT) this.#deliverText(bytes, 0, bytes.length)
    else this.#handler.onFrame(['binary', bytes], bytes.length)
  }

  #deliverText(bytes: Buffer, start: number, end: number): void {
    if (end - start > constants.MAX_STRING_LENGTH) return this.#fail(tooLong(this.#limits), 1009)
    const text = textOf(bytes, start, end)
    if (text === undefined) this.#fail(badEncoding('a text message'), 1007)
    else this.#handler.onFrame(['text', text], end - start)
  }

  /** Hands nothing on until the message is there, since the order counts. */
  #inflate(opcode: number, bytes: Buffer): void {
    this.#holds |= INFLATING
    this.#deflation?.inflate(bytes, (error, data) => {
      this.#handler.guard(() => {
        this.#holds &= ~INFLATING
        if (this.#ended) return
        if (error !== null) this.#fail(...this.#explain(error))
        else this.#deliver(opcode, data)
        this.#goOn()
      })
    })
  }

  #handleControl(opcode: number, payload: Buffer): void {
    if (opcode === CLOSE) return this.#close(payload)
    const name = opcode === PING ? 'ping' : 'pong'
    this.#handler.onFrame(payload.length === 0 ? name : [name, payload], payload.length)
  }

  #close(payload: Buffer): void {
    if (payload.length === 0) {
      this.end()
      return this.#handler.onFrame('close', 0)
    }
    const code = payload.readUInt16BE(0)
    if (!isSendable(code)) return this.#refuse(`invalid status code ${code}`)
    const reason = textOf(payload, 2, payload.length)
    if (reason === undefined) return this.#fail(badEncoding('a close reason'), 1007)
    this.end()
    this.#handler.onFrame(['close', code, reason], payload.length)
  }

  /** What is wrong with the first two bytes of a frame. */
  #findProblem(first: number, second: number): string | undefined {
    const opcode = first & OPCODE
    const isOpen = this.#opcode !== CONTINUATION
    if ((first & RSV2_AND_3) !== 0) return 'RSV2 and RSV3 must be clear'
    // Only the first frame of a message says that the message is compressed (RFC 7692 section 6).
    const mayBeCompressed = this.#deflation !== undefined && !isControl(first) && !isOpen
    if ((first & RSV1) !== 0 && !mayBeCompressed) return 'RSV1 must be clear'
    if ((second & MASK) !== 0) return 'MASK must be clear'
    if (!isControl(first)) {
      return opcode > BINARY || isOpen !== (opcode === CONTINUATION) ? `invalid opcode ${opcode}` : undefined
    }
    if (opcode > PONG) return `invalid opcode ${opcode}`
    if ((first & FIN) === 0) return 'FIN must be set'
    const isTooShort = opcode === CLOSE && second === 1
    return second > MAX_CONTROL_PAYLOAD || isTooShort ? `invalid payload length ${second}` : undefined
  }

  /** Fails if a frame must not have that length. */
  #admit(first: number, second: number, size: number): boolean {
    if (second >= LENGTH_16) {
      if (size < 0) this.#refuse('the highest bit of a length must be clear')
      else if (size < (second === LENGTH_16 ? LENGTH_16 : 2 ** 16)) {
        this.#refuse(`the length ${size} is not minimally encoded`)
      }
    }
    if (!this.#ended && !isControl(first)) {
      const { maxPayload, maxFragments } = this.#limits
      const length = size + (this.#message?.length ?? 0)
      const isTooLong =
        length > maxPayload && !(this.#isDeflated(first) && length <= deflateBound(maxPayload))
      if (isTooLong || length > constants.MAX_LENGTH) this.#fail(tooLong(this.#limits), 1009)
      else if (++this.#fragments > maxFragments) this.#fail(tooMany(this.#limits), 1008)
    }
    return !this.#ended
  }

  /** Whether a frame with that first byte belongs to a compressed message. */
  #isDeflated(first: number): boolean {
    return (first & OPCODE) === CONTINUATION ? this.#isCompressed : (first & RSV1) !== 0
  }

  #explain(error: Error & { readonly code?: string }): [GunError, number] {
    if (error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') return [tooLong(this.#limits, error), 1009]
    const text = `the peer sent a compressed message that cannot be inflated: ${error.message}`
    return [new GunError('badframe', 'connection_error', text, { cause: error }), 1007]
  }

  #refuse(problem: string): void {
    const text = `the peer sent a bad frame: ${problem}`
    this.#fail(new GunError('badframe', 'connection_error', text), 1002)
  }

  #fail(error: GunError, code: number): void {
    this.end()
    this.#handler.onError(error, code)
  }
}

function copyOf(chunk: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start)
  chunk.copy(copy, 0, start, end)
  return copy
}

function isControl(first: number): boolean {
  return (first & 0x08) !== 0
}

/** The length of 16 or 64 bits at `at`: exact up to 2^53, negative where the highest bit is set. */
function lengthOf(chunk: Buffer, at: number, headerSize: number): number {
  if (headerSize === 4) return chunk.readUInt16BE(at)
  return chunk.readInt32BE(at) * 2 ** 32 + chunk.readUInt32BE(at + 4)
}

/** The most bytes that so many become when they are compressed, which may be more than they were, as zlib has it. */
function deflateBound(size: number): number {
  return size + size / 8 + size / 64 + 64
}

function badEncoding(what: string): GunError {
  return new GunError('badencoding', 'connection_error', `the peer sent ${what} that is not valid UTF-8`)
}

function tooLong({ maxPayload }: InboundLimits, cause?: Error): GunError {
  const text = `a message from the peer exceeds wsOpts.maxPayload (${maxPayload} bytes)`
  return new GunError('limit_reached', 'connection_error', text, { cause })
}

function tooMany({ maxFragments }: InboundLimits): GunError {
  const text = `a message from the peer has more fragments than wsOpts.maxFragments (${maxFragments})`
  return new GunError('limit_reached', 'connection_error', text)
}
