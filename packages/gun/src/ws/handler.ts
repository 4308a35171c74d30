/** Subprotocol handlers: what is made of the frames of one WebSocket. The built-in one makes `gun_ws` of each. */

import type { Pid } from '@holster/process'
import { GunError, messageOf } from '../errors.js'
import type { GunMessage, Headers, WsFrameIn } from '../messages.js'
import { WS_DEFAULTS, type WsOpts } from '../options.js'
import { connPidOf, type StreamRef } from '../stream-ref.js'

/**
 * What a subprotocol does with frames, as `wsOpts.protocols` and `wsOpts.defaultProtocol` take it. What it throws ends
 * the connection with `handler_error`, and in `handle` with close code 1011. Neither method is waited for: a `handle` that
 * gives a promise counts as one that throws. Source: manual page gun_ws_protocol.
 */
export interface WsHandler<State = unknown, Message = GunMessage> {
  /**
   * The upgrade has succeeded; gives the state that `handle` gets, which may be changed in place. What is sent to
   * `replyTo` goes to whom the stream replies and counts against its mailbox's high-water mark. `headers` are the
   * response's. Runs before `gun_upgrade` is sent. A promise is a state like any other; if it rejects, that counts as
   * thrown in `handle`.
   */
  init(replyTo: Pid<Message>, streamRef: StreamRef, headers: Headers, opts: WsOpts): State
  /**
   * A whole message or a control frame has come, in order; pings have been answered. Gives how many messages were
   * sent to `replyTo` for it, which is what it takes of the stream's `flow`.
   */
  handle(frame: WsFrameIn, state: State): number
}

interface State {
  readonly replyTo: Pid<GunMessage>
  readonly streamRef: StreamRef
  readonly silencePings: boolean
}

/** Each frame becomes a `gun_ws`; pings and pongs only with `silencePings: false`. */
export const builtIn: WsHandler<State> = {
  init(replyTo, streamRef, _headers, { silencePings = WS_DEFAULTS.silencePings }) {
    return { replyTo, streamRef, silencePings }
  },
  handle(frame, { replyTo, streamRef, silencePings }) {
    if (silencePings) {
      const name = typeof frame === 'string' ? frame : frame[0]
      if (name === 'ping' || name === 'pong') return 0
    }
    replyTo.send({ type: 'gun_ws', connPid: connPidOf(streamRef), streamRef, frame })
    return 1
  },
}

/** The handler of the subprotocol that the server chose; the default one where it chose none of those with a handler. */
export function handlerOf(subprotocol: string | undefined, opts: WsOpts): WsHandler<unknown, never> {
  const chosen = opts.protocols?.find(([name]) => name === subprotocol)
  return chosen?.[1] ?? opts.defaultProtocol ?? builtIn
}

/** What a handler has thrown, as the error that ends the connection. */
export function handlerError(cause: unknown): GunError {
  const text = `the handler of the subprotocol failed: ${messageOf(cause)}`
  return new GunError('handler_error', 'connection_error', text, { cause })
}
