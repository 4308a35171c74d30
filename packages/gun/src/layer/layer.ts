/**
 * A protocol on a line: the protocol gets what the line brings, and the line is read as the protocol and mailboxes allow. A
 * tunnel leads both to another end.
 */

import { type Mark, nodesImmediate, Source, type Valve } from '@holster/process/internal'
import { GunError, messageOf, overflowError } from '../errors.js'
import { connPidOf, innerOf, StreamRef, tunnelOf, wasCancelled } from '../handles.js'
import { type GunMessage, replyToOf } from '../messages.js'
import { authorityOf } from '../options/host.js'
import type { Line, LineUser } from '../transport/line.js'
import { Share } from '../transport/slice.js'
import type { ProtocolName } from '../words.js'
import type { Command } from './commands.js'
import type { Again, ConnectedState, Endpoint, Home, Host, Passage, Protocol } from './contract.js'
import { carryOut, refuse } from './dispatch.js'
import { endpointBehind, Hops, schemeOver } from './hops.js'
import type { StreamInfo } from './info.js'
import { post } from './mail.js'

/** The layer that a stream has become, such as a tunnel, or a WebSocket over HTTP/2; `undefined`: none. */
export const layerOf = innerOf as (streamRef: StreamRef) => Layer | undefined

/** The connection, or a stream that another protocol has taken over: what a layer tells of itself. */
export interface LayerUser {
  /** The layer cannot go on. */
  onLost(reason: GunError | 'normal'): void
  /** The protocol closes by itself, see `Host.closing`. */
  onClosing(timeout: number, isFinal: boolean): void
  /** Nothing more begins on the layer. */
  onRetired(): void
  /** The protocol's state has another name now, or another protocol has taken over. */
  onState(state: ConnectedState): void
  /** The peer has sent something of use. */
  onHeard(): void
  /** A tunnel is up. Gives whether the user keeps the news to itself. */
  onTunnelUp?(protocol: ProtocolName): boolean
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
  line: Line
  readonly connPid
  readonly events
  readonly cookies
  /** The other end. A tunnel leads to another one. */
  endpoint: Endpoint
  scheme: 'http' | 'https'
  /** The host header's value. */
  authority: string
  /** The tunnels that the line leads through, the nearest first; most layers have none. */
  #hops: Hops | undefined
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
  /** Whether the layer has spent its share of this turn of the event loop, or the messages of earlier reads still wait. */
  #isYielding = false
  /** Whether the layer closes, so that no mailbox holds up the peer's last words. */
  #isClosing = false
  #isLost = false
  /** Whether the protocol is called no more. */
  #isOver = false
  /** Whether nothing more begins on the layer. */
  #isRetired = false
  /** Of whose streams nothing more is posted: of all, or of one. */
  #mute: StreamRef | 'all' | undefined

  constructor(
    home: Home,
    line: Line,
    endpoint: Endpoint,
    user: LayerUser,
    { source, streamRef, isPaused = false }: LayerInit = {},
  ) {
    this.home = home
    this.line = line
    this.connPid = home.connPid
    this.events = home.events
    this.cookies = home.cookies
    this.endpoint = endpoint
    this.scheme = schemeOver(endpoint.transport)
    this.authority = authorityOf(endpoint, endpoint.transport)
    this.#user = user
    this.source = source ?? new Source(this)
    this.#streamRef = streamRef
    this.#isPaused = isPaused
  }

  /** Starts the first protocol of the layer. */
  start(protocol: Protocol): void {
    this.#take(protocol)
  }

  /** Whether commands with which streams begin go to the protocol. */
  get isAccepting(): boolean {
    return !this.#isRetired && this.protocol !== undefined && !this.isWaiting
  }

  /** Whether a tunnel is being made, so that what begins has to wait for the end of that. */
  get isWaiting(): boolean {
    const state = this.protocol?.stateName
    return !this.#isRetired && (state === 'connected_no_input' || state === 'tls_handshake')
  }

  /** Hands a command to the protocol, and returns the answer to the caller. */
  perform(command: Command): boolean {
    const protocol = this.protocol
    if (protocol === undefined) return false
    if (command.type === 'cancel' && this.#hops?.has(command.streamRef)) {
      this.#hops.cancel(command.streamRef)
      return true
    }
    return carryOut(protocol, command) ?? refuse(this, protocol, command)
  }

  streamInfo(streamRef: StreamRef): StreamInfo | undefined {
    return this.#hops?.infoOf(streamRef, this.protocol) ?? this.protocol?.streamInfo(streamRef)
  }

