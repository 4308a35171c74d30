/** The life of a protocol within a stream: when it ends, the stream ends, and nothing else. */

import { asKind, cancelledTunnel, GunError } from '../errors.js'
import { type StreamRef, setLayer } from '../handles.js'
import type { Again, Host, Protocol } from '../layer/contract.js'
import { Layer, type LayerUser } from '../layer/layer.js'
import { Deadline } from '../transport/deadline.js'
import type { EngineStream } from './engine/stream.js'
import type { Http2Session } from './session.js'
import { StreamLine } from './stream-line.js'

/** The errors of a stream that the peer has ended while nothing was wrong. */
const BY_PEER: ReadonlySet<string> = new Set(['closed', 'stream_reset'])

/** The stream, as the protocol within it needs it. */
export interface InnerUser {
  /** Takes an upgrade for the next connection; `undefined` unless this one ends and another will follow. */
  readonly again: Again | undefined
  /** The protocol has ended by itself, and its last message was posted. */
  onInnerOver(): void
}

export class Inner<Stream> implements LayerUser {
  readonly layer: Layer
  readonly #host: Host
  readonly #user: InnerUser
  readonly #session: Http2Session<Stream>
  readonly #line: StreamLine<Stream>
  readonly #streamRef: StreamRef
  /** Whether the caller wants the stream to end, so that there is nothing to come back to. */
  #isFinal = false
  /** Whether the protocol has ended, though its last bytes may still have to leave. */
  #isOver = false
  /** Whether the connection is cut, so that only the bytes that have come are still handed on. */
  #isCut = false
  /** Whether all of those are handed on. */
  #hasCaughtUp = false
  #deadline: Deadline | undefined

  constructor(
    host: Host,
    session: Http2Session<Stream>,
    stream: EngineStream<Stream>,
    streamRef: StreamRef,
    user: InnerUser,
  ) {
    this.#host = host
    this.#user = user
    this.#streamRef = streamRef
    this.#session = session
    this.#line = new StreamLine(session, host.outlet, stream)
    this.layer = new Layer(host.home, this.#line, host.endpoint, this, { streamRef })
    this.#line.attach(this.layer)
  }

  get isOver(): boolean {
    return this.#isOver
  }

  get protocol(): Protocol | undefined {
    return this.layer.protocol
  }

  /** Takes bytes of the peer. */
  handle(chunk: Buffer): void {
    this.#line.receive(chunk)
  }

  /** Bytes that waited have been sent. */
  onSent(): void {
    this.#line.onSent()
  }

  /** The peer has ended the stream, or, with a reason, the stream broke. */
  ended(reason: GunError | undefined): void {
    this.#line.end(reason)
  }

  /** The connection is cut: hands on the bytes that have come if the stream `isWhole`, and calls `onInnerOver` behind them. */
  cut(reason: GunError, isWhole: boolean): void {
    this.#isCut = true
    if (!isWhole) this.#line.drop()
    this.#line.end(reason)
  }

  /** Whether bytes of a connection that is cut wait to be handed on. */
  get isBusy(): boolean {
    return this.#isCut && !this.#hasCaughtUp && !this.#isOver
  }

  /** The whole connection is lost. Gives the streams that this has killed, which are told so. */
  abort(reason: GunError | 'normal', again: Again | undefined): readonly StreamRef[] {
    if (this.#isOver) return []
    this.#dispose()
    const { layer } = this
    const killed = layer.abort(layer.protocol?.isDone ? 'normal' : reason, this.#isFinal ? undefined : again)
    // TLS over the stream holds memory of its own.
    if (layer.line !== this.#line) layer.line.abort()
    return killed
  }

  /** Begins an orderly end, and gives how many milliseconds it may take. */
  finish(): number {
    if (this.#isOver) return 0
    this.layer.ignoreMailboxes()
    const timeout = this.layer.finish()
    if (timeout === 0) this.layer.lost('normal')
    return timeout
  }

  /** Posts nothing more of the stream itself. The streams of a tunnel still have to hear of their end. */
  silence(): void {
    this.layer.muteStream(this.#streamRef)
  }

  /** Tells the streams of a tunnel that it was cancelled, and nothing of the stream itself. */
  cancel(): void {
    if (this.#isOver) return
    this.#dispose()
    this.silence()
    this.layer.abort(cancelledTunnel(), undefined)
    if (this.layer.line !== this.#line) this.layer.line.abort()
  }

  /** Calls `run` when the last bytes have left, or have been given up. */
  whenLeft(run: () => void): void {
    this.#line.whenLeft(() => this.#host.later(run))
  }

  // The layer tells:

  onLost(reason: GunError | 'normal'): void {
    this.#host.home.steps.add({ type: 'task', run: () => this.#lost(reason) })
  }

  #lost(reason: GunError | 'normal'): void {
    if (this.#isOver) return
    if (this.#isCut) {
      this.#hasCaughtUp = true
      return this.#user.onInnerOver()
    }
    this.#dispose()
    // Where another connection takes the protocol over, nobody would be told what was wrong with the stream.
    const mayComeBack = !this.#isFinal && (reason === 'normal' || BY_PEER.has(reason.code))
    const again = mayComeBack ? this.#user.again : undefined
    this.layer.abort(reason === 'normal' ? reason : asKind('stream_error', reason), again)
    this.#finish()
    this.#user.onInnerOver()
  }

  /** Ends the line in order. TLS over the stream waits for the peer's end longer than the stream, but not than the connection. */
  #finish(): void {
    const { line } = this.layer
    line.finish()
    if (line === this.#line || line.socket === undefined || line.socket.closed) return
    const { lingering } = this.#session
    lingering.add(line)
    line.socket.once('close', () => lingering.delete(line))
  }

  onClosing(timeout: number, isFinal: boolean): void {
    this.#isFinal ||= isFinal
    this.layer.ignoreMailboxes()
    this.#deadline?.clear()
    const late = new GunError('closing_timeout', 'stream_error', 'the peer did not finish closing in time')
    this.#deadline = new Deadline(timeout, () => this.layer.lost(late))
  }

  onRetired(): void {}

  onState(): void {}

  onHeard(): void {
    this.#host.heard()
  }

  #dispose(): void {
    this.#isOver = true
    setLayer(this.#streamRef, undefined)
    this.#deadline?.clear()
    this.layer.source.close()
  }
}
