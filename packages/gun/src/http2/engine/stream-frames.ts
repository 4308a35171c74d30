/** The frames of streams: DATA, HEADERS, PUSH_PROMISE, CONTINUATION, RST_STREAM and PRIORITY, and what they say. */

import { BlockReader, type HeaderBlock } from './blocks.js'
import { codes, flags, types } from './codes.js'
import type { Core, Said } from './core.js'
import { broken, Fault, StreamFault, tooEarly } from './fault.js'
import type { Field } from './field.js'
import { costs } from './flood.js'
import { readRequest } from './head.js'
import { behindEnd, takeData, takeHead, takeTrailers, tooShort } from './message.js'
import type { EngineStream } from './stream.js'
import type { Value } from './values.js'

/** How many streams the server may have announced and not begun. */
const MOST_PROMISED = 1000

const NO_BYTES = Buffer.alloc(0)

export class StreamFrames<Owner> {
  readonly #core: Core<Owner>
  readonly #blocks: BlockReader
  /** The stream whose DATA is being read; `undefined`: nobody wants it. */
  #receiver: EngineStream<Owner> | undefined

  constructor(core: Core<Owner>) {
    this.#core = core
    this.#blocks = new BlockReader(core.decoder, core.opts)
  }

  /** Looks whether the frame stands within a header block, where only a CONTINUATION may. */
  interrupts(type: number): Fault | undefined {
    return this.#blocks.isOpen && type !== types.CONTINUATION ? this.#blocks.interrupted() : undefined
  }

  /** Takes HEADERS or a PUSH_PROMISE. */
  onHeaders(): Said<Owner> {
    return this.#onBlock(this.#blocks.begin(this.#core.frame))
  }

  onContinuation(): Said<Owner> {
    return this.#core.weigh(costs.frame) ?? this.#onBlock(this.#blocks.goOn(this.#core.frame))
  }

  /** Takes the header of a frame of DATA (RFC 9113 section 6.1). */
  onData(): Said<Owner> {
    const frame = this.#core.frame
    const { length, content } = frame
    // Before anything else is decided: a frame that nobody wants has used up the window as well.
    if (!this.#core.window.take(length)) {
      return broken(codes.FLOW_CONTROL_ERROR, "sent more than the connection's window allowed")
    }
    const increment = this.#core.window.consume(length)
    if (increment > 0) this.#core.writer.windowUpdate(0, increment)
    const stream = this.#core.streams.get(frame.streamId)
    this.#receiver = undefined
    if (stream?.state === 'reserved') return tooEarly('DATA')
    const fault = stream === undefined ? undefined : takeData(stream, length, content)
    if (stream === undefined || fault !== undefined) {
      frame.skip()
      if (stream !== undefined && fault !== undefined) return this.#core.break(stream, fault)
      // A download that is cancelled may have filled its window, in frames of any size.
      const isLate = content > 0 && this.#core.streams.takeLate(frame.streamId, length)
      return isLate ? undefined : this.#onStray('DATA')
    }
    if (length > content) this.#core.consume(stream, length - content)
    if (content > 0) {
      this.#receiver = stream
      return undefined
    }
    if ((frame.flags & flags.END_STREAM) === 0) return this.#core.weigh(costs.frame)
    const short = tooShort(stream)
    return short === undefined ? this.#lastData(stream, NO_BYTES) : this.#core.break(stream, short)
  }

  /** Takes a piece of its content. */
  onPiece(): Said<Owner> {
    const { bytes, start, end, isLast, flags: given } = this.#core.frame
    const stream = this.#receiver
    const isDropped = stream === undefined || stream.isClosed
    if (isLast || isDropped) this.#receiver = undefined
    if (isDropped) {
      // The user has reset the stream within the frame.
      this.#core.frame.skip()
      return undefined
    }
    const data = bytes.subarray(start, end)
    if (!isLast || (given & flags.END_STREAM) === 0) return { type: 'data', stream, data, isFin: false }
    const short = tooShort(stream)
    if (short === undefined) return this.#lastData(stream, data)
    this.#core.values.push({ type: 'data', stream, data, isFin: false })
    const told = this.#core.break(stream, short)
    if (told instanceof Fault) return told
    this.#core.values.push(told)
    return undefined
  }