  /** Posts nothing more of a stream, whose `cancel` follows. Gives whether the stream was open. */
  silence(streamRef: StreamRef): boolean {
    if (!this.#hops?.has(streamRef)) return this.protocol?.silence?.(streamRef) ?? false
    if (this.#isOver || wasCancelled(streamRef)) return false
    this.muteStream(streamRef)
    return true
  }

  /** Begins an orderly end, and returns how many milliseconds it may take. */
  finish(): number {
    if (this.#hops !== undefined) this.#hops.isFinishing = true
    return this.protocol?.finish() ?? 0
  }

  /** Reads on whatever mailboxes say: in closing none holds up the peer's last words. */
  ignoreMailboxes(): void {
    this.#isClosing = true
    this.#regulate()
  }

  /** Posts nothing more of the layer's streams. */
  mute(): void {
    this.#mute = 'all'
  }

  /** Posts nothing more of one stream. */
  muteStream(streamRef: StreamRef): void {
    this.#mute ??= streamRef
  }

  /**
   * Has the protocol tell its streams that the layer is lost, then tells those of the tunnels, and returns the streams that were
   * killed. The line stays as it is.
   */
  abort(reason: GunError | 'normal', again: Again | undefined): readonly StreamRef[] {
    this.#isOver = true
    const { protocol } = this
    const killed = protocol?.abort(reason, this.#hops?.isAsked ? undefined : again) ?? []
    if (this.#hops === undefined) return killed
    return [...killed, ...this.#hops.abort(reason, protocol, this.#streamRef === undefined)]
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** The streams on the layer, the tunnels that it leads through first; behind a stream that has become a layer those on that. */
  get streams(): readonly StreamRef[] {
    const own = [...(this.#hops?.streams ?? [])].reverse()
    return [...own, ...(this.protocol?.streams ?? [])].flatMap(streamRef => {
      const inner = layerOf(streamRef)
      return inner === undefined || inner === this ? [streamRef] : [streamRef, ...inner.streams]
    })
  }

  /** How many bytes wait to be sent. */
  get unsent(): number {
    return this.line.outlet.buffered + (this.protocol?.unsent ?? 0)
  }

  /** The sources of the layer, and of streams on it. */
  get sources(): readonly Source[] {
    return [this.source, ...(this.protocol?.sources ?? [])]
  }

  // The line tells:

  handle(chunk: Buffer): void {
    const lags = this.source.beforeReading()
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
    if (!this.#share.spend(start) && !lags) return
    this.#isYielding = true
    this.#regulate()
    nodesImmediate(() => {
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
    // A mailbox that is over the mark again by then has said so.
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
    if (!(reference instanceof StreamRef)) return false
    if (this.#streamRef === undefined) return connPidOf(reference) === this.connPid
    // A stream within a tunnel comes through the tunnel's layer, however many tunnels are in between.
    let streamRef: StreamRef | undefined = reference
    while (streamRef !== undefined && streamRef !== this.#streamRef) streamRef = tunnelOf(streamRef)
    return streamRef !== undefined
  }

  // The protocol asks:

  get outlet() {
    return this.line.outlet
  }

  get goesOn(): boolean {
    return this.home.goesOn && !this.#hops?.isAsked
  }

  tellOwner(message: GunMessage, bytes = 0): void {
    this.home.tellOwner(message, bytes)
  }

  finishWriting(): void {
    this.line.finishWriting(() => {})
  }

  deliver(streamRef: StreamRef, message: GunMessage, bytes = 0, source = this.source): void {
    // A stream ends with its error, also when the caller has closed the connection.
    if (this.events.isMute && message?.type !== 'gun_error') return
    if (this.#mute !== undefined && (this.#mute === 'all' || this.#mute === streamRef)) return
    this.events.hearing?.message(message)
    post(this.connPid, source, replyToOf(streamRef), message, bytes)
    if (message?.type === 'gun_error') this.events.tellError(streamRef, message.reason)
  }

  fail(streamRef: StreamRef, reason: GunError): void {
    this.deliver(streamRef, { type: 'gun_error', connPid: this.connPid, streamRef, reason })
  }

  refuse(streamRef: StreamRef, reason: GunError): void {
    this.home.refuse(streamRef, reason)
  }

  askAgain(...refusal: Parameters<Home['askAgain']>): boolean {
    return this.#streamRef === undefined && !this.#hops?.isAsked && this.home.askAgain(...refusal)
  }

  switchTo(protocol: Protocol): void {
    this.#take(protocol)
    this.stateChanged()
    const { connPid, events } = this
    const streamRef = protocol.streamRef ?? this.#hops?.lastStream ?? this.#streamRef
    // While TLS is agreed on, no other protocol is spoken yet.
    if (protocol.stateName === 'tls_handshake' || !events.wants('protocolChanged')) return
    events.tell('protocolChanged', {
      connPid,
      ...(streamRef !== undefined && { streamRef }),
      protocol: protocol.name,
    })
  }

  stateChanged(): void {
    const state = this.protocol?.stateName
    if (state !== undefined) this.#user.onState(state)
    this.#hops?.tellState()
  }

  enter(passage: Passage, rest: Buffer): void {
    this.home.enter(this, passage, rest)
  }

  /** The line leads through a tunnel to another end from here on. */
  pass(passage: Passage): void {
    const { goal } = passage
    this.endpoint = endpointBehind(this.endpoint, passage)
    this.scheme = schemeOver(goal.transport)
    this.authority = authorityOf(goal, goal.transport)
    // The proxy closes the connection behind its answer, if that was said of a CONNECT: the tunnel is all that follows.
    this.#isRetired = false
    this.#hops ??= new Hops(this)
    this.#hops.add(passage)
  }

  /** Tells that the last tunnel is up. */
  tellTunnelUp(streamRef: StreamRef | undefined, protocol: ProtocolName): void {
    this.#hops?.up(protocol)
    if (this.#user.onTunnelUp?.(protocol)) return
    const { connPid } = this
    if (streamRef === undefined) this.tellOwner({ type: 'gun_tunnel_up', connPid, protocol })
    else this.deliver(streamRef, { type: 'gun_tunnel_up', connPid, streamRef, protocol })
  }

  /** Goes on over another line, which lies over the present one. */
  moveTo(line: Line): void {
    this.line = line
    line.attach(this)
    this.#regulate()
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
    this.#isRetired = true
    this.#user.onRetired()
    this.#hops?.tellState()
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
