/** Node's HTTP/2 session over a connection, and what it does not tell: who resets a stream, which stream a push is for. */

import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type Settings,
} from 'node:http2'
import { GunError } from '../errors.js'
import type { Host } from '../layer/contract.js'
import { Keepalive } from '../layer/keepalive.js'
import type { HTTP2_DEFAULTS } from '../options/http.js'
import { Deadline } from '../transport/deadline.js'
import type { Outlet } from '../transport/outlet.js'
import { Slice } from '../transport/slice.js'
import { FAULTS, nameOf, sessionError } from './errors.js'
import type { HeaderBlock } from './fields.js'
import { CheapFrames } from './flood.js'
import {
  FarewellScanner,
  type Fault,
  type FrameLimits,
  FrameScanner,
  type FrameWatcher,
  PeerSide,
} from './frames.js'
import { Pipe } from './pipe.js'

export type Http2Settings = typeof HTTP2_DEFAULTS

/** In MB. Beyond, Node refuses streams; what may wait here is bounded by windows and by high-water marks already. */
const MOST_MEMORY = 1024
/** In bytes. What a request has is the caller's; the peer has limits of its own. */
const MOST_HEADERS = 16 * 1024 * 1024
/** Node gives up on pings at so many without an answer; who sends as many finds out. */
const MOST_PINGS = 1000
/** Of so many promises is kept what Node may still tell of. */
const MOST_PROMISES = 1000

/** Who uses the session. Each of these may end the connection. */
export interface Http2SessionUser {
  /** The server has stated its settings, or changed them. */
  onSettings(settings: Readonly<Settings>): void
  /** The server ends the connection; it has looked at no stream above `lastId`. */
  onGoaway(code: number, lastId: number): void
  /** The server has begun a stream of its own. */
  onPush(push: Push): void
  /** Nothing more comes; `undefined`: in order. May be told again. */
  onEnded(error: GunError | undefined): void
}

/** A stream that the server begins, in answer to the request of another. */
export interface Push {
  readonly node: ClientHttp2Stream
  readonly parentId: number
  readonly peer: PeerSide
  /** Those of the request that it answers, as they came. */
  readonly raw: readonly string[]
}

/** How a request is told to Node. */
export type RequestBody = 'none' | 'whole' | 'streamed'

export class Http2Session implements FrameWatcher {
  readonly #host: Host
  readonly #user: Http2SessionUser
  /** Kept, since the connection has let go of its own when it asks for the end. */
  readonly #outlet: Outlet
  readonly #pipe: Pipe
  readonly #node: ClientHttp2Session
  readonly #scanner: FrameScanner
  readonly #cheapFrames = new CheapFrames()
  readonly #slice = new Slice(1)
  /** What has come and waits for the next turn of the event loop. */
  #rest: Buffer | undefined
  readonly #keepalive: Keepalive | undefined
  readonly #prefaceDeadline: Deadline
  readonly #settingsDeadline: Deadline
  /** What the frames have said of the streams that are open, by their numbers. */
  readonly #peers = new Map<number, PeerSide>()
  /** The same of those that were promised and that Node has not told of yet; and which stream they are for. */
  readonly #promises = new Map<number, Omit<Push, 'node' | 'raw'>>()
  #lastPushed = 0
  #isStopped = false
  #isDestroyed = false

