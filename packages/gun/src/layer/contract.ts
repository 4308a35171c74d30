/** The contract between a protocol and the layer it runs on. One file per protocol implements it. */

import type { Source } from '@holster/process/internal'
import type { Cookies } from '../cookies.js'
import type { GunError } from '../errors.js'
import type { Events } from '../events/events.js'
import type { ConnPid, StreamRef } from '../handles.js'
import type { GunMessage } from '../messages.js'
import type { HostForms } from '../options/host.js'
import type { Outlet } from '../transport/outlet.js'
import type { Headers, ProtocolName } from '../words.js'
import type {
  CancelCommand,
  ConnectCommand,
  DataCommand,
  FlowCommand,
  FramesCommand,
  Goal,
  PingCommand,
  RequestCommand,
  TrailersCommand,
  UpgradeCommand,
} from './commands.js'
import type { Intermediary, StreamInfo } from './info.js'
import type { Steps } from './steps.js'

/** The other end of a layer, and the proxies in between. */
export interface Endpoint {
  readonly host: HostForms
  readonly port: number
  readonly transport: 'tcp' | 'tls'
  readonly intermediaries: readonly Intermediary[]
}

/** A tunnel that a proxy has agreed to. */
export interface Passage {
  /** How the proxy was asked. */
  readonly type: Intermediary['type']
  /** The protocol in which the proxy was asked. */
  readonly protocol: ProtocolName
  /** The stream that asked for it; `undefined`: the whole line leads through a proxy that has no streams. */
  readonly streamRef: StreamRef | undefined
  readonly goal: Goal
}

/** The state of a connection while a protocol runs on it. Source: the states of the module gun. */
export type ConnectedState =
  | 'connected'
  /** A tunnel is being made: no commands are carried out. */
  | 'connected_no_input'
  /** Bytes alone can be sent. */
  | 'connected_data_only'
  /** Frames alone can be sent. */
  | 'connected_ws_only'
  /** TLS is being agreed on within a tunnel. */
  | 'tls_handshake'

/** An upgrade that is being asked for. The room of the protocol that it leads to makes it. */
export interface Upgrade {
  readonly command: UpgradeCommand
  /** The header fields of the request: the command's, and those of the handshake. */
  readonly headers: Headers
  /**
   * Compares the response's header fields with those of the request. Gives how to start the protocol on a host, or the error
   * of a server that has agreed to something else. Starting gives the error of the caller's handler where that throws.
   */
  agree(headers: Headers): ((host: Host) => Protocol | GunError) | GunError
}

/** What comes of a command that gives something to be sent: it is taken and the caller may go on, or has to wait; or an error says why not. */
export type Foreseen = 'room' | 'full' | 'refused'

/** Makes an upgrade of a command. */
export type StartUpgrade = (command: UpgradeCommand) => Upgrade

/** Starts raw on a stream, whose request the peer has answered by leaving HTTP. */
export type StartRaw = (host: Host, streamRef: StreamRef) => Protocol

/**
 * Takes an upgrade for the next connection. `since` is when the upgrade had succeeded, as `performance.now` says, if it has.
 */
export type Again = (command: UpgradeCommand, since?: number) => void

/**
 * A protocol on a layer. It never throws and never touches the machine: its host is told of everything. Commands that it has
 * no method for it cannot carry out, and their stream gets a `badstate`. Commands and values come one at a time, each behind
 * all that the one before has brought about (see `Steps`).
 */
export interface Protocol {
  readonly name: ProtocolName | 'ws'
  readonly stateName: ConnectedState
  /** The stream that the protocol is, where a stream has become one, and whose end it tells. */
  readonly streamRef?: StreamRef | undefined
  /** Whether both sides have said that they are done, so that any end of the line is one in order. */
  readonly isDone?: boolean
  /** How many requests are under way or wait for their turn; absent where the protocol takes none. */
  readonly load?: number
  /** How many requests the peer takes at once: 0 until the peer has said how many, `undefined` where it never says. */
  readonly most?: number | undefined
  /** The streams that have begun or wait on the protocol, in order; absent where it has none. */
  readonly streams?: readonly StreamRef[]
  /** How many bytes of streams wait, beside those that the line has been given; absent where none can. */
  readonly unsent?: number
  /** The sources of single streams; absent where no stream has one of its own. */
  readonly sources?: readonly Source[]
  /** Whether a whole response has come to somebody who wanted it. */
  readonly hasAnswered?: boolean
  /** Whether the protocol pauses single streams itself, so that the line is read whatever a mailbox says. */
  readonly holdsStreams?: boolean

  /** Takes bytes of the peer, only valid during the call: what is kept is copied. Settles behind each value. */
  handle(chunk: Buffer): void
  /** The peer has sent its last byte, or, with a reason, the line broke. Ends with `host.lost`. */
  end(reason: GunError | undefined): void
  /**
   * Begins an orderly end. Gives how many milliseconds it may take at most, 0 when there is nothing to wait for. Ends with
   * `host.lost`.
   */
  finish(): number
  /**
   * The layer is lost: posts `reason` to each open stream and gives their refs. An upgrade that goes on with the next
   * connection is given to `again`; there is no `again` where none will follow. Nothing is called afterwards.
   */
  abort(reason: GunError | 'normal', again?: Again): readonly StreamRef[]

  /** Stops handing on what was read: a mailbox that takes it is over its mark. */
  pause?(): void
  resume?(): void
  /** Hands on what was read whatever the flow: nothing more comes. */
  lift?(): void
  /** Ends at once: a process waits for what the peer has put too much in front of. Without it the layer is lost. */
  overflow?(error: GunError): void

