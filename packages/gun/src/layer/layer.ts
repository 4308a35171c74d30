/** A protocol on a line: the protocol gets what the line brings, and the line is read as the protocol and mailboxes allow. */

import { type Mark, Source, type Valve } from '@holster/process/internal'
import { GunError, messageOf, overflowError } from '../errors.js'
import { connPidOf, innerOf, StreamRef } from '../handles.js'
import { type GunMessage, replyToOf } from '../messages.js'
import type { Line, LineUser } from '../transport/line.js'
import { Share } from '../transport/slice.js'
import { COMMAND_NAMES, type Command } from './commands.js'
import { type Again, carryOut, type Home, type Host, type Protocol } from './contract.js'
import type { StreamInfo } from './info.js'
import { post } from './mail.js'

/** The layer that a stream has become, such as a WebSocket over HTTP/2; `undefined`: the stream runs on the connection's own. */
export const layerOf = innerOf as (streamRef: StreamRef) => Layer | undefined

/** The connection, or a stream that another protocol has taken over: what a layer tells of itself. */
export interface LayerUser {
  /** The layer cannot go on. */
  onLost(reason: GunError | 'normal'): void
  /** The protocol closes by itself, see `Host.closing`. */
  onClosing(timeout: number, isFinal: boolean): void
  /** Nothing more begins on the layer. */
  onRetired(): void
  /** Another protocol has taken over. */
  onSwitched(protocol: Protocol): void
  /** The peer has sent something of use. */
  onHeard(): void
}

/** The other end of a layer, as its protocol calls it. */
export interface LayerOrigin {
  readonly scheme: 'http' | 'https'
  /** The host header's value. */
  readonly authority: string
}

export interface LayerInit {
  /** The source of the layer's messages. Default: a source of its own. */
  readonly source?: Source
  /** The stream that the layer is in. Default: none, since the layer is the connection's own. */
  readonly streamRef?: StreamRef
  /** Whether a mailbox is over its mark already. Default `false`. */
  readonly isPaused?: boolean
}

export class Layer implements Host, LineUser, Valve {
  readonly home: Home
  readonly line: Line
  readonly connPid
  readonly events
  readonly cookies
  readonly scheme
  readonly authority: string
  /** The source of the layer's messages. */
  readonly source: Source
  readonly #user: LayerUser
  /** The stream that the layer is in; `undefined`: the layer is the connection's own. */
  readonly #streamRef: StreamRef | undefined
  readonly #share = new Share()
  /** The protocol that is up; read, and never set, by others. */
  protocol: Protocol | undefined
  /** Whether a mailbox is over its mark, so that nothing is read. */
  #isPaused: boolean
  /** Whether the protocol takes nothing for now. */
  #isStopped = false
  /** Whether the layer has spent its share of this turn of the event loop. */
  #isYielding = false
  /** Whether the layer closes, so that no mailbox holds up the peer's last words. */
  #isClosing = false
  #isLost = false
  /** Whether the protocol is called no more. */
  #isOver = false
  /** Whether nothing more is posted. */
  #isMute = false

  constructor(
    home: Home,
    line: Line,
    origin: LayerOrigin,
    user: LayerUser,
    { source, streamRef, isPaused = false }: LayerInit = {},
  ) {
    this.home = home
    this.line = line
    this.connPid = home.connPid
    this.events = home.events
    this.cookies = home.cookies
    this.scheme = origin.scheme
    this.authority = origin.authority
    this.#user = user
    this.source = source ?? new Source(this)
    this.#streamRef = streamRef
    this.#isPaused = isPaused
  }

  /** Starts the first protocol of the layer. */
  start(protocol: Protocol): void {
    this.#take(protocol)
  }

  /** Hands a command to the protocol, and returns the answer to the caller. */
  perform(command: Command): boolean {
    const protocol = this.protocol
    if (protocol === undefined) return false
    return carryOut(protocol, command) ?? this.#refuse(command, protocol)
  }

