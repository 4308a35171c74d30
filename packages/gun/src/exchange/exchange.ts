/** One request and its response, whatever carries them: how far the request is sent, and how the response is taken. */

import type { Source } from '@holster/process/internal'
import type { GunError } from '../errors.js'
import { type StreamRef, sendMarkOf } from '../handles.js'
import { headerValue, saysClose } from '../headers.js'
import type { Host, Passage, Upgrade } from '../layer/contract.js'
import type { RequestInfo, StreamInfo } from '../layer/info.js'
import { endsStream, type GunMessage, replyToOf } from '../messages.js'
import type { Headers, IsFin } from '../words.js'
import { closedHere, takesNoData } from './errors.js'
import { type Framing, withCookies } from './framing.js'
import { type ContentOpts, type Gate, Response, type ResponseUser } from './response.js'

/** How many milliseconds a body waits for `100 Continue` (RFC 9110 section 10.1.1: not indefinitely). */
export const EXPECT_TIMEOUT = 1000

/** The parts of the command with which the stream begins. */
export interface StreamInit {
  readonly ref: StreamRef
  readonly function: 'headers' | 'request' | 'wsUpgrade' | 'connect'
  readonly method: string
  readonly path: string
  readonly headers: Headers
  /** Whether nothing in the method, the path and the headers can harm the connection. */
  readonly isChecked: boolean
  readonly framing: Framing
  /** How many messages of the response's body may be posted. */
  readonly flow: number
  readonly upgrade?: Upgrade
  /** The tunnel that the request asks for. */
  readonly passage?: Passage
  /** Whether the header fields ask for another protocol. Default `false`. */
  readonly asksForUpgrade?: boolean
  /** The host and port of the request where they are not the other end's. Default: as the header `host` says. */
  readonly authority?: string
}

export class Exchange {
  readonly ref: StreamRef
  readonly function: StreamInit['function']
  readonly method: string
  readonly path: string
  /** The header fields without the store's cookies. */
  readonly headers: Headers
  readonly isChecked: boolean
  readonly framing: Framing
  /** How many bytes of the body may wait to be sent before the caller is told. */
  readonly sendMark: number | undefined
  /** The upgrade that the request asks for, until the peer has answered. */
  upgrade: Upgrade | undefined
  /** The tunnel that the request asks for, until the proxy has refused it. */
  passage: Passage | undefined
  /** Whether the caller's own header fields ask for another protocol (RFC 9110 section 7.8), until the peer has answered. */
  asksForUpgrade: boolean
  readonly #authority: string | undefined

  /** The store's cookies; `undefined` until it has given them. */
  cookies: string | undefined
  /** Whether the store was asked for cookies. */
  #isAsking = false
  /** The parts of the body that were given and not sent yet. */
  #held: Uint8Array[] = []
  #heldBytes = 0
  /** The bytes that end a body in chunks, if it has trailers. */
  end: Uint8Array | undefined
  /** How many bytes of the body were given. */
  #given = 0
  /** Whether the caller has given the whole body. */
  isComplete = false
  /** Whether the caller waits until there is room for more of the body. */
  #isFull = false
  /** Whether the body waits for the peer to say `100 Continue`. */
  isExpecting: boolean

  /** How many messages of the response's body are still wanted. */
  credit: number
  readonly response: Response<Exchange>
  /** Where the stream's messages come from, if that can be paused for this stream alone. */
  source: Source | undefined
  /** Whether nothing more is posted, and the rest of the response is discarded. */
  isCancelled = false
  /** Whether the stream's last message was posted. */
  #isEnded = false
  /** How many bytes the response's body has, if its head says so. */
  length: number | undefined
  /** How many bytes of the response's body have come. */
  received = 0
  /** How many of these bytes have come since the stream was cancelled. */
  discarded = 0
  /** Whether the whole response has come. */
  isReceived = false
  readonly #host: Host

  constructor(host: Host, opts: ContentOpts, init: StreamInit, gate: Gate, user: ResponseUser<Exchange>) {
    this.#host = host
    this.response = new Response(host, opts, this, gate, user)
    this.ref = init.ref
    this.function = init.function
    this.method = init.method
    this.path = init.path
    this.headers = init.headers
    this.isChecked = init.isChecked
    this.framing = init.framing
    this.sendMark = sendMarkOf(init.ref)
    this.upgrade = init.upgrade
    this.passage = init.passage
    this.asksForUpgrade = init.asksForUpgrade ?? false
    this.#authority = init.authority
    this.credit = init.flow
    this.isExpecting =
      init.framing.type !== 'none' && headerValue(init.headers, 'expect')?.toLowerCase() === '100-continue'
  }

