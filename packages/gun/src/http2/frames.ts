/** Reads the frames of HTTP/2 as they pass, for what Node's session does not tell (RFC 9113 section 4). */

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
const END_HEADERS = 0x4
const PADDED = 0x8

/** In a PUSH_PROMISE, the bytes of the promised stream's number. */
const PROMISE = 4
/** In front of a padded payload, the byte that has the length of the padding behind it. */
const PADDING = 1
/** In a GOAWAY, the bytes of the last stream's number and of the code. */
const FAREWELL = 8
/** The bytes of our own preface, in front of the frames that leave (RFC 9113 section 3.4). */
const PREFACE = 24
/** How many CONTINUATION frames Node takes of a header block. */
const MOST_CONTINUATIONS = 8

/** How many frames are scanned in one go; each takes Node a few microseconds. */
const MOST_FRAMES = 128

/** In bytes: the room for what is kept between two reads, and the size beyond which larger room is given up again. */
const SMALL = 64
const LARGE = 4096

/** Why the peer cannot be listened to any longer. */
export type Fault =
  /** The first frame is not SETTINGS, with which a peer that speaks HTTP/2 begins (RFC 9113 section 3.4). */
  | 'preface'
  /** The first bytes are those of an answer of HTTP/1. */
  | 'http1'
  /** Another frame, or one of another stream, stands within a header block (RFC 9113 section 6.10). */
  | 'interrupted'
  /** A header block has more bytes, or more frames, than is allowed. */
  | 'block'
  /** Too many frames cost the peer little and bring nothing. */
  | 'flood'

/** Goes from frame to frame, in whatever pieces the bytes come. */
abstract class Frames {
  /** The first bytes of a frame, or of a header block, that has to be whole before it is looked at. */
  #kept = Buffer.allocUnsafeSlow(SMALL)
  #size = 0
  /** How many bytes of a payload that nobody looks at are still to pass. */
  #skip: number
  /** How many of the bytes that were given last were not scanned, for the number of frames in front of them. */
  left = 0
  readonly #most: number

  /** `most`: how many frames are scanned in one go. */
  constructor(skip: number, most: number) {
    this.#skip = skip
    this.#most = most
  }

  /** Gives how many bytes of the frame at `at` must be there before it is looked at, as far as the `there` first ones tell. */
  protected abstract wanted(bytes: Buffer, at: number, there: number): number | Fault
  /** Looks at the frame at `at`, of which all the wanted bytes are there. */
  protected abstract look(bytes: Buffer, at: number): Fault | undefined
  /** Takes bytes that were looked at or skipped. */
  protected abstract pass(bytes: Buffer): void

  /** Scans bytes. Gives the fault of a frame, if there is one: the bytes in front of it have passed, and no others will. */
  scan(bytes: Buffer): Fault | undefined {
    const { length } = bytes
    let from = 0
    while (this.#size > 0) {
      const wanted = this.wanted(this.#kept, 0, this.#size)
      if (typeof wanted === 'string') return wanted
      if (wanted > this.#size) {
        if (from === length) return undefined
        const to = Math.min(length, from + wanted - this.#size)
        this.#keep(bytes, from, to)
        from = to
      } else {
        const fault = this.look(this.#kept, 0)
        if (fault !== undefined) return fault
        this.#release(wanted)
      }
    }
    let at = from
    let frames = 0
    let fault: Fault | undefined
    this.left = 0
    while (at < length) {
      if (this.#skip > 0) {
        const passed = Math.min(this.#skip, length - at)
        this.#skip -= passed
        at += passed
        continue
      }
      const wanted = this.wanted(bytes, at, length - at)
      fault = typeof wanted === 'string' ? wanted : undefined
      if (typeof wanted === 'string') break
      if (wanted > length - at) {
        this.#keep(bytes, at, length)
        break
      }
      if (++frames > this.#most) {
        this.left = length - at
        break
      }
      fault = this.look(bytes, at)
      if (fault !== undefined) break
      this.#skip = behind(bytes, at, wanted)
      at += wanted
    }
    if (at > from) this.pass(at - from === length ? bytes : bytes.subarray(from, at))
    return fault
  }

  #keep(bytes: Buffer, from: number, to: number): void {
    const size = this.#size + to - from
    if (size > this.#kept.length) {
      const larger = Buffer.allocUnsafeSlow(2 * size)
      this.#kept.copy(larger, 0, 0, this.#size)
      this.#kept = larger
    }
    bytes.copy(this.#kept, this.#size, from, to)
    this.#size = size
  }

  /** Passes the kept bytes, which were looked at. */
  #release(wanted: number): void {
    const kept = this.#kept
    this.#skip = behind(kept, 0, wanted)
    this.#size = 0
    if (kept.length > LARGE) this.#kept = Buffer.allocUnsafeSlow(SMALL)
    this.pass(kept.subarray(0, wanted))
  }
}

/** Gives how many bytes of a frame's payload lie behind the wanted ones. */
function behind(bytes: Buffer, at: number, wanted: number): number {
  return Math.max(0, HEADER + sizeOf(bytes, at) - wanted)
}

function sizeOf(bytes: Buffer, at: number): number {
  return ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number)
}

function typeOf(bytes: Buffer, at: number): number {
  return bytes[at + 3] as number
}

function has(flag: number, bytes: Buffer, at: number): boolean {
  return ((bytes[at + 4] as number) & flag) !== 0
}

function streamOf(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at + 5) & 0x7fffffff
}

/** The peer's side of a stream, as its frames have it before Node tells of them. Behind a reset nothing counts. */
export class PeerSide {
  /** Whether the peer has sent its last byte. */
  isEnded = false
  isReset = false
  /** How many header blocks have come: interim responses, the response, trailers. */
  headers = 0
  /** How many bytes of the body have come. */
  bytes = 0
  /** Whether the last bytes of the body have ended the stream, so that not even trailers follow. */
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

/** Is told of the peer's frames before Node's session sees them. */
export interface FrameWatcher {
  /** Gives the peer's side of a stream; `undefined` for one that is not open. */
  peerOf(streamId: number): PeerSide | undefined
  /** The peer announces a stream of its own, in answer to the request on another. */
  onPushPromise(streamId: number, promisedId: number): void
  /** Counts a frame that costs the peer little and brings nothing. Gives whether there are too many by now. */
  isTooCheap(): boolean
  /** Takes bytes for Node's session. */
  onBytes(bytes: Buffer): void
}

/** The limits of the peer's frames, in bytes. */
export interface FrameLimits {
  /** Node refuses a longer frame by its head. */
  readonly frame: number
  /** The most that a header block may have, with the heads of its frames. */
  readonly block: number
}

/**
 * Hands on the peer's bytes: a header block once it is whole, anything else as it comes. Node may abort the program when its
 * session is left with a header block of which the rest never comes.
 */
export class FrameScanner extends Frames {
  readonly #watcher: FrameWatcher
  readonly #limits: FrameLimits
  #isFirst = true

