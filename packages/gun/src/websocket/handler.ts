/** Subprotocol handlers: each makes messages of the frames of one WebSocket, the built-in one a `gun_ws` of each frame. */

import type { Pid } from '@holster/process'
import { GunError, messageOf } from '../errors.js'
import { connPidOf, type StreamRef } from '../handles.js'
import type { Host } from '../layer/contract.js'
import type { GunMessage } from '../messages.js'
import { WS_DEFAULTS, type WsHandler, type WsOpts } from '../options/websocket.js'

/** The stream's replyTo as a handler sees it: each message counts with the bytes of the frame that is being handled. */
export class Reply implements Pid<GunMessage> {
  readonly #host: Host
  readonly #ref: StreamRef
  /** How many bytes the frame holds. */
  bytes = 0

  constructor(host: Host, ref: StreamRef) {
    this.#host = host
    this.#ref = ref
  }

  send(message: GunMessage): void {
    this.#host.deliver(this.#ref, message, this.bytes)
  }
}

interface State {
  readonly replyTo: Pid<GunMessage>
  readonly streamRef: StreamRef
  readonly silencePings: boolean
}

/** Posts a `gun_ws` for each frame, for pings and pongs only with `silencePings: false`. */
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

/** Returns the handler of the subprotocol that the server chose, or the default one if that subprotocol has none. */
export function handlerOf(subprotocol: string | undefined, opts: WsOpts): WsHandler<unknown, never> {
  const chosen = opts.protocols?.find(([name]) => name === subprotocol)
  return chosen?.[1] ?? opts.defaultProtocol ?? builtIn
}

/** Returns the error that ends the connection when a handler has thrown `cause`. */
export function handlerError(cause: unknown): GunError {
  const text = `the handler of the subprotocol failed: ${messageOf(cause)}`
  return new GunError('handler_error', 'connection_error', text, { cause })
}