  #lastData(stream: EngineStream<Owner>, data: Buffer): Value<Owner> {
    this.#core.streams.end(stream)
    return { type: 'data', stream, data, isFin: true }
  }

  #onBlock(block: HeaderBlock | Fault | undefined): Said<Owner> {
    if (block === undefined || block instanceof Fault) return block
    const { streamId, promisedId, fields, isEnd } = block
    if (promisedId !== undefined) return this.#onPromise(streamId, promisedId, fields)
    const stream = this.#core.streams.get(streamId)
    if (stream === undefined) return this.#onStray('HEADERS')
    if (stream.hasEnded) return this.#core.break(stream, behindEnd('HEADERS'))
    if (stream.state === 'reserved') {
      if (this.#core.streams.pushed >= this.#core.opts.maxConcurrentStreams) {
        const text = 'the server pushes more than maxConcurrentStreams at once'
        return this.#core.break(stream, new StreamFault(codes.REFUSED_STREAM, text))
      }
      this.#core.streams.begin(stream)
    }
    return stream.phase === 'head'
      ? this.#onHead(stream, fields, isEnd)
      : this.#onTrailers(stream, fields, isEnd)
  }

  #onHead(stream: EngineStream<Owner>, fields: readonly Field[] | undefined, isFin: boolean): Said<Owner> {
    const head = takeHead(stream, fields, isFin)
    if (head instanceof StreamFault) return this.#core.break(stream, head, true)
    const { status, headers } = head
    if (status < 200) return this.#core.weigh(costs.frame) ?? { type: 'inform', stream, status, headers }
    if (isFin) this.#core.streams.end(stream)
    return { type: 'response', stream, status, headers, isFin }
  }

  #onTrailers(
    stream: EngineStream<Owner>,
    fields: readonly Field[] | undefined,
    isEnd: boolean,
  ): Said<Owner> {
    const headers = takeTrailers(stream, fields, isEnd)
    if (headers instanceof StreamFault) return this.#core.break(stream, headers)
    this.#core.streams.end(stream)
    return { type: 'trailers', stream, headers }
  }

  /** RFC 9113 sections 6.6 and 8.4. */
  #onPromise(streamId: number, promisedId: number, fields: readonly Field[] | undefined): Said<Owner> {
    const { enablePush, maxConcurrentStreams } = this.#core.opts
    // A server may have sent it before it knew our settings.
    if (!enablePush && this.#core.isAcknowledged) {
      return broken(codes.PROTOCOL_ERROR, 'pushes though enablePush is false')
    }
    const streams = this.#core.streams
    if (promisedId % 2 === 1 || promisedId <= streams.lastPromised) {
      return broken(codes.PROTOCOL_ERROR, 'announced a stream with a number that it cannot have')
    }
    streams.lastPromised = promisedId
    const stream = streams.get(streamId)
    const isAsked = stream === undefined ? streams.wasReset(streamId) : !stream.hasEnded && !stream.isPushed
    if (!isAsked) return broken(codes.PROTOCOL_ERROR, 'announced a stream in answer to no request')
    const fault = this.#core.weigh(costs.frame)
    if (fault !== undefined) return fault
    if (stream?.phase === 'tunnel') {
      this.#refuse(promisedId, codes.PROTOCOL_ERROR)
      return this.#core.break(stream, new StreamFault(codes.PROTOCOL_ERROR, 'a push came out of a tunnel'))
    }
    if (
      stream === undefined ||
      !enablePush ||
      maxConcurrentStreams === 0 ||
      streams.promised >= MOST_PROMISED
    ) {
      return this.#refuse(promisedId, codes.REFUSED_STREAM)
    }
    if (fields === undefined) return this.#refuse(promisedId, codes.ENHANCE_YOUR_CALM)
    const request = readRequest(fields)
    if (request === undefined) return this.#refuse(promisedId, codes.PROTOCOL_ERROR)
    const promised = streams.promise(promisedId, request.method)
    return { type: 'push', stream, promised, request }
  }

  #refuse(promisedId: number, code: number): undefined {
    this.#core.writer.reset(promisedId, code)
    this.#core.streams.remember(promisedId)
  }

  onReset(): Said<Owner> {
    const { bytes, start, length, streamId } = this.#core.frame
    if (length !== 4) return broken(codes.FRAME_SIZE_ERROR, 'sent a RST_STREAM of a wrong size')
    const stream = this.#core.streams.get(streamId)
    if (stream === undefined) {
      if (!this.#core.streams.isIdle(streamId)) return this.#core.weigh(costs.frame)
      return broken(codes.PROTOCOL_ERROR, 'reset a stream that has not begun')
    }
    const code = bytes.readUInt32BE(start)
    const isComplete = stream.phase === 'body' && tooShort(stream) === undefined
    const isWhole = stream.hasEnded || (code === codes.NO_ERROR && isComplete)
    this.#core.close(stream)
    return { type: 'reset', stream, code, isWhole }
  }

  /** Priorities are ignored (RFC 9113 section 5.3.2). */
  onPriority(): Said<Owner> {
    const { length, streamId } = this.#core.frame
    if (streamId === 0) return broken(codes.PROTOCOL_ERROR, 'sent PRIORITY on no stream')
    // A stream that has not begun, or is over, cannot be reset.
    const stream = length === 5 ? undefined : this.#core.streams.get(streamId)
    if (stream === undefined) return this.#core.weigh(costs.frame)
    return this.#core.break(stream, new StreamFault(codes.FRAME_SIZE_ERROR, 'PRIORITY came in a wrong size'))
  }

  /** A frame came on a stream that is closed, or that has never been (RFC 9113 section 5.1). */
  #onStray(what: string): Said<Owner> {
    const { streamId } = this.#core.frame
    if (this.#core.streams.wasReset(streamId)) return this.#core.weigh(costs.frame)
    if (!this.#core.streams.isIdle(streamId)) {
      return broken(codes.STREAM_CLOSED, `sent ${what} on a stream that has ended`)
    }
    return broken(codes.PROTOCOL_ERROR, `sent ${what} on a stream that has not begun`)
  }
}
