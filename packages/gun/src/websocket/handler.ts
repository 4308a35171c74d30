/** Subprotocol handlers: what is made of the frames of one WebSocket. The built-in one makes `gun_ws` of each. */

import type { Pid } from '@holster/process'
import { GunError, messageOf } from '../errors.js'
import { connPidOf, type StreamRef } from '../handles.js'
import type { GunMessage } from '../messages.js'
import { WS_DEFAULTS, type WsHandler, type WsOpts } from '../options/websocket.js'

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
