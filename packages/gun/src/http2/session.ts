/** Node's HTTP/2 session on a line, with what Node does not tell: who resets a stream, and which stream a push is for. */

import { type ClientHttp2Session, type ClientHttp2Stream, constants, type Settings } from 'node:http2'
import { GunError } from '../errors.js'
import type { Host } from '../layer/contract.js'
import { Keepalive } from '../layer/keepalive.js'
import type { Http2Settings } from '../options/http.js'
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
import { createSession, REQUEST_OPTIONS, type RequestBody } from './node-session.js'
import { Pipe } from './pipe.js'

/** How many promises are remembered until Node tells of their streams. */
const MOST_PROMISES = 1000

/** Uses the session. */
export interface Http2SessionUser {
  /** The server has stated its settings, or changed them. */
  onSettings(settings: Readonly<Settings>): void
  /** The server ends the connection; it has looked at no stream above `lastId`. */
  onGoaway(code: number, lastId: number): void
  /** The server has begun a stream of its own. */
  onPush(push: Push): void
  /** Nothing more comes; without an error, in order. May be told again. */
  onEnded(error: GunError | undefined): void
}

/** A stream that the server begins, in answer to the request of another. */
export interface Push {
  readonly node: ClientHttp2Stream
  readonly parentId: number
  readonly peer: PeerSide
  /** The header fields of the request that the push answers, as they came. */
  readonly raw: readonly string[]
}

export class Http2Session implements FrameWatcher {
  readonly #host: Host
  readonly #user: Http2SessionUser
  /** Where frames leave that Node does not write. */
  readonly #outlet: Outlet
  readonly #pipe: Pipe
  readonly #node: ClientHttp2Session
  readonly #scanner: FrameScanner
  readonly #cheapFrames = new CheapFrames()
  readonly #slice = new Slice(1)
  /** The bytes that have come and wait for the next turn of the event loop. */
  #rest: Buffer | undefined
  readonly #keepalive: Keepalive | undefined
  readonly #prefaceDeadline: Deadline
  readonly #settingsDeadline: Deadline
  /** The peer's side of each open stream, by the stream's number. */
  readonly #peers = new Map<number, PeerSide>()
  /** The peer's side and the parent of each stream that was promised and that Node has not told of yet. */
  readonly #promises = new Map<number, Omit<Push, 'node' | 'raw'>>()
  #lastPushed = 0
  #isStopped = false
  #isDisposed = false

  /** Begins HTTP/2: sends our preface and SETTINGS without waiting for the peer's. */
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

  /** Whether the session has ended. The reason is told of the connection. */
  get isOver(): boolean {
    return this.#isDisposed || this.#node.destroyed
  }

  get mayRequest(): boolean {
    return !this.#node.closed && !this.isOver
  }

  /** Whether the peer has not acknowledged our settings yet, and so need not keep to them. */
  get isUnsettled(): boolean {
    return this.#node.pendingSettingsAck
  }

  /** Takes bytes of the peer. */
  receive(bytes: Buffer): void {
    if (this.#rest === undefined) this.#scan(bytes)
    // TLS may still hand on decrypted bytes once reading has stopped.
    else this.#rest = Buffer.concat([this.#rest, bytes])
  }

  /** The peer has sent its last byte: reads at once the bytes that wait for their turn. */
  end(): void {
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

  /** Lets the rest wait for the next turn of the event loop. */
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

  /** Begins a stream. Throws the error of a request that Node does not send. */
  request(headers: HeaderBlock, body: RequestBody, peer: PeerSide): ClientHttp2Stream {
    const node = this.#node.request(headers, REQUEST_OPTIONS[body])
    if (node.id !== undefined) this.#peers.set(node.id, peer)
    return node
  }

  /** Lets go of a stream that is over on our side. */
  forget(id: number | undefined): void {
    if (id !== undefined) this.#peers.delete(id)
  }

  /** Asks the peer for a sign of life; `done` gets how many milliseconds it took. */
  ping(done: (error: Error | null, duration: number) => void): void {
    // The pings of a session that has ended fail with the connection.
    if (this.isOver) return
    this.#node.ping((error, duration) => {
      if (!this.isOver) this.#host.guard(() => done(error, duration))
    })
  }

  /** Sends GOAWAY, behind the preface that Node writes. Node's own GOAWAY would come behind the connection's end. */
  goAway(code: number): void {
    this.#pipe.afterFirst(() => this.#outlet.write(goawayFrame(code, this.#lastPushed)))
  }

  /** Gives a silent peer up no longer. */
  stopPinging(): void {
    this.#keepalive?.dispose()
  }

  /** Drops the bytes that still come, and waits for nothing. */
  stop(): void {
    this.#isStopped = true
    this.#prefaceDeadline.clear()
    this.#settingsDeadline.clear()
    this.stopPinging()
  }

  dispose(): void {
    this.#isDisposed = true
    this.stop()
    this.#peers.clear()
    this.#promises.clear()
    this.#pipe.dispose()
    // Node may abort the program when a session is destroyed while a write is under way. A write ends one immediate after it was
    // dropped, and Node may have begun another by then.
    setImmediate(() => setImmediate(() => this.#node.destroy()))
  }

  // The frames tell:

  peerOf(streamId: number): PeerSide | undefined {
    return this.#peers.get(streamId) ?? this.#promises.get(streamId)?.peer
  }

  onPushPromise(streamId: number, promisedId: number): void {
    // Node tells nothing of promises that it refuses, so the oldest has to go.
    const [oldest] = this.#promises.keys()
    if (oldest !== undefined && this.#promises.size >= MOST_PROMISES) this.#promises.delete(oldest)
    this.#promises.set(promisedId, { parentId: streamId, peer: new PeerSide() })
  }

  isTooCheap(): boolean {
    return this.#cheapFrames.areTooMany()
  }

  onBytes(bytes: Buffer): void {
    // Frames in front of these may have ended the connection.
    if (!this.#isStopped) this.#pipe.receive(bytes)
  }

  /** Counts a frame that Node tells of and that brings nothing. */
  onCheapFrame(): void {
    if (this.isTooCheap()) this.#breakOff('flood')
  }

  // Node tells:

  #onPush(node: ClientHttp2Stream, raw: readonly string[]): void {
    // An error without a listener would end the program.
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

  /** Ends the connection an immediate later, as Node still tells of frames that have come before. */
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
    // Node tells later of the frames that have come before.
    process.nextTick(() => this.#host.guard(() => this.#user.onEnded(error())))
  }

  #within(ms: number, code: 'preface_timeout' | 'settings_timeout', what: string): Deadline {
    const error = () => new GunError(code, 'connection_error', `the peer did not ${what} within ${ms} ms`)
    return new Deadline(ms, () => this.#host.guard(() => this.#host.lost(error())))
  }
}

/** Leaves room above `maxHeaderListSize`, since a block somewhat larger ends its stream alone, and not the connection. */
function limitsOf({ maxFrameSizeReceived, maxHeaderListSize }: Http2Settings): FrameLimits {
  return { frame: maxFrameSizeReceived, block: 2 * maxHeaderListSize + 16384 }
}

/** A GOAWAY frame (RFC 9113 section 6.8); `lastId` is the number of the last stream of the peer's that was looked at. */
function goawayFrame(code: number, lastId: number): Buffer {
  const bytes = Buffer.alloc(17)
  bytes.writeUIntBE(8, 0, 3)
  bytes[3] = 7
  bytes.writeUInt32BE(lastId, 9)
  bytes.writeUInt32BE(code, 13)
  return bytes
}
