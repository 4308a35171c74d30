/** The engine of HTTP/2 on a line: reads it a slice of the event loop at a time, and keeps the deadlines and the pings. */

import { nodesImmediate, nodesTick } from '@holster/process/internal'
import { GunError } from '../errors.js'
import type { Host } from '../layer/contract.js'
import { Keepalive } from '../layer/keepalive.js'
import type { Http2Settings } from '../options/http.js'
import { Deadline } from '../transport/deadline.js'
import { Slice } from '../transport/slice.js'
import { codes } from './engine/codes.js'
import { Engine } from './engine/engine.js'
import type { EngineOptions } from './engine/settings.js'
import type { Value } from './engine/values.js'

/** How many values are handled between two looks at the clock. */
const LOOK = 16

/** The host, as far as the session needs it. */
export type SessionHost = Pick<Host, 'outlet' | 'guard' | 'settle' | 'stopReading' | 'startReading' | 'lost'>

/** Uses the session. */
export interface Http2SessionUser<Stream> {
  /** Takes the next value of the peer; what callers ask for within it is done before the next. */
  onValue(value: Value<Stream>): void
}

/** `Stream` is what owns each stream of the engine. */
export class Http2Session<Stream> {
  readonly engine: Engine<Stream>
  /** The streams whose last bytes are still to leave, though nobody waits for them. */
  readonly lingering = new Set<{ abort(): void }>()
  readonly #host: SessionHost
  readonly #user: Http2SessionUser<Stream>
  readonly #slice = new Slice(LOOK)
  /** Whether bytes that have come wait for the next turn of the event loop. */
  #isYielding = false
  /** Whether values are being handed on. */
  #isReading = false
  readonly #keepalive: Keepalive | undefined
  readonly #prefaceDeadline: Deadline
  readonly #settingsDeadline: Deadline
  /** The calls that are made when the peer answers each ping, with how many milliseconds the answer took. */
  readonly #pings = new Map<number, { readonly since: number; readonly done: (duration: number) => void }>()
  #isStopped = false
  /** The calls that are made when more bytes have left. */
  #whenSent: (() => void)[] = []

  /** Begins HTTP/2: sends our preface and SETTINGS without waiting for the peer's. */
  constructor(host: SessionHost, opts: Http2Settings, user: Http2SessionUser<Stream>) {
    this.#host = host
    this.#user = user
    this.engine = new Engine(host.outlet, engineOptions(opts), performance.now())
    this.engine.start()
    const { PROTOCOL_ERROR, SETTINGS_TIMEOUT } = codes
    this.#prefaceDeadline = this.#within(opts.prefaceTimeout, PROTOCOL_ERROR, preface)
    this.#settingsDeadline = this.#within(opts.settingsTimeout, SETTINGS_TIMEOUT, acknowledgement)
    if (opts.keepalive === Number.POSITIVE_INFINITY) return
    const keepalive = new Keepalive(opts.keepalive, opts.keepaliveTolerance, {
      ping: () => host.guard(() => this.ping(() => keepalive.answered())),
      isRead: () => true,
      lost: error => host.lost(error),
    })
    this.#keepalive = keepalive
  }