  /** Tells what is known of a stream; `undefined` for one that is not open. */
  streamInfo(streamRef: StreamRef): StreamInfo | undefined
  /** Whether the peer has not answered that ping yet. */
  isPinging?(streamRef: StreamRef): boolean
  /**
   * Foresees what comes of a command behind others that give `before` bytes to be sent on the same stream; `undefined`: the
   * protocol does not know the stream.
   */
  foresee(command: DataCommand | FramesCommand, before: number): Foreseen | undefined
  /** Posts nothing more of a stream, whose `cancel` follows. Gives whether the stream was open. */
  silence?(streamRef: StreamRef): boolean

  request?(command: RequestCommand): void
  upgrade?(command: UpgradeCommand): void
  connect?(command: ConnectCommand): void
  ping?(command: PingCommand): void
  /** Gives whether the caller may go on; if not, a drain says when, or an error why not. */
  data?(command: DataCommand<StreamRef>): boolean
  trailers?(command: TrailersCommand): void
  cancel?(command: CancelCommand): void
  flow?(command: FlowCommand<StreamRef>): void
  /** Carries out a command that names no stream, since the line has none. Answers as `data` does. */
  bare?(command: DataCommand<undefined> | FlowCommand<undefined>): boolean
  /** Gives `false` where frames were not sent, of which a `gun_error` tells, or while more than the send mark is buffered. */
  frames?(command: FramesCommand): boolean
}

/** A step that is neither a command nor an event of the machine, such as a mailbox that has room again. */
export interface Task {
  readonly type: 'task'
  run(): void
}

/** Counts the frames of all WebSockets of a connection. */
export interface Frames {
  framesReceived: number
  framesSent: number
}

/** What a layer has of its connection, whatever line it runs on. */
export interface Home {
  readonly connPid: ConnPid
  readonly events: Events
  readonly frames: Frames
  readonly cookies: Cookies | undefined
  /** Whether another connection will follow when this one is lost. */
  readonly goesOn: boolean
  readonly steps: Pick<Steps<Task>, 'add' | 'begin' | 'end' | 'settle'>
  /** Takes a layer through a tunnel; `rest` are the bytes that came behind the proxy's answer. */
  enter(layer: Host, passage: Passage, rest: Buffer): void
  /** The tunnel of a stream leads through a layer, whose state has another name now. */
  onTunnel(streamRef: StreamRef, layer: Host): void
  /** The stream of a tunnel ends, or the proxy has refused it: requests that wait for the tunnel are told before the stream is. */
  onTunnelOver(streamRef: StreamRef, cause?: GunError): void
  /** Posts to the owner; `bytes` is what the message holds. */
  tellOwner(message: GunMessage, bytes?: number): void
  /** Answers a command that cannot be carried out, as `fail`, but never before its caller has got the streamRef. */
  refuse(streamRef: StreamRef, reason: GunError): void
  /**
   * The server has refused an upgrade. Gives whether it is asked for again later, which is told then; nothing else of the
   * response is.
   */
  askAgain(command: UpgradeCommand, status: number, headers: Headers): boolean
}

/** What a protocol asks of its layer. */
export interface Host {
  readonly home: Home
  readonly connPid: ConnPid
  readonly events: Events
  readonly cookies: Cookies | undefined
  readonly outlet: Outlet
  /** The other end. */
  readonly endpoint: Endpoint
  readonly scheme: 'http' | 'https'
  /** The host header's value. */
  readonly authority: string
  readonly goesOn: boolean
  tellOwner(message: GunMessage, bytes?: number): void
  refuse(streamRef: StreamRef, reason: GunError): void
  askAgain(command: UpgradeCommand, status: number, headers: Headers): boolean
  /** Posts to the stream's replyTo; `bytes` is what the message holds, and `source` where it comes from if not this layer. */
  deliver(streamRef: StreamRef, message: GunMessage, bytes?: number, source?: Source): void
  /** Posts a `gun_error` for a stream. */
  fail(streamRef: StreamRef, reason: GunError): void
  /** Ends our side of the line in order, behind what was written. */
  finishWriting(): void
  /** Another protocol takes over from here on. */
  switchTo(protocol: Protocol): void
  /** The proxy at the other end has agreed to a tunnel: the line leads to another end from here on. */
  enter(passage: Passage, rest: Buffer): void
  /** The protocol's state has another name now. */
  stateChanged(): void
  /** Hands bytes to the protocol that is up: those that came before it was. */
  handle(chunk: Buffer): void
  /** The protocol takes nothing more for now; `startReading` goes on. Both may be said twice. */
  stopReading(): void
  startReading(): void
  /** More of what has come is about to be handed on: a mailbox that is over its mark says so now. */
  beforeReading(): void
  /** Runs what the protocol does later, as a step: a defect of ours must end one connection, not the program. */
  guard(run: () => void): void
  /** Runs, as a step, what a mailbox asks for: at once, or behind the step that posts to it. */
  later(run: () => void): void
  /** Does what callers have asked for within the value that was just handed on. */
  settle(): void
  /**
   * The peer has sent something of use: a response has begun, a ping was answered, or a frame of a WebSocket other than a
   * close frame has come. A connection that is lost before that, and soon, counts as a failed attempt.
   */
  heard(): void
  /** The layer cannot go on; it ends behind the present step. The first reason counts. */
  lost(reason: GunError | 'normal'): void
  /** The peer closes the connection after what is under way; what is asked for from now on is for the next one. */
  retire(): void
  /** The protocol closes by itself within so many milliseconds. `isFinal`: the caller asked for it, so nothing is connected again. */
  closing(timeout: number, isFinal: boolean): void
}
