/** What happens on a connection, told to an `eventHandler` as it happens; nothing waits for it, and it changes nothing. */

import { reportExit } from '@holster/process'
import type { ConnPid } from './conn-pid.js'
import type { WsFrame } from './messages.js'
import type { WsOpts } from './options.js'
import type { ReplyTo } from './reply-to.js'
import type { StreamRef } from './stream-ref.js'

/** What every event of a stream has. */
export interface StreamEvent {
  readonly connPid: ConnPid
  readonly streamRef: StreamRef
  readonly replyTo: ReplyTo
}

/** An upgrade to WebSocket is being asked for. */
export interface WsUpgradeEvent extends StreamEvent {
  readonly opts: WsOpts
}

/** The header of a frame has come. */
export interface WsRecvFrameHeaderEvent extends StreamEvent {
  /** `'fragment'`: a part of a message, also the first and the last. */
  readonly frameType: 'fragment' | 'text' | 'binary' | 'close' | 'ping' | 'pong'
  /** Whether it is the last, or only, frame of its message. */
  readonly isFin: boolean
  /** The three reserved bits, the first of which says that the message is compressed. */
  readonly rsv: number
  /** How many bytes its payload has. */
  readonly length: number
}

/** A frame has come as a whole. */
export interface WsRecvFrameEndEvent extends StreamEvent {
  /** As it was on the wire, maybe compressed. Only valid during the call. */
  readonly payload: Buffer
  /** Of a close frame that has one. */
  readonly closeCode: number | undefined
}

export interface WsSendFrameEvent extends StreamEvent {
  readonly frame: WsFrame
}

/**
 * Gets to know what happens on a connection, in the order in which it happens. It runs within the connection: keep it
 * short. What it throws goes to the exit hook. Source: manual page gun_event.
 */
export interface EventHandler {
  wsUpgrade?(event: WsUpgradeEvent): void
  /** The first byte of a frame has come. */
  wsRecvFrameStart?(event: StreamEvent): void
  wsRecvFrameHeader?(event: WsRecvFrameHeaderEvent): void
  wsRecvFrameEnd?(event: WsRecvFrameEndEvent): void
  /** A frame is handed on to be sent: before and after. */
  wsSendFrameStart?(event: WsSendFrameEvent): void
  wsSendFrameEnd?(event: WsSendFrameEvent): void
}

export const EVENTS = [
  'wsUpgrade',
  'wsRecvFrameStart',
  'wsRecvFrameHeader',
  'wsRecvFrameEnd',
  'wsSendFrameStart',
  'wsSendFrameEnd',
] as const satisfies readonly (keyof EventHandler)[]

/** Calls the handler, if it wants to know. */
export function tell<Name extends keyof EventHandler>(
  handler: EventHandler | undefined,
  name: Name,
  event: Parameters<NonNullable<EventHandler[Name]>>[0],
): void {
  if (handler?.[name] === undefined) return
  try {
    const call = handler[name] as (this: EventHandler, given: typeof event) => void
    call.call(handler, event)
  } catch (error) {
    reportExit(event.connPid, error)
  }
}
