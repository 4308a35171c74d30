/** Turns bytes into messages (RFC 6455 section 5): parsed where they lie, and never a message more than is wanted. */

import { constants } from 'node:buffer'
import { nodesImmediate, nodesTick } from '@holster/process/internal'
import type { GunError } from '../errors.js'
import type { Frames } from '../layer/contract.js'
import { Slice } from '../transport/slice.js'
import type { WsFrameIn } from '../words.js'
import { type Deflation, deflateBound } from './deflate.js'
import {
  badEncoding,
  badFrame,
  badText,
  type Failure,
  type InboundLimits,
  tooLong,
  tooMany,
} from './failures.js'
import { isSendable } from './frame.js'
import type { FrameWatcher } from './frame-events.js'
import type { Inflated } from './inflater.js'
import { BINARY, CLOSE, CONTINUATION, FIN, MASK, PING, PONG, RSV1, RSV2_AND_3, TEXT } from './opcode.js'
import { Payload } from './payload.js'
import { textOf } from './text.js'

/** Takes the frames. It may hold or dispose of inbound within any of these calls. */
export interface InboundHandler {
  /** Takes a whole message or a control frame; `bytes` is the size of the payload. */
  onFrame(frame: WsFrameIn, bytes: number): void
  /** Takes the error behind which nothing follows, and the close code that answers it (RFC 6455 section 7.4.1). */
  onError(error: GunError, code: number): void
  /** The bytes that have come wait for the next turn of the event loop: until `onCaughtUp` nothing more should be read. */
  onYield(): void
  /** All bytes that were held back have been handed on. */
  onCaughtUp(): void
  /** Runs what inbound does later, as a step: a defect of ours must not end the program. */
  guard(run: () => void): void
}

/** The reasons for which nothing is handed on for now; several may hold at once. */
export const CREDIT = 1
export const MAILBOX = 2
const YIELDING = 4

const OPCODE = 0x0f
const MAX_CONTROL_PAYLOAD = 125
/** The value of the second byte that announces a length of 16 bits; the next value announces one of 64 bits. */
const LENGTH_16 = 126
const EMPTY = Buffer.alloc(0)

/** Turns the bytes of one WebSocket into messages, of which fragments are put together. Nothing follows a close frame or an error. */
export class Inbound {
  readonly #limits: InboundLimits
  readonly #deflation: Deflation | undefined
  readonly #handler: InboundHandler
  readonly #frames: Frames
  readonly #watcher: FrameWatcher | undefined
  #holds = 0
  readonly #slice = new Slice()
  /** Whether held bytes are about to be parsed. */
  #isScheduled = false
  /** Whether nothing more is handed on. */
  #isDisposed = false
  /** The bytes that are not parsed yet: the beginning of a header, or those that came while something held. */
  #rest: Buffer | undefined
  /** The first byte of the frame whose payload is coming, and how many bytes of the payload are missing. */
  #first = 0
  #missing = 0
  /** Where in the message this frame's payload begins. */
  #frameStart = 0
  #control: Payload | undefined
  /** The opcode of the message whose fragments are coming (0: there is none), and the fragments so far. */
  #opcode = CONTINUATION
  #isCompressed = false
  #message: Payload | undefined
  #fragments = 0
  /** Whether the watcher knows of the frame whose header is not complete. */
  #isStarted = false

  constructor(
    limits: InboundLimits,
    deflation: Deflation | undefined,
    handler: InboundHandler,
    frames: Frames,
    watcher?: FrameWatcher,
  ) {
    this.#limits = limits
    this.#deflation = deflation
    this.#handler = handler
    this.#frames = frames
    this.#watcher = watcher
  }

  /** Whether something may be held back, or was and is about to be handed on. */
  get isHeld(): boolean {
    return this.#holds !== 0 || this.#isScheduled
  }

  /** Parses a chunk, which is only read during the call. */
  write(chunk: Buffer): void {
    const rest = this.#rest
    this.#rest = undefined
    if (rest === undefined) this.#parse(chunk, false)
    else this.#parse(Buffer.concat([rest, chunk]), true)
  }

  /** Hands on nothing more, from the next message on. */
  hold(reason: typeof CREDIT | typeof MAILBOX): void {
    this.#holds |= reason
  }