  /** Begins HTTP/2: our preface and SETTINGS leave, whatever the peer says. */
  constructor(host: Host, opts: Http2Settings, user: Http2SessionUser) {
    this.#host = host
    this.#user = user
    this.#outlet = host.outlet
    this.#scanner = new FrameScanner(this, limitsOf(opts))
    const farewell = new FarewellScanner(code => this.#onFarewell(code))
    this.#pipe = new Pipe(this.#outlet, bytes => farewell.scan(bytes))
    const node = createSession(this.#pipe, host, opts)
    this.#node = node
    node.on('remoteSettings', settings => {
      this.#prefaceDeadline.clear()
      host.guard(() => user.onSettings(settings))
    })
    node.on('localSettings', () => this.#settingsDeadline.clear())
    node.on('goaway', (code, lastId) => host.guard(() => user.onGoaway(code, lastId)))
    node.on('stream', (stream, _headers, _flags, raw?: readonly string[]) =>
      host.guard(() => this.#onPush(stream, raw ?? [])),
    )
    node.on('error', cause => host.guard(() => user.onEnded(sessionError(cause))))
    node.on('close', () => host.guard(() => user.onEnded(undefined)))
    this.#prefaceDeadline = this.#within(opts.prefaceTimeout, 'preface_timeout', 'send its SETTINGS')
    this.#settingsDeadline = this.#within(
      opts.settingsTimeout,
      'settings_timeout',
      'acknowledge our SETTINGS',
    )
    if (opts.keepalive === Number.POSITIVE_INFINITY) return
    this.#keepalive = new Keepalive(opts.keepalive, opts.keepaliveTolerance, {
      ping: () => host.guard(() => this.ping(error => error ?? this.#keepalive?.forgive())),
      isRead: () => true,
      lost: error => host.lost(error),
    })
  }

  /** Why it has ended is told of the connection. */
  get isDestroyed(): boolean {
    return this.#isDestroyed || this.#node.destroyed
  }

  get mayRequest(): boolean {
    return !this.#node.closed && !this.isDestroyed
  }

  /** The peer has not agreed to our settings yet, nor has to keep to them. */
  get isUnsettled(): boolean {
    return this.#node.pendingSettingsAck
  }

  /** Bytes have come. */
  receive(bytes: Buffer): void {
    if (this.#rest === undefined) this.#scan(bytes)
    // What is encrypted may still bring some when reading has stopped.
    else this.#rest = Buffer.concat([this.#rest, bytes])
  }

  /** Nothing more comes: makes something at once of what had come. */
  finish(): void {
    for (let rest = this.#rest; rest !== undefined; rest = this.#rest) {
      this.#rest = undefined
      this.#scan(rest)
    }
  }

  #scan(bytes: Buffer): void {
    this.#slice.begin()
    for (let rest = bytes; !this.#isStopped; ) {
      const fault = this.#scanner.scan(rest)
      if (fault !== undefined) return this.#breakOff(fault)
      const { left } = this.#scanner
      if (left === 0) return
      rest = rest.subarray(rest.length - left)
      if (this.#slice.isOver()) return this.#yield(rest)
    }
  }

  /** The rest waits for the next turn of the event loop. */
  #yield(rest: Buffer): void {
    this.#rest = Buffer.from(rest)
    this.#host.stopReading()
    setImmediate(() => this.#host.guard(() => this.#goOn()))
  }

  #goOn(): void {
    const rest = this.#rest
    this.#rest = undefined
    if (rest !== undefined) this.#scan(rest)
    if (this.#rest === undefined && !this.#isStopped) this.#host.startReading()
  }

  /** Begins a stream. Throws what Node does not send. */
  request(headers: HeaderBlock, body: RequestBody, peer: PeerSide): ClientHttp2Stream {
    const node = this.#node.request(headers, REQUEST_OPTIONS[body])
    if (node.id !== undefined) this.#peers.set(node.id, peer)
    return node
  }

  /** The stream is over, as far as we are concerned. */
  forget(id: number | undefined): void {
    if (id !== undefined) this.#peers.delete(id)
  }

  /** Asks the peer for a sign of life; `done` gets how many milliseconds it took. */
  ping(done: (error: Error | null, duration: number) => void): void {
    // Why a session has ended is told of the connection, and of its pings with that.
    if (this.isDestroyed) return
    this.#node.ping((error, duration) => {
      if (!this.isDestroyed) this.#host.guard(() => done(error, duration))
    })
  }

  /** Node would say it later than the connection closes, but it has to say the preface first. */
  goAway(code: number): void {
    this.#pipe.afterFirst(() => this.#outlet.write(goawayFrame(code, this.#lastPushed)))
  }

  /** A peer that says nothing is not given up any more. */
  stopPinging(): void {
    this.#keepalive?.stop()
  }

  /** Nothing more is made of what comes. */
  stop(): void {
    this.#isStopped = true
    this.#prefaceDeadline.clear()
    this.#settingsDeadline.clear()
    this.stopPinging()
  }

  destroy(): void {
    this.#isDestroyed = true
    this.stop()
    this.#peers.clear()
    this.#promises.clear()
    this.#pipe.letGo()
    // While a write is under way Node may abort the program over a session that is destroyed. One ends an immediate after it
    // was dropped, and Node may begin another by then.
    setImmediate(() => setImmediate(() => this.#node.destroy()))
  }

  // What the frames tell.

  peerOf(streamId: number): PeerSide | undefined {
    return this.#peers.get(streamId) ?? this.#promises.get(streamId)?.peer
  }

  onPushPromise(streamId: number, promisedId: number): void {
    // Node does not tell of those that it refuses.
    const [oldest] = this.#promises.keys()
    if (oldest !== undefined && this.#promises.size >= MOST_PROMISES) this.#promises.delete(oldest)
    this.#promises.set(promisedId, { parentId: streamId, peer: new PeerSide() })
  }

  isTooCheap(): boolean {
    return this.#cheapFrames.areTooMany()
  }

  onBytes(bytes: Buffer): void {
    // What came before may have ended the connection.
    if (!this.#isStopped) this.#pipe.receive(bytes)
  }

  /** Counts what Node tells of, and what brings nothing. */
  onCheapFrame(): void {
    if (this.isTooCheap()) this.#breakOff('flood')
  }

  // What Node tells.

  #onPush(node: ClientHttp2Stream, raw: readonly string[]): void {
    // Whatever becomes of it, it must not end the program.
    node.on('error', () => {})
    const id = node.id ?? 0
    this.#lastPushed = Math.max(this.#lastPushed, id)
    const promise = this.#promises.get(id)
    this.#promises.delete(id)
    if (promise === undefined || this.#isStopped) return node.close(constants.NGHTTP2_CANCEL)
    this.#peers.set(id, promise.peer)
    node.on('close', () => this.forget(id))
    this.#user.onPush({ node, raw, ...promise })
  }

  /** Later, as Node may tell still what has come before. */
  #onFarewell(code: number): void {
    const text = `the peer broke the rules of HTTP/2, and was told ${nameOf(code)}`
    const error = new GunError('protocol_error', 'connection_error', text)
    setImmediate(() => this.#host.guard(() => this.#user.onEnded(error)))
  }

  #breakOff(fault: Fault): void {
    if (this.#isStopped) return
    this.stop()
    const { code, error } = FAULTS[fault]
    this.goAway(code)
    // Node tells later of what has come before.
    process.nextTick(() => this.#host.guard(() => this.#user.onEnded(error())))
  }

  #within(ms: number, code: 'preface_timeout' | 'settings_timeout', what: string): Deadline {
    const error = () => new GunError(code, 'connection_error', `the peer did not ${what} within ${ms} ms`)
    return new Deadline(ms, () => this.#host.guard(() => this.#host.lost(error())))
  }
}

/** A block whose fields exceed what the list may have costs no more than its stream, unless it is much too large. */
function limitsOf({ maxFrameSizeReceived, maxHeaderListSize }: Http2Settings): FrameLimits {
  return { frame: maxFrameSizeReceived, block: 2 * maxHeaderListSize + 16384 }
}

function createSession(pipe: Pipe, host: Host, opts: Http2Settings): ClientHttp2Session {
  const settings: Settings = {
    enablePush: opts.enablePush,
    initialWindowSize: opts.initialStreamWindowSize,
    maxConcurrentStreams: opts.maxConcurrentStreams,
    maxHeaderListSize: opts.maxHeaderListSize,
  }
  if (opts.maxDecodeTableSize !== 4096) settings.headerTableSize = opts.maxDecodeTableSize
  if (opts.maxFrameSizeReceived !== 16384) settings.maxFrameSize = opts.maxFrameSizeReceived
  if (opts.enableConnectProtocol !== undefined) settings.enableConnectProtocol = opts.enableConnectProtocol
  const session = connect(`${host.scheme}://${host.authority}`, {
    createConnection: () => pipe,
    settings,
    maxDeflateDynamicTableSize: opts.maxEncodeTableSize,
    maxOutstandingPings: MOST_PINGS,
    maxSendHeaderBlockLength: MOST_HEADERS,
    maxSessionMemory: MOST_MEMORY,
    // As many fields as fit in what the list may have.
    maxHeaderListPairs: Math.max(4, Math.ceil(opts.maxHeaderListSize / 32)),
  })
  session.setLocalWindowSize(opts.initialConnectionWindowSize)
  return session
}

/** A GOAWAY frame (RFC 9113 section 6.8); `lastId` is the last stream of the peer's that was looked at. */
function goawayFrame(code: number, lastId: number): Buffer {
  const bytes = Buffer.alloc(17)
  bytes.writeUIntBE(8, 0, 3)
  bytes[3] = 7
  bytes.writeUInt32BE(lastId, 9)
  bytes.writeUInt32BE(code, 13)
  return bytes
}

type RequestOptions = Parameters<ClientHttp2Session['request']>[1]

/** A body that is streamed may have trailers behind it. */
const REQUEST_OPTIONS: Record<RequestBody, RequestOptions> = {
  none: requestOptions(true, false),
  whole: requestOptions(false, false),
  streamed: requestOptions(false, true),
}

/**
 * Node 20 copies the options and fills in what is missing, which takes V8 ten times as long where the name was not there
 * before; later ones warn of these names.
 */
function requestOptions(endStream: boolean, waitForTrailers: boolean): RequestOptions {
  const unset = {
    weight: undefined,
    parent: undefined,
    exclusive: undefined,
    silent: undefined,
    signal: undefined,
  }
  const isFilledIn = process.versions.node.startsWith('20.')
  return { endStream, waitForTrailers, ...(isFilledIn ? unset : {}) } as unknown as RequestOptions
}