  /** Answers a command that the protocol has no method for. */
  #refuse(command: Command, protocol: Protocol): boolean {
    // A protocol without flow control hands everything on anyway.
    if (command.type === 'flow' || command.streamRef === undefined) return true
    const why =
      protocol.name === 'ws'
        ? `the connection is a WebSocket (${protocol.stateName}), which carries nothing else: open another one`
        : `the connection speaks ${protocol.name}`
    const text = `${COMMAND_NAMES[command.type]} is not possible: ${why}`
    this.home.refuse(command.streamRef, new GunError('badstate', 'badstate', text))
    return false
  }

  streamInfo(streamRef: StreamRef): StreamInfo | undefined {
    return this.protocol?.streamInfo(streamRef)
  }

  /** Begins an orderly end, and returns how many milliseconds it may take. */
  finish(): number {
    return this.protocol?.finish() ?? 0
  }

  /** Reads on whatever mailboxes say: in closing none holds up the peer's last words. */
  ignoreMailboxes(): void {
    this.#isClosing = true
    this.#regulate()
  }

  /** Posts nothing more of the layer's streams. */
  mute(): void {
    this.#isMute = true
  }

  /** Has the protocol tell its streams that the layer is lost, and returns the streams that were killed. The line stays as it is. */
  abort(reason: GunError | 'normal', again: Again | undefined): readonly StreamRef[] {
    this.#isOver = true
    return this.protocol?.abort(reason, again) ?? []
  }

  get isOver(): boolean {
    return this.#isOver
  }

  // The line tells:

  handle(chunk: Buffer): void {
    this.source.beforeReading()
    const { protocol } = this
    if (protocol === undefined || this.#isOver) return
    const { steps } = this.home
    const start = this.#share.begin(chunk.length)
    const isOutermost = steps.begin()
    try {
      protocol.handle(chunk)
    } catch (cause) {
      this.lost(defect(cause))
    }
    steps.end(isOutermost)
    if (!this.#share.spend(start)) return
    this.#isYielding = true
    this.#regulate()
    setImmediate(() => {
      this.#isYielding = false
      this.#regulate()
    })
  }

  ended(reason: GunError | undefined): void {
    this.guard(protocol => (protocol.isDone ? this.lost('normal') : protocol.end(reason)))
  }

  unwritable(): void {
    this.retire()
  }

  lift(): void {
    this.protocol?.lift?.()
  }

  // Mailboxes ask:

  pause(): void {
    this.#isPaused = true
    this.#regulate()
    if (!this.#isClosing) this.protocol?.pause?.()
  }

  resume(): void {
    this.#isPaused = false
    this.#regulate()
    // Whoever is over the mark again by then has said so.
    this.later(protocol => this.#isPaused || protocol.resume?.())
  }

  get whole(): object {
    return this.connPid
  }

  /** Over HTTP/2 single streams are paused, and not what the connection itself says. */
  get isPausable(): boolean {
    return !this.protocol?.holdsStreams
  }

  overflow(mark: Mark): void {
    const error = overflowError(this.#streamRef === undefined ? 'connection_error' : 'stream_error', mark)
    this.later(protocol => {
      if (protocol.overflow === undefined) this.lost(error)
      else protocol.overflow(error)
    })
  }

  carries(reference: object): boolean {
    if (reference === this.connPid) return true
    if (this.#streamRef !== undefined) return reference === this.#streamRef
    return reference instanceof StreamRef && connPidOf(reference) === this.connPid
  }

  // The protocol asks:

  get outlet() {
    return this.line.outlet
  }

  get goesOn(): boolean {
    return this.home.goesOn
  }

  tellOwner(message: GunMessage): void {
    this.home.tellOwner(message)
  }

  deliver(streamRef: StreamRef, message: GunMessage, bytes = 0, source = this.source): void {
    // A stream ends with its error, also when the caller has closed the connection.
    if (this.#isMute || (this.events.isMute && message?.type !== 'gun_error')) return
    this.home.trace?.message(message)
    post(this.connPid, source, replyToOf(streamRef), message, bytes)
  }

  fail(streamRef: StreamRef, reason: GunError): void {
    this.deliver(streamRef, { type: 'gun_error', connPid: this.connPid, streamRef, reason })
  }

  refuse(streamRef: StreamRef, reason: GunError): void {
    this.home.refuse(streamRef, reason)
  }

  askAgain(...refusal: Parameters<Home['askAgain']>): boolean {
    return this.#streamRef === undefined && this.home.askAgain(...refusal)
  }

  switchTo(protocol: Protocol): void {
    this.#take(protocol)
    this.#user.onSwitched(protocol)
    const { connPid, events } = this
    const streamRef = this.#streamRef ?? protocol.streamRef
    if (streamRef !== undefined && events.wants('protocolChanged')) {
      events.tell('protocolChanged', { connPid, streamRef, protocol: protocol.name })
    }
  }

  stopReading(): void {
    this.#isStopped = true
    this.#regulate()
  }

  startReading(): void {
    if (!this.#isStopped) return
    this.#isStopped = false
    this.#regulate()
  }

  beforeReading(): void {
    this.source.beforeReading()
  }

  guard(run: (protocol: Protocol) => void): void {
    const protocol = this.protocol
    if (protocol === undefined || this.#isOver) return
    const { steps } = this.home
    const isOutermost = steps.begin()
    try {
      run(protocol)
    } catch (cause) {
      this.lost(defect(cause))
    }
    steps.end(isOutermost)
  }

  later(run: (protocol: Protocol) => void): void {
    this.home.steps.add({ type: 'task', run: () => this.guard(run) })
  }

  settle(): void {
    this.home.steps.settle()
  }

  heard(): void {
    this.#user.onHeard()
  }

  lost(reason: GunError | 'normal'): void {
    if (this.#isLost || this.#isOver) return
    this.#isLost = true
    this.#user.onLost(this.protocol?.isDone ? 'normal' : reason)
  }

  retire(): void {
    this.#user.onRetired()
  }

  closing(timeout: number, isFinal: boolean): void {
    this.#user.onClosing(timeout, isFinal)
  }

  /** Reads the line for this protocol, whatever the protocol before it had stopped for. */
  #take(protocol: Protocol): void {
    this.protocol = protocol
    this.#isStopped = false
    if (this.#isPaused && !this.#isClosing) protocol.pause?.()
    this.#regulate()
  }

  /** Pauses the line while the protocol, a mailbox or the layer's share of the turn says so, and resumes it else. */
  #regulate(): void {
    if (this.#isOver) return
    const isHeldUp = this.#isPaused && !this.#isClosing && !this.protocol?.holdsStreams
    if (this.#isStopped || this.#isYielding || isHeldUp) this.line.pause()
    else this.line.resume()
  }
}

/** Makes the error of a defect of this package. */
export function defect(cause: unknown): GunError {
  const text = `a defect of @holster/gun: ${messageOf(cause)}`
  return new GunError('internal_error', 'connection_error', text, { cause })
}