  /** Takes bytes of the peer. */
  receive(bytes: Buffer): void {
    if (this.#isStopped) return
    this.engine.give(bytes, performance.now())
    // TLS may still hand on decrypted bytes once reading has stopped.
    if (this.#isYielding) this.engine.own()
    else this.#read(true)
  }

  /** The peer has sent its last byte: reads at once the bytes that wait for their turn. */
  end(): void {
    if (!this.#isReading) this.#read(false)
  }

  /** Hands on values as they come, and, unless `yields` is false, no longer than a slice of the event loop. */
  #read(yields: boolean): void {
    this.#isYielding = false
    this.#isReading = true
    this.#slice.begin()
    const { engine } = this
    for (let value = engine.next(); value !== undefined && !this.#isStopped; value = engine.next()) {
      this.#user.onValue(value)
      this.#host.settle()
      if (this.#isStopped || (yields && this.#slice.isOver())) break
    }
    this.#isReading = false
    if (this.#isStopped || !yields) return
    this.#watch()
    if (engine.isIdle) return
    engine.own()
    this.#isYielding = true
    this.#host.stopReading()
    nodesImmediate(() => this.#host.guard(() => this.#goOn()))
  }

  #goOn(): void {
    if (!this.#isYielding) return
    this.#read(true)
    if (!this.#isYielding && !this.#isStopped) this.#host.startReading()
  }

  /** Has what waits for room to leave sent once there is some. To be called whenever something was given to be sent. */
  watch(): void {
    if (this.engine.isWaitingForSink) this.#watch()
  }

  /** Calls `run` once, when more bytes have left, or soon, when none wait. */
  whenSent(run: () => void): void {
    const { outlet } = this.#host
    if (outlet.buffered === 0) return nodesTick(run)
    this.#whenSent.push(run)
    outlet.onSent ??= () => this.#host.guard(() => this.#onSent())
  }

  #watch(): void {
    const { outlet } = this.#host
    if (!this.engine.isWaitingForSink || outlet.onSent !== undefined || this.#isStopped) return
    outlet.onSent = () => this.#host.guard(() => this.#onSent())
  }

  #onSent(): void {
    if (this.#isStopped) return
    this.engine.flush()
    if (!this.engine.isWaitingForSink) this.#host.outlet.onSent = undefined
    for (const run of this.#whenSent.splice(0)) run()
    if (!this.#isYielding && !this.#isReading) this.#read(true)
  }

  /** Asks the peer for a sign of life; `done` gets how many milliseconds it took. Returns whether the ping was sent. */
  ping(done: (duration: number) => void): boolean {
    const ping = this.engine.ping()
    if (ping === undefined) return false
    this.#pings.set(ping, { since: performance.now(), done })
    return true
  }

  /** The peer has answered a ping. */
  onPingAck(ping: number): void {
    const sent = this.#pings.get(ping)
    this.#pings.delete(ping)
    sent?.done(performance.now() - sent.since)
  }

  /** The peer has stated its settings. */
  onSettings(): void {
    this.#prefaceDeadline.clear()
  }

  /** The peer keeps to our settings. */
  onAcknowledged(): void {
    this.#settingsDeadline.clear()
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
    this.stop()
    this.engine.stop()
    for (const line of this.lingering) line.abort()
    this.#host.outlet.onSent = undefined
    this.#whenSent = []
    this.#pings.clear()
  }

  #within(ms: number, code: number, late: (ms: number) => GunError): Deadline {
    return new Deadline(ms, () =>
      this.#host.guard(() => {
        this.engine.goAway(code)
        this.#host.lost(late(ms))
      }),
    )
  }
}

function preface(ms: number): GunError {
  const text = `the peer did not send its SETTINGS within ${ms} ms`
  return new GunError('preface_timeout', 'connection_error', text)
}

function acknowledgement(ms: number): GunError {
  const text = `the peer did not acknowledge our SETTINGS within ${ms} ms`
  return new GunError('settings_timeout', 'connection_error', text)
}

/** Gives the engine's options; what the caller has left open follows from the rest. */
function engineOptions(opts: Http2Settings): EngineOptions {
  const { initialConnectionWindowSize, initialStreamWindowSize, maxHeaderListSize } = opts
  const {
    connectionWindowUpdateThreshold = Math.floor(initialConnectionWindowSize / 2),
    streamWindowUpdateThreshold = Math.floor(initialStreamWindowSize / 2),
    maxFragmentedHeaderBlockSize = 2 * maxHeaderListSize + 16384,
  } = opts
  return {
    connectionWindow: {
      initial: initialConnectionWindowSize,
      threshold: connectionWindowUpdateThreshold,
      margin: opts.connectionWindowMarginSize,
      max: opts.maxConnectionWindowSize,
    },
    streamWindow: {
      initial: initialStreamWindowSize,
      threshold: streamWindowUpdateThreshold,
      margin: opts.streamWindowMarginSize,
      max: opts.maxStreamWindowSize,
    },
    maxConcurrentStreams: opts.maxConcurrentStreams,
    enablePush: opts.enablePush,
    enableConnectProtocol: opts.enableConnectProtocol,
    maxDecodeTableSize: opts.maxDecodeTableSize,
    maxEncodeTableSize: opts.maxEncodeTableSize,
    maxFrameSizeReceived: opts.maxFrameSizeReceived,
    maxFrameSizeSent: opts.maxFrameSizeSent,
    maxHeaderListSize,
    maxHeaderBlock: maxFragmentedHeaderBlockSize,
    dataThreshold: opts.streamWindowDataThreshold,
  }
}
