/** The tunnels of a connection that callers have asked for, and the commands that wait until one is up. */

import { asKind, GunError } from '../errors.js'
import type { StreamRef } from '../handles.js'
import type { Layer } from '../layer/layer.js'
import { type Performer, Postponed } from './postponed.js'

interface Tunnel {
  /** The layer that the tunnel leads through; `undefined` until the proxy has agreed. */
  layer: Layer | undefined
  readonly waiting: Postponed
}

export class Tunnels {
  readonly #performer: Performer
  readonly #fail: (streamRef: StreamRef, reason: GunError) => void
  readonly #tunnels = new Map<StreamRef, Tunnel>()

  /** `performer` carries out the commands whose turn has come, and `fail` fails a stream whose turn never comes. */
  constructor(performer: Performer, fail: (streamRef: StreamRef, reason: GunError) => void) {
    this.#performer = performer
    this.#fail = fail
  }

  /** A tunnel is asked for. */
  add(streamRef: StreamRef): void {
    this.#tunnels.set(streamRef, { layer: undefined, waiting: new Postponed(this.#performer) })
  }

  /** The layer to which a command goes at once; `undefined`: it has to wait. */
  readyLayerOf(streamRef: StreamRef): Layer | undefined {
    const tunnel = this.#tunnels.get(streamRef)
    return tunnel?.layer?.isAccepting && tunnel.waiting.isEmpty ? tunnel.layer : undefined
  }

  /** The commands that wait for a tunnel. */
  waitingFor(streamRef: StreamRef): Postponed | undefined {
    return this.#tunnels.get(streamRef)?.waiting
  }

  /** The streams that wait for a tunnel. */
  get streams(): readonly StreamRef[] {
    return [...this.#tunnels.values()].flatMap(({ waiting }) => waiting.streams)
  }

  /** A tunnel leads through a layer, whose state has another name now. */
  update(streamRef: StreamRef, layer: Layer): void {
    const tunnel = this.#tunnels.get(streamRef)
    if (tunnel === undefined) return
    tunnel.layer = layer
    if (layer.isAccepting) return tunnel.waiting.start()
    tunnel.waiting.pause()
    if (layer.isWaiting) return
    // Commands of streams that have begun are carried out, and the layer tells of the ends of these streams.
    for (const command of tunnel.waiting.takeBegun()) this.#performer.performLate(command)
    tunnel.waiting.fail(this.#fail, ending())
  }

  /** A tunnel has ended, or will never be: fails all that wait for it. */
  remove(streamRef: StreamRef, cause?: GunError): void {
    const tunnel = this.#tunnels.get(streamRef)
    this.#tunnels.delete(streamRef)
    if (tunnel === undefined) return
    // The streams that have begun end with the layer.
    tunnel.waiting.takeBegun()
    tunnel.waiting.fail(this.#fail, neverUp(cause))
  }
}

/** Makes the error of a command for a tunnel that is not up, for a reason that is known or not. */
function neverUp(cause: GunError | undefined): GunError {
  // A caller that ended the tunnel, or the connection, does not mean to repeat the request.
  if (cause?.code === 'cancelled' || cause?.code === 'shutdown') return asKind('stream_error', cause)
  const text =
    'the tunnel that the request was to go through could not be made, or has ended; nothing of it was sent'
  return new GunError('refused_stream', 'stream_error', text, cause && { cause })
}

/** Makes the error of a command for a tunnel that begins nothing more. */
export function ending(): GunError {
  const text = 'the tunnel is closing and carries nothing more; the request was not sent'
  return new GunError('closing', 'stream_error', text)
}