  /** Goes on in a moment, not within this call, unless something else holds. */
  release(reason: typeof CREDIT | typeof MAILBOX): void {
    if ((this.#holds & reason) === 0) return
    this.#holds &= ~reason
    if (this.#holds !== 0 || this.#isScheduled) return
    this.#isScheduled = true
    nodesTick(() => this.#handler.guard(() => this.#goOn()))
  }

  /** Hands on nothing more, and forgets what was kept. */
  dispose(): void {
    this.#isDisposed = true
    this.#rest = undefined
    this.#message = undefined
  }

  /** Parses the bytes that were held back. */
  #goOn(): void {
    this.#isScheduled = false
    if (this.#holds !== 0) return
    const rest = this.#rest
    this.#rest = undefined
    if (rest !== undefined) this.#parse(rest, true)
    if (this.#holds === 0) this.#handler.onCaughtUp()
  }

  /** Parses a chunk; `isOurs`: the chunk is valid after the call as well. */
  #parse(chunk: Buffer, isOurs: boolean): void {
    const { length } = chunk
    let at = 0
    this.#slice.begin()
    while (at < length && this.#holds === 0 && !this.#isDisposed) {
      if (this.#slice.isOver()) {
        this.#yield()
        break
      }
      const next = this.#missing > 0 ? this.#continue(chunk, at) : this.#begin(chunk, at)
      if (next === at) break
      at = next
    }
    if (at === length || this.#isDisposed) return
    this.#rest = isOurs ? chunk.subarray(at) : copyOf(chunk, at, length)
  }

  #yield(): void {
    this.#holds |= YIELDING
    this.#handler.onYield()
    nodesImmediate(() =>
      this.#handler.guard(() => {
        this.#holds &= ~YIELDING
        this.#goOn()
      }),
    )
  }

  /** Parses a frame from its first byte. Gives where to go on: at `at` again if the header is not complete. */
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
      this.#fail(badFrame(problem))
      return chunk.length
    }
    const headerSize = second < LENGTH_16 ? 2 : second === LENGTH_16 ? 4 : 10
    if (available < headerSize) return at
    const size = headerSize === 2 ? second : lengthOf(chunk, at + 2, headerSize)
    if (!this.#admit(first, second, size)) return chunk.length
    this.#isStarted = false
    this.#frames.framesReceived++
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
    this.#checkText(first)
    return chunk.length
  }

  /** Parses more of a payload. Gives where to go on. */
  #continue(chunk: Buffer, at: number): number {
    const first = this.#first
    const end = Math.min(at + this.#missing, chunk.length)
    this.#missing -= end - at
    this.#append(first, chunk, at, end)
    if (this.#missing > 0) {
      this.#checkText(first)
    } else if (isControl(first)) {
      const payload = this.#control?.take() ?? EMPTY
      this.#control = undefined
      this.#watcher?.end(payload)
      this.#handleControl(first & OPCODE, payload)
    } else {
      this.#watcher?.end(this.#message?.take().subarray(this.#frameStart) ?? EMPTY)
      if (this.#checkText(first) && (first & FIN) !== 0) this.#complete()
    }
    return end
  }

  /** Takes a frame that lies in the chunk as a whole. */
  #whole(first: number, chunk: Buffer, start: number, end: number): void {
    const opcode = first & OPCODE
    if (isControl(first)) return this.#handleControl(opcode, copyOf(chunk, start, end))
    if ((first & FIN) !== 0 && opcode !== CONTINUATION) {
      this.#fragments = 0
      if ((first & RSV1) !== 0) return this.#inflate(opcode, chunk, start, end)
      const content = opcode === TEXT ? textOf(chunk, start, end) : copyOf(chunk, start, end)
      return this.#deliver(content, end - start)
    }
    this.#append(first, chunk, start, end)
    if (this.#checkText(first) && (first & FIN) !== 0) this.#complete()
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

  /** Whether a message may go on after a part of this frame; if it cannot become a text any more, inbound fails. */
  #checkText(first: number): boolean {
    if (this.#opcode !== TEXT || this.#isCompressed || isControl(first)) return true
    if (this.#message?.isText() !== false) return true
    this.#fail(badText())
    return false
  }

  /** Hands on the message whose last fragment has come. */
  #complete(): void {
    const opcode = this.#opcode
    const message = this.#message ?? new Payload(0)
    this.#opcode = CONTINUATION
    this.#message = undefined
    this.#fragments = 0
    if (this.#isCompressed) this.#inflate(opcode, message.take(), 0, message.length)
    else this.#deliver(opcode === TEXT ? message.text() : message.take(), message.length)
  }

  /** Hands on a text or a binary of so many bytes; `undefined` is a text that is not UTF-8. */
  #deliver(content: string | Buffer | undefined, size: number): void {
    if (content === undefined) this.#fail(badText())
    else if (typeof content === 'string') this.#handler.onFrame(['text', content], size)
    else this.#handler.onFrame(['binary', content], size)
  }

  /** Inflates a message; if this turn has no time for all of it, nothing more is handed on before, since the order counts. */
  #inflate(opcode: number, bytes: Buffer, start: number, end: number): void {
    const content = this.#deflation?.inflater.inflate(bytes, start, end, opcode === TEXT, this.#onInflated)
    if (content !== undefined) return this.#inflated(content)
    this.#holds |= YIELDING
    this.#handler.onYield()
  }

  readonly #onInflated = (content: Inflated): void => {
    this.#handler.guard(() => {
      this.#holds &= ~YIELDING
      this.#inflated(content)
      this.#goOn()
    })
  }

  #inflated(content: Inflated): void {
    if (typeof content !== 'string' && !Buffer.isBuffer(content)) this.#fail(content)
    else this.#deliver(content, this.#deflation?.inflater.size ?? 0)
  }

  #handleControl(opcode: number, payload: Buffer): void {
    if (opcode === CLOSE) return this.#handleClose(payload)
    const name = opcode === PING ? 'ping' : 'pong'
    this.#handler.onFrame(payload.length === 0 ? name : [name, payload], payload.length)
  }

  #handleClose(payload: Buffer): void {
    if (payload.length === 0) {
      this.dispose()
      return this.#handler.onFrame('close', 0)
    }
    const code = payload.readUInt16BE(0)
    if (!isSendable(code)) return this.#fail(badFrame(`invalid status code ${code}`))
    const reason = textOf(payload, 2, payload.length)
    if (reason === undefined) return this.#fail(badEncoding('a close reason'))
    this.dispose()
    this.#handler.onFrame(['close', code, reason], payload.length)
  }

  /** Says what is wrong with the first two bytes of a frame. */
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

  /** Whether a frame may have this length; if not, inbound fails. */
  #admit(first: number, second: number, size: number): boolean {
    if (second >= LENGTH_16) {
      if (size < 0) this.#fail(badFrame('the highest bit of a length must be clear'))
      else if (size < (second === LENGTH_16 ? LENGTH_16 : 2 ** 16)) {
        this.#fail(badFrame(`the length ${size} is not minimally encoded`))
      }
    }
    if (!this.#isDisposed && !isControl(first)) {
      const { maxPayload, maxFragments } = this.#limits
      const length = size + (this.#message?.length ?? 0)
      const isTooLong =
        length > maxPayload && !(this.#isDeflated(first) && length <= deflateBound(maxPayload))
      const isText = (first & OPCODE || this.#opcode) === TEXT
      if (isTooLong || length > (isText ? constants.MAX_STRING_LENGTH : constants.MAX_LENGTH))
        this.#fail(tooLong(this.#limits.maxPayload))
      else if (++this.#fragments > maxFragments) this.#fail(tooMany(this.#limits))
    }
    return !this.#isDisposed
  }

  /** Whether a frame with that first byte belongs to a compressed message. */
  #isDeflated(first: number): boolean {
    return (first & OPCODE) === CONTINUATION ? this.#isCompressed : (first & RSV1) !== 0
  }

  #fail([error, code]: Failure): void {
    this.dispose()
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

/** Reads the length of 16 or 64 bits at `at`: exact up to 2^53, negative where the highest bit is set. */
function lengthOf(chunk: Buffer, at: number, headerSize: number): number {
  if (headerSize === 4) return chunk.readUInt16BE(at)
  return chunk.readInt32BE(at) * 2 ** 32 + chunk.readUInt32BE(at + 4)
}