  /** The value of the host header. */
  get authority(): string {
    return this.#authority ?? headerValue(this.headers, 'host') ?? ''
  }

  /** Whether the peer may leave HTTP in its response. */
  get mayLeave(): boolean {
    return this.asksForUpgrade || this.upgrade !== undefined || this.passage !== undefined
  }

  /** The URL that a cookie store is asked about; `undefined` for a CONNECT, since a proxy has no part in the origin's cookies. */
  get url(): string | undefined {
    if (this.function === 'connect') return undefined
    // RFC 9110 section 7.1: `*` stands for no path.
    const path = this.path.startsWith('/') ? this.path : ''
    return `${this.#host.scheme}://${this.authority}${path}`
  }

  /** Whether the request asks the peer to close the connection after its response. */
  get isLast(): boolean {
    return saysClose(this.headers)
  }

  /** Whether the store has given its cookies, or there is no store. */
  get hasCookies(): boolean {
    return this.cookies !== undefined || this.#host.cookies === undefined || this.url === undefined
  }

  /** Asks the store for its cookies, once. Calls `goOn` when the store answers, unless it answers at once. */
  askForCookies(goOn: () => void): void {
    if (this.#isAsking) return
    this.#isAsking = true
    let isNow = true
    this.#host.cookies?.query(this.url ?? '', value => {
      this.cookies = value
      if (!isNow) goOn()
    })
    isNow = false
  }

  /** The header fields with the store's cookies. */
  get fields(): Headers {
    return this.cookies ? withCookies(this.headers, this.cookies) : this.headers
  }

  /** Whether the message that ends the stream was posted, or is being posted: no other follows. */
  get isEnded(): boolean {
    return this.#isEnded
  }

  /** Posts a message, unless the stream was cancelled or has ended. All messages go this way, so that a stream ends once. */
  post(message: GunMessage, bytes = 0): void {
    if (this.isCancelled || this.#isEnded) return
    const isEnd = endsStream(message)
    // The caller has closed the connection: an error ends the stream in place of what has come.
    if (this.#host.events.isMute && message.type !== 'gun_error') {
      if (isEnd) this.fail(closedHere())
      return
    }
    this.#isEnded = isEnd
    if (isEnd && this.passage !== undefined) {
      this.refusePassage(message.type === 'gun_error' ? message.reason : undefined)
    }
    this.#host.deliver(this.ref, message, bytes, this.source)
  }

  /** Takes note that the server has refused the upgrade. The refusal is a response like any other, unless the host asks again. */
  refuseUpgrade(status: number, headers: Headers): void {
    const command = this.upgrade?.command
    this.upgrade = undefined
    if (!command?.isRepeated || this.isCancelled) return
    if (this.#host.askAgain(command, status, headers)) this.isCancelled = true
  }

  /** Takes note that the proxy has refused the tunnel. The refusal is a response like any other. */
  refusePassage(cause?: GunError): void {
    if (this.passage === undefined) return
    this.passage = undefined
    this.#host.home.onTunnelOver(this.ref, cause)
  }

  /** Posts the error that ends the stream. */
  fail(reason: GunError): void {
    this.post({ type: 'gun_error', connPid: this.#host.connPid, streamRef: this.ref, reason })
  }

  /** Tells what is known of the stream by now; `behind` is the stream that this one waits for. */
  info(state: RequestInfo['state'], behind: StreamRef | undefined): StreamInfo {
    const { ref, method, path, isComplete, response, credit } = this
    return {
      ref,
      replyTo: replyToOf(ref),
      state: this.isCancelled ? 'stopping' : 'running',
      intermediaries: this.#host.endpoint.intermediaries,
      request: {
        method,
        path,
        state,
        isPostponed: false,
        ...(behind !== undefined && behind !== ref && { behind }),
        givenBytes: this.#given,
        isComplete: isComplete || this.upgrade !== undefined,
        response: this.#isEnded ? 'complete' : response.hasBegun ? 'coming' : 'due',
        isHandled: response.isBusy,
        flow: credit,
      },
    }
  }

  /** Tells the event handler that the request begins, or that its head was sent. */
  tellRequest(name: 'requestStart' | 'requestHeaders', fields: Headers): void {
    const { connPid, events, scheme } = this.#host
    if (!events.wants(name)) return
    const { ref: streamRef, function: how, method, path, authority } = this
    const replyTo = replyToOf(streamRef)
    const headers = how === 'connect' ? withoutCredentials(fields) : fields
    const request = { function: how, method, scheme, authority, path, headers }
    events.tell(name, { connPid, streamRef, replyTo, ...request })
  }

  /** Tells the event handler that the whole request was sent. */
  tellRequestEnd(): void {
    const { connPid, events } = this.#host
    if (!events.wants('requestEnd')) return
    events.tell('requestEnd', { connPid, streamRef: this.ref, replyTo: replyToOf(this.ref) })
  }

  /** Says why a part of the body with so many bytes cannot be taken; `undefined` when it can. */
  problemWith(isFin: IsFin, bytes: number): string | undefined {
    const { framing } = this
    if (framing.type !== 'length') return undefined
    const length = this.#given + bytes
    if (length === framing.length || (length < framing.length && isFin === 'nofin')) return undefined
    return `the body has ${length} bytes, not the ${framing.length} that its content-length says`
  }

  /**
   * Whether the caller may go on while so many bytes have not left yet, beside those that are held. `isLate`: the caller
   * was told before to wait.
   */
  hasRoom(leaving: number, isLate: boolean | undefined): boolean {
    if (this.sendMark === undefined || this.isComplete || isLate === undefined) return true
    if (isLate || this.#heldBytes + leaving > this.sendMark) this.#isFull = true
    return !this.#isFull
  }

  /** Whether so many bytes may wait to be sent, beside those that are held. */
  fits(bytes: number): boolean {
    return this.sendMark === undefined || this.#heldBytes + bytes <= this.sendMark
  }

  /** Tells a caller who waits that there is room again, if there is, with `leaving` bytes on their way. */
  tellRoom(leaving: number): void {
    const { ref: streamRef, sendMark = 0 } = this
    const waiting = this.#heldBytes + leaving
    if (!this.isFull || this.isComplete || waiting > sendMark / 2) return
    this.#isFull = false
    const { connPid } = this.#host
    this.#host.deliver(streamRef, { type: 'gun_notify', connPid, streamRef, event: 'drain', data: waiting })
  }

  /** Whether the caller waits until there is room for more of the body. */
  get isFull(): boolean {
    return this.#isFull && !this.isCancelled
  }

  /** Tells the caller of no more room: the response, or an error, tells whether to send more. */
  stopWaiting(): void {
    this.#isFull = false
  }

  /**
   * Answers a caller who waits for room as `data` would answer now: the response is whole, and no more of the body is sent.
   * The stream has ended before, and does not end again.
   */
  refuseMore(cause?: GunError): void {
    if (!this.isFull) return
    this.stopWaiting()
    this.#host.fail(this.ref, takesNoData(cause))
  }

  /** Keeps a part of the body until it may be sent. */
  hold(isFin: IsFin, chunk: Uint8Array): void {
    this.#given += chunk.length
    this.#heldBytes += chunk.length
    if (chunk.length > 0) this.#held.push(chunk)
    if (isFin === 'fin') this.#complete()
  }

  /** Keeps the end of the body, which over HTTP/1.1 has these bytes. */
  holdEnd(bytes?: Uint8Array): void {
    this.end = bytes
    this.#complete()
  }

  /** Takes note that the caller has given the whole body. */
  #complete(): void {
    this.isComplete = true
    this.stopWaiting()
  }

  /** Whether nothing of the body waits to be sent. */
  get isEmpty(): boolean {
    return this.#held.length === 0
  }

  /** How many bytes of the body are held. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  /** Takes the bytes that are held. */
  release(): readonly Uint8Array[] {
    const held = this.#held
    this.#held = []
    this.#heldBytes = 0
    return held
  }
}

/** Gives the header fields of a CONNECT as others may see them: not with the credentials for the proxy. */
function withoutCredentials(fields: Headers): Headers {
  return fields.map(field => (field[0] === 'proxy-authorization' ? [field[0], '…'] : field))
}
