/** What a caller asks of a connection, as data: it can be shown, kept for later, and refused by name. */

import type { StreamRef } from '../handles.js'
import type { HostForms } from '../options/host.js'
import type { TlsOpts } from '../options/socket.js'
import type { ProtocolInit } from '../options/tunnel.js'
import type { WsOpts } from '../options/websocket.js'
import type { Headers, IsFin, WsFrame } from '../words.js'

/** Begins a request. */
export interface RequestCommand {
  readonly type: 'request'
  readonly streamRef: StreamRef
  readonly method: string
  readonly path: string
  readonly headers: Headers
  /** Whether nothing in the method, the path and the headers can harm the connection. */
  readonly isChecked: boolean
  /** The whole body; `undefined` when it follows through `data`. */
  readonly body: Uint8Array | undefined
  /** How many messages of the response's body may be posted; `undefined`: as many as the protocol's options say. */
  readonly flow: number | undefined
}

/** Asks for a WebSocket. */
export interface UpgradeCommand {
  readonly type: 'upgrade'
  readonly streamRef: StreamRef
  readonly path: string
  readonly headers: Headers
  readonly isChecked: boolean
  readonly opts: WsOpts
  /** Whether the upgrade succeeded before, on a connection that was lost. */
  readonly isRepeated?: boolean
  /** How many times in a row the server has refused it since then. */
  readonly refusals?: number
}

/** The other end of a tunnel, and how it is spoken to. */
export interface Goal {
  readonly host: HostForms
  /** The address that a SOCKS5 server is asked for in place of the host, whose name was looked up here. */
  readonly address: HostForms | undefined
  readonly port: number
  readonly transport: 'tcp' | 'tls'
  /** The protocols to speak, the preferred one first. */
  readonly protocols: readonly ProtocolInit[]
  readonly tlsOpts: TlsOpts | undefined
  /** How long the TLS handshake may take, in milliseconds. */
  readonly tlsHandshakeTimeout: number
}

/** Asks a proxy for a tunnel. */
export interface ConnectCommand {
  readonly type: 'connect'
  readonly streamRef: StreamRef
  readonly goal: Goal
  readonly headers: Headers
  readonly isChecked: boolean
  /** As in `RequestCommand`; it counts for the body of a refusal. */
  readonly flow: number | undefined
}

/** Asks the peer for a sign of life. */
export interface PingCommand {
  readonly type: 'ping'
  readonly streamRef: StreamRef
}

/** Gives a part of a request's body, or bytes of the protocol raw. */
export interface DataCommand<Ref = StreamRef | undefined> {
  readonly type: 'data'
  /** The stream; `undefined`: the connection, which speaks raw. */
  readonly streamRef: Ref
  readonly isFin: IsFin
  readonly data: Uint8Array
  /**
   * Whether the caller was told to wait for room when the part was kept for later, or on another node, so that a drain is due; `undefined`:
   * the caller was told elsewhere to go on, so that none is, however much waits.
   */
  isToldToWait: boolean | undefined
}

/** Ends a request's body with trailer fields. */
export interface TrailersCommand {
  readonly type: 'trailers'
  readonly streamRef: StreamRef
  readonly headers: Headers
}

/** Ends a stream that the caller has silenced. */
export interface CancelCommand {
  readonly type: 'cancel'
  readonly streamRef: StreamRef
  /** Whether the stream was open when the caller gave the command. */
  readonly wasOpen: boolean
}

/** Asks for more messages of a stream. */
export interface FlowCommand<Ref = StreamRef | undefined> {
  readonly type: 'flow'
  /** As in `DataCommand`. */
  readonly streamRef: Ref
  readonly increment: number
}

/** Sends frames on a WebSocket. */
export interface FramesCommand {
  readonly type: 'frames'
  /** The WebSocket; `undefined`: the only one of the connection. */
  readonly streamRef: StreamRef | undefined
  readonly frames: readonly WsFrame[]
  /** As in `DataCommand`. */
  isToldToWait: boolean | undefined
}

/** The commands with which a stream begins. */
export type BeginCommand = RequestCommand | UpgradeCommand | ConnectCommand | PingCommand

/** The commands for a stream that has begun, or will. */
export type StreamCommand = DataCommand<StreamRef> | TrailersCommand | CancelCommand | FlowCommand<StreamRef>

/** The commands for a line that has no streams. */
export type BareCommand = DataCommand<undefined> | FlowCommand<undefined>

export type Command = BeginCommand | StreamCommand | FramesCommand | BareCommand

/** How texts name each command. */
export const COMMAND_NAMES: Readonly<Record<Command['type'], string>> = {
  request: 'a request',
  upgrade: 'an upgrade',
  connect: 'a tunnel',
  ping: 'a ping',
  data: 'data',
  trailers: 'trailers of a request',
  cancel: 'to cancel',
  flow: 'to update the flow',
  frames: 'to send frames',
}

/** Whether a stream begins with the command. */
export function begins(command: Command): command is BeginCommand {
  const { type } = command
  return type === 'request' || type === 'upgrade' || type === 'connect' || type === 'ping'
}

/** Whether the command is for a line that has no streams. */
export function isBare(command: Command): command is BareCommand {
  return command.streamRef === undefined && (command.type === 'data' || command.type === 'flow')
}

/** How many bytes the command gives to be sent. */
export function bytesOf(command: Command): number {
  if (command.type === 'data') return command.data.length
  if (command.type !== 'frames') return 0
  let bytes = 0
  for (const frame of command.frames) bytes += sizeOf(frame)
  return bytes
}

/** Whether a frame is a close frame. */
export function isClose(frame: WsFrame): boolean {
  return frame === 'close' || frame[0] === 'close'
}

/** About how many bytes a frame holds: a character may take three. */
function sizeOf(frame: WsFrame): number {
  const payload = typeof frame === 'string' ? '' : frame.at(-1)
  return typeof payload === 'string' || payload instanceof Uint8Array ? payload.length : 0
}
