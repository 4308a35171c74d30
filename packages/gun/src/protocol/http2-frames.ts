/** The frames of HTTP/2 as they pass by (RFC 9113 section 4): what Node's session does not tell of them. */

/** What is told of the peer's frames, before Node's session sees them. */
export interface FrameWatcher {
  /** The first frame is none of SETTINGS, with which a peer that speaks HTTP/2 begins (RFC 9113 section 3.4). */
  onWrongPreface(bytes: Buffer): void
  /** So many bytes of a body are coming, padding included; `isEnd`: nothing follows them. */
  onDataFrame(streamId: number, size: number, isEnd: boolean): void
  /** The peer sends nothing more on the stream, and there are no bytes of a body with that. */
  onEndStream(streamId: number): void
  /** The peer has reset the stream. */
  onReset(streamId: number): void
  /** The peer announces a stream of its own, in answer to the request on another. */
  onPushPromise(streamId: number, promisedId: number): void
  /** A frame that costs the peer little and brings nothing, of which there may be too many. */
  onCheapFrame(): void
}

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

/** How much of a PUSH_PROMISE is looked at: the length of its padding, and the promised stream. */
const PROMISE = 5

export class FrameScanner {
  readonly #watcher: FrameWatcher
  /** What has come of a frame's header, and of what is looked at behind it. */
  readonly #head = Buffer.alloc(HEADER + PROMISE)
  #filled = 0
  /** Up to where it is to be filled. */
  #wanted = HEADER
  /** How much of a payload is still to pass. */
  #skip = 0
  #isFirst = true

  constructor(watcher: FrameWatcher) {
    this.#watcher = watcher
  }

  scan(bytes: Buffer): void {
    const { length } = bytes
    let at = 0
    while (at < length) {
      if (this.#skip > 0) {
        const passed = Math.min(this.#skip, length - at)
        this.#skip -= passed
        at += passed
        continue
      }
      // Mostly a header lies whole in what has come.
      if (this.#filled === 0 && length - at >= HEADER && bytes[at + 3] !== PUSH_PROMISE && !this.#isFirst) {
        this.#look(bytes, at)
        at += HEADER
        continue
      }
      const taken = Math.min(this.#wanted - this.#filled, length - at)
      bytes.copy(this.#head, this.#filled, at, at + taken)
      this.#filled += taken
      at += taken
      if (this.#filled === this.#wanted) this.#filledUp()
    }
  }

  #filledUp(): void {
    const head = this.#head
    if (this.#wanted === HEADER) {
      if (this.#isFirst) {
        if (head[3] !== SETTINGS) this.#watcher.onWrongPreface(head.subarray(0, HEADER))
        this.#isFirst = false
      }
      if (head[3] === PUSH_PROMISE && head.readUIntBE(0, 3) >= PROMISE) {
        this.#wanted = HEADER + PROMISE
        return
      }
    }
    this.#look(head, 0)
    if (this.#wanted > HEADER) {
      const promisedAt = HEADER + ((head[4] as number) & PADDED ? 1 : 0)
      this.#watcher.onPushPromise(streamOf(head, 0), head.readUInt32BE(promisedAt) & 0x7fffffff)
      this.#skip -= PROMISE
    }
    this.#filled = 0
    this.#wanted = HEADER
  }

  #look(bytes: Buffer, at: number): void {
    const size = bytes.readUIntBE(at, 3)
    const flags = bytes[at + 4] as number
    this.#skip = size
    switch (bytes[at + 3]) {
      case DATA:
        this.#watcher.onDataFrame(streamOf(bytes, at), size, (flags & END_STREAM) !== 0)
        if (size === 0 && !(flags & END_STREAM)) this.#watcher.onCheapFrame()
        return
      case HEADERS:
        if (flags & END_STREAM) this.#watcher.onEndStream(streamOf(bytes, at))
        return
      case RST_STREAM:
        return this.#watcher.onReset(streamOf(bytes, at))
      case WINDOW_UPDATE:
      case CONTINUATION:
        return
      default:
        this.#watcher.onCheapFrame()
    }
  }
}

function streamOf(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at + 5) & 0x7fffffff
}

/** Our own preface, in front of the frames that leave (RFC 9113 section 3.4). */
const PREFACE = 24
/** Of a GOAWAY: the header, the last stream and the code. */
const FAREWELL = HEADER + 8

/** Looks for the error with which Node's session gives up. Some of them it tells to nobody but the peer. */
export class FarewellScanner {
  readonly #head = Buffer.alloc(FAREWELL)
  readonly #onError: (code: number) => void
  #filled = 0
  #skip = PREFACE

  constructor(onError: (code: number) => void) {
    this.#onError = onError
  }

  scan(bytes: Buffer): void {
    const { length } = bytes
    const head = this.#head
    let at = 0
    while (at < length) {
      if (this.#skip > 0) {
        const passed = Math.min(this.#skip, length - at)
        this.#skip -= passed
        at += passed
        continue
      }
      const wanted = this.#filled >= HEADER && head[3] === GOAWAY ? FAREWELL : HEADER
      const taken = Math.min(wanted - this.#filled, length - at)
      bytes.copy(head, this.#filled, at, at + taken)
      this.#filled += taken
      at += taken
      if (this.#filled < wanted || (wanted === HEADER && head[3] === GOAWAY)) continue
      this.#skip = head.readUIntBE(0, 3) - (wanted - HEADER)
      this.#filled = 0
      if (wanted === HEADER) continue
      const code = head.readUInt32BE(HEADER + 4)
      if (code !== 0) this.#onError(code)
    }
  }
}
