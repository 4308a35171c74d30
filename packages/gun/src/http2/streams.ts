/** The streams of one connection: those that wait until they may begin, and those that have. */

import { GunError } from '../errors.js'
import type { StreamRef } from '../handles.js'
import type { Host } from '../layer/contract.js'
import { unsendable } from './errors.js'
import type { Http2Session } from './session.js'
import type { Http2Stream } from './stream.js'

/** How many streams may be open until the server has said how many (RFC 9113 section 6.5.2 recommends no less). */
const LIMIT_BEFORE_SETTINGS = 100

export class Http2Streams {
  readonly #host: Host
  readonly #session: Http2Session<Http2Stream>
  /** The streams that wait for the server to allow more, to state its settings, or for the cookie store. */
  readonly #waiting: Http2Stream[] = []
  readonly #begun = new Map<StreamRef, Http2Stream>()
  /** How many of the streams that have begun are ours, and not the server's. */
  #open = 0
  #limit = LIMIT_BEFORE_SETTINGS
  /** Whether the server lets a stream become a WebSocket; `undefined` until it has stated its settings. */
  #canConnect: boolean | undefined
  readonly #goOn = () => this.#host.guard(() => this.advance())
  readonly #onUsedUp: () => void
  #isStopped = false

  /** Calls `onUsedUp` when the connection can begin no stream behind the one that has just begun. */
  constructor(host: Host, session: Http2Session<Http2Stream>, onUsedUp: () => void) {
    this.#host = host
    this.#onUsedUp = onUsedUp
    this.#session = session
  }

  /** The streams that have begun. */
  get all(): readonly Http2Stream[] {
    return [...this.#begun.values()]
  }

  /** The refs of those that wait until they may begin. */
  get waiting(): readonly StreamRef[] {
    return this.#waiting.map(({ http }) => http.ref)
  }

  /** How many bytes those have been given that wait. */
  get unsent(): number {
    return this.#waiting.reduce((sum, { unsent }) => sum + unsent, 0)
  }

  /** Whether every stream that has begun is over. */
  get isEmpty(): boolean {
    return this.#begun.size === 0
  }

  /** How many of ours are open or wait. */
  get load(): number {
    return this.#open + this.#waiting.length
  }

  /** How many of ours the server lets be open at once; 0 until it has stated its settings. */
  get most(): number {
    return this.#canConnect === undefined ? 0 : this.#limit
  }

  find(streamRef: StreamRef): Http2Stream | undefined {
    return this.#begun.get(streamRef) ?? this.#waiting.find(({ http }) => http.ref === streamRef)
  }

  /** Begins the stream as soon as it may. */
  add(stream: Http2Stream): void {
    this.#waiting.push(stream)
    this.advance()
  }

  /** Adds a stream that the server has begun. */
  addPushed(stream: Http2Stream): void {
    this.#begun.set(stream.http.ref, stream)
  }

  /** Takes a stream back that has not begun. */
  takeBack(stream: Http2Stream): void {
    const at = this.#waiting.indexOf(stream)
    if (at !== -1) this.#waiting.splice(at, 1)
  }

  /** Takes back all streams that have not begun. */
  takeBackAll(): Http2Stream[] {
    return this.#waiting.splice(0)
  }

  /** The server has said how many streams may be open, and whether one may become a WebSocket. */
  allow(limit: number, canConnect: boolean): void {
    this.#limit = limit
    this.#canConnect = canConnect
    this.advance()
  }

  /** Removes a stream that is over. */
  remove(stream: Http2Stream): void {
    if (!this.#begun.delete(stream.http.ref)) return
    if (!stream.isPushed) this.#open--
  }

  /** Begins nothing more. */
  retire(): void {
    this.#isStopped = true
  }

  /** Lets go of all streams. */
  dispose(): void {
    this.retire()
    this.#begun.clear()
  }

  /** Begins the streams that may begin. */
  advance(): void {
    for (let i = 0; i < this.#waiting.length && this.#open < this.#limit && this.#mayBegin; ) {
      const next = this.#waiting[i] as Http2Stream
      const isReady = this.#isReady(next) || this.#prepare(next)
      if (!isReady && !next.http.isCancelled) i++
      else {
        if (i === 0) this.#waiting.shift()
        else this.#waiting.splice(i, 1)
        // A request that is cancelled before it was sent never is.
        if (!next.http.isCancelled) this.#begin(next)
      }
    }
  }

  get #mayBegin(): boolean {
    return !this.#isStopped && !this.#host.outlet.isAborted && this.#session.engine.canOpen
  }

  #isReady({ http }: Http2Stream): boolean {
    return http.hasCookies && !this.#isTooEarly(http)
  }

  /** Asks for the stream's cookies. Gives whether the stream is ready by that. */
  #prepare({ http }: Http2Stream): boolean {
    if (http.hasCookies || this.#isTooEarly(http)) return false
    http.askForCookies(this.#goOn)
    return http.hasCookies
  }

  /** Whether the server has not said yet if it takes such an upgrade. */
  #isTooEarly({ upgrade }: Http2Stream['http']): boolean {
    return upgrade !== undefined && this.#canConnect === undefined
  }

  #begin(stream: Http2Stream): void {
    const { http } = stream
    const { ref, fields, upgrade } = http
    if (upgrade !== undefined && !this.#canConnect) {
      const text =
        "the server lets no stream of HTTP/2 become a WebSocket (RFC 8441); open the connection with protocols: ['http']"
      return this.#host.refuse(ref, new GunError('not_supported', 'stream_error', text))
    }
    this.#begun.set(ref, stream)
    this.#open++
    http.tellRequest('requestStart', fields)
    // What is cancelled before it was sent never is.
    if (http.isCancelled) return
    try {
      stream.open()
    } catch (cause) {
      http.refusePassage()
      stream.dispose()
      return this.#host.refuse(ref, unsendable(cause))
    }
    http.tellRequest('requestHeaders', fields)
    stream.sendBody()
    if (this.#session.engine.isUsedUp) this.#onUsedUp()
  }
}
