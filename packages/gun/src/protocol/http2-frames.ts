/** The frames of HTTP/2 as they pass by (RFC 9113 section 4): what Node's session does not tell of them. */

const HEADER = 9
const DATA = 0x0
const HEADERS = 0x1
const RST_STREAM = 0x3
const SETTINGS = 0x4
const PUSH_PROMISE = 0x5
const GOAWAY = 0x7
const WINDOW_UPDATE = 0x8
const CONTINUATION = 0x9

const END_STREAM = 0x1
const PADDED = 0x8

/** Of a PUSH_PROMISE: the promised stream. */
const PROMISE = 4
/** In front of the payload: how long the padding behind it is. */
const PADDING = 1
/** Of a GOAWAY: the last stream, and the code. */
const FAREWELL = 8
/** Our own preface, in front of the frames that leave (RFC 9113 section 3.4). */
const PREFACE = 24

/** Goes from frame to frame, in whatever pieces they come. */
abstract class Frames {
  /** What has come of a frame's header and of what is looked at behind it, unless it lies whole in one piece. */
  readonly #head = Buffer.alloc(HEADER + FAREWELL)
  #filled = 0
  /** How many bytes are still to pass that nobody looks at. */
  #skip: number

  constructor(skip: number) {
    this.#skip = skip
  }

  /** How many bytes of such a frame's payload are looked at. */
  protected abstract more(type: number, flags: number): number
  /** A frame begins at `at`; where its payload is long enough, what is looked at of it is there too. */
  protected abstract look(bytes: Buffer, at: number, size: number): void

  scan(bytes: Buffer): void {
    const { length } = bytes
    let at = 0
    while (at < length) {
      if (this.#skip > 0) {
        const passed = Math.min(this.#skip, length - at)
        this.#skip -= passed
        at += passed
      } else if (this.#filled === 0 && length - at >= this.#wanted(bytes, at, length - at)) {
        at += this.#found(bytes, at)
      } else {
        const taken = Math.min(this.#wanted(this.#head, 0, this.#filled) - this.#filled, length - at)
        bytes.copy(this.#head, this.#filled, at, at + taken)
        this.#filled += taken
        at += taken
        if (this.#filled < this.#wanted(this.#head, 0, this.#filled)) continue
        this.#filled = 0
        this.#found(this.#head, 0)
      }
    }
  }

  /** How many bytes of the frame there must be before it is looked at, as far as what there is of it says. */
  #wanted(bytes: Buffer, at: number, there: number): number {
    if (there < HEADER) return HEADER
    const more = this.more(bytes[at + 3] as number, bytes[at + 4] as number)
    return more === 0 || sizeOf(bytes, at) < more ? HEADER : HEADER + more
  }

  #found(bytes: Buffer, at: number): number {
    const size = sizeOf(bytes, at)
    const looked = this.#wanted(bytes, at, HEADER)
    this.#skip = size - (looked - HEADER)
    this.look(bytes, at, size)
    return looked
  }
}

function sizeOf(bytes: Buffer, at: number): number {
  return ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number)
}

function streamOf(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at + 5) & 0x7fffffff
}

/** What the frames of the peer have said of a stream, before Node tells of them. Behind a reset nothing counts. */
export class PeerSide {
  /** Nothing more is sent. */
  isEnded = false
  isReset = false
  /** How many header blocks have begun: interim responses, the response, trailers. */
  headers = 0
  /** How many bytes of the body there are. */
  bytes = 0
  /** The last bytes of the body end the stream: nothing comes behind them, not even trailers. */
  endsWithData = false

  data(size: number, isEnd: boolean): void {
    if (this.isReset) return
    this.bytes += size
    if (isEnd) this.isEnded = this.endsWithData = true
  }

  header(isEnd: boolean): void {
    if (this.isReset) return
    this.headers++
    if (isEnd) this.isEnded = true
  }
}

/** What is told of the peer's frames, before Node's session sees them. */
export interface FrameWatcher {
  /** The first frame is none of SETTINGS, with which a peer that speaks HTTP/2 begins (RFC 9113 section 3.4). */
  onWrongPreface(bytes: Buffer): void
  /** Where it is kept what the frames of a stream say; `undefined` for a stream that is not open. */
  peerOf(streamId: number): PeerSide | undefined
  /** The peer announces a stream of its own, in answer to the request on another. */
  onPushPromise(streamId: number, promisedId: number): void
  /** A frame that costs the peer little and brings nothing, of which there may be too many. */
  onCheapFrame(): void
}

export class FrameScanner extends Frames {
  readonly #watcher: FrameWatcher
  #isFirst = true

  constructor(watcher: FrameWatcher) {
    super(0)
    this.#watcher = watcher
  }

  protected more(type: number, flags: number): number {
    const padding = flags & PADDED ? PADDING : 0
    return type === PUSH_PROMISE ? padding + PROMISE : type === DATA ? padding : 0
  }

  protected look(bytes: Buffer, at: number, size: number): void {
    const type = bytes[at + 3]
    const flags = bytes[at + 4] as number
    const isEnd = (flags & END_STREAM) !== 0
    const isPadded = (flags & PADDED) !== 0
    const watcher = this.#watcher
    if (this.#isFirst) {
      this.#isFirst = false
      if (type !== SETTINGS) watcher.onWrongPreface(bytes.subarray(at, at + HEADER))
    }
    switch (type) {
      case DATA: {
        const padding = isPadded && size > 0 ? PADDING + (bytes[at + HEADER] as number) : 0
        watcher.peerOf(streamOf(bytes, at))?.data(size - padding, isEnd)
        if (size === 0 && !isEnd) watcher.onCheapFrame()
        return
      }
      case HEADERS:
        watcher.peerOf(streamOf(bytes, at))?.header(isEnd)
        return
      case RST_STREAM: {
        const peer = watcher.peerOf(streamOf(bytes, at))
        if (peer === undefined) watcher.onCheapFrame()
        else peer.isReset = true
        return
      }
      case PUSH_PROMISE: {
        const promisedAt = at + HEADER + (isPadded ? PADDING : 0)
        if (size >= (isPadded ? PADDING : 0) + PROMISE) {
          watcher.onPushPromise(streamOf(bytes, at), bytes.readUInt32BE(promisedAt) & 0x7fffffff)
        }
        return watcher.onCheapFrame()
      }
      case WINDOW_UPDATE:
      case CONTINUATION:
        return
      default:
        watcher.onCheapFrame()
    }
  }
}

/** Looks for the error with which Node's session gives up. Some of them it tells to nobody but the peer. */
export class FarewellScanner extends Frames {
  readonly #onError: (code: number) => void

  constructor(onError: (code: number) => void) {
    super(PREFACE)
    this.#onError = onError
  }

  protected more(type: number): number {
    return type === GOAWAY ? FAREWELL : 0
  }

  protected look(bytes: Buffer, at: number, size: number): void {
    if (bytes[at + 3] !== GOAWAY || size < FAREWELL) return
    const code = bytes.readUInt32BE(at + HEADER + 4)
    if (code !== 0) this.#onError(code)
  }
}