  constructor(watcher: FrameWatcher, limits: FrameLimits) {
    super(0, MOST_FRAMES)
    this.#watcher = watcher
    this.#limits = limits
  }

  protected wanted(bytes: Buffer, at: number, there: number): number | Fault {
    if (there < HEADER) return HEADER
    const size = sizeOf(bytes, at)
    const type = typeOf(bytes, at)
    if (type === DATA) return HEADER + (size > 0 && has(PADDED, bytes, at) ? PADDING : 0)
    if ((type !== HEADERS && type !== PUSH_PROMISE) || size > this.#limits.frame) return HEADER
    return this.#block(bytes, at, there)
  }

  /** Gives how many bytes the header block at `at` has, as far as its frames are there. */
  #block(bytes: Buffer, at: number, there: number): number | Fault {
    let size = 0
    for (let next = at, frames = 0; ; next = at + size, frames++) {
      if (there < size + HEADER) return size + HEADER
      const goesOn = typeOf(bytes, next) === CONTINUATION && streamOf(bytes, next) === streamOf(bytes, at)
      if (frames > 0 && !goesOn) return 'interrupted'
      const length = sizeOf(bytes, next)
      size += HEADER + length
      const { frame, block } = this.#limits
      if (frames > MOST_CONTINUATIONS || length > frame || size > block) return 'block'
      if (has(END_HEADERS, bytes, next)) return size
    }
  }

  protected look(bytes: Buffer, at: number): Fault | undefined {
    const type = typeOf(bytes, at)
    if (this.#isFirst && type !== SETTINGS) {
      return bytes.latin1Slice(at, at + 6) === 'HTTP/1' ? 'http1' : 'preface'
    }
    this.#isFirst = false
    const watcher = this.#watcher
    const size = sizeOf(bytes, at)
    const isEnd = has(END_STREAM, bytes, at)
    const padding = has(PADDED, bytes, at) ? PADDING : 0
    switch (type) {
      case DATA: {
        const unread = size > 0 && padding > 0 ? padding + (bytes[at + HEADER] as number) : 0
        watcher.peerOf(streamOf(bytes, at))?.data(size - unread, isEnd)
        return size === 0 && !isEnd ? this.#cheap() : undefined
      }
      case HEADERS:
        watcher.peerOf(streamOf(bytes, at))?.header(isEnd)
        return undefined
      case RST_STREAM: {
        const peer = watcher.peerOf(streamOf(bytes, at))
        if (peer === undefined) return this.#cheap()
        peer.isReset = true
        return undefined
      }
      case PUSH_PROMISE:
        if (size >= padding + PROMISE && size <= this.#limits.frame) {
          const promised = bytes.readUInt32BE(at + HEADER + padding) & 0x7fffffff
          watcher.onPushPromise(streamOf(bytes, at), promised)
        }
        return this.#cheap()
      case WINDOW_UPDATE:
      case CONTINUATION:
        return undefined
      default:
        return this.#cheap()
    }
  }

  protected pass(bytes: Buffer): void {
    this.#watcher.onBytes(bytes)
  }

  #cheap(): Fault | undefined {
    return this.#watcher.isTooCheap() ? 'flood' : undefined
  }
}

/** Looks for the GOAWAY with which Node's session gives up, since Node tells some errors to nobody but the peer. */
export class FarewellScanner extends Frames {
  readonly #onError: (code: number) => void

  constructor(onError: (code: number) => void) {
    super(PREFACE, Number.POSITIVE_INFINITY)
    this.#onError = onError
  }

  protected wanted(bytes: Buffer, at: number, there: number): number {
    const isFarewell = there >= HEADER && typeOf(bytes, at) === GOAWAY && sizeOf(bytes, at) >= FAREWELL
    return HEADER + (isFarewell ? FAREWELL : 0)
  }

  protected look(bytes: Buffer, at: number): undefined {
    if (typeOf(bytes, at) !== GOAWAY || sizeOf(bytes, at) < FAREWELL) return
    const code = bytes.readUInt32BE(at + HEADER + 4)
    if (code !== 0) this.#onError(code)
  }

  protected pass(): void {}
}
