/** A layer leads through tunnels, one behind the other, and the streams that have asked for them end when the layer does. */

import { asKind, cancelledTunnel, GunError } from '../errors.js'
import { type StreamRef, setLayer, wasCancelled } from '../handles.js'
import { replyToOf } from '../messages.js'
import type { ProtocolName } from '../words.js'
import type { Endpoint, Host, Passage, Protocol } from './contract.js'
import type { StreamInfo } from './info.js'

interface Hop {
  /** The stream that has asked for the tunnel; `undefined`: none has, as with SOCKS5. */
  readonly streamRef: StreamRef | undefined
  /** The other end; the last proxy in between is the one that was asked. */
  readonly end: Endpoint
  /** The protocol spoken with the end; `undefined` until it is up. */
  protocol: ProtocolName | undefined
}

export class Hops {
  readonly #layer: Host
  readonly #hops: Hop[] = []
  /** Whether the caller has asked for an orderly end, so that the end is ours. */
  isFinishing = false

  constructor(layer: Host) {
    this.#layer = layer
  }

  /** Adds a tunnel, to the layer's present endpoint. */
  add({ streamRef, type }: Passage): void {
    const { connPid, endpoint, events, scheme } = this.#layer
    // The way through a SOCKS5 server behind a CONNECT belongs to the stream of that.
    const own = streamRef === undefined || this.has(streamRef) ? undefined : streamRef
    this.#hops.push({ streamRef: own, end: endpoint, protocol: undefined })
    if (streamRef !== undefined) setLayer(streamRef, this.#layer)
    events.tell('originChanged', {
      connPid,
      ...(streamRef !== undefined && { streamRef }),
      intermediary: type,
      originScheme: scheme,
      originHost: endpoint.host.given,
      originPort: endpoint.port,
    })
  }

  /** The last tunnel is up. */
  up(protocol: ProtocolName): void {
    const last = this.#hops.at(-1)
    if (last !== undefined) last.protocol = protocol
  }

  has(streamRef: StreamRef): boolean {
    return this.#hops.some(hop => hop.streamRef === streamRef)
  }

  /** The streams that have asked for the tunnels, the innermost first. */
  get streams(): readonly StreamRef[] {
    return this.#hops
      .map(({ streamRef }) => streamRef)
      .filter(streamRef => streamRef !== undefined)
      .reverse()
  }

  /** The stream of the innermost tunnel that has one. */
  get lastStream(): StreamRef | undefined {
    return this.streams[0]
  }

  /** Whether a caller has asked for one of them, who has to ask again on another connection. */
  get isAsked(): boolean {
    return this.#hops.some(({ streamRef }) => streamRef !== undefined)
  }

  /** Tells that the layer's state has another name now. */
  tellState(): void {
    for (const streamRef of this.streams) this.#layer.home.onTunnel(streamRef, this.#layer)
  }

  /** Ends the whole layer, since a caller has cancelled the stream of one of its tunnels. */
  cancel(streamRef: StreamRef): void {
    const { connPid, events } = this.#layer
    const replyTo = replyToOf(streamRef)
    events.tell('cancel', { connPid, streamRef, replyTo, endpoint: 'local', reason: 'cancel' })
    this.#layer.lost(asKind('connection_error', cancelledTunnel()))
  }

  /**
   * Ends the streams, behind all that was in the tunnels, and gives those that this has killed. `protocol` was the last one of
   * the layer, and has told the stream that it is; `isOutermost`: the layer is the connection's own.
   */
  abort(
    reason: GunError | 'normal',
    protocol: Protocol | undefined,
    isOutermost: boolean,
  ): readonly StreamRef[] {
    // The end in order of the connection's own line is told by `gun_down`.
    const isTold = reason === 'normal' && isOutermost
    const error = reason === 'normal' ? tunnelEnded(this.isFinishing) : reason
    const killed = isTold ? [] : this.streams.filter(ref => ref !== protocol?.streamRef && !wasCancelled(ref))
    for (const streamRef of this.streams) {
      setLayer(streamRef, undefined)
      this.#layer.home.onTunnelOver(streamRef, error)
      if (killed.includes(streamRef)) this.#layer.fail(streamRef, error)
    }
    return killed
  }

  /** Tells what is known of a tunnel by its stream; `protocol` is the one that is up. */
  infoOf(streamRef: StreamRef, protocol: Protocol | undefined): StreamInfo | undefined {
    const hop = this.#hops.find(each => each.streamRef === streamRef)
    if (hop === undefined) return undefined
    const { host, port, transport, intermediaries } = hop.end
    const state = protocol?.streamRef === streamRef ? protocol.streamInfo(streamRef)?.state : undefined
    return {
      ref: streamRef,
      replyTo: replyToOf(streamRef),
      state: state ?? 'running',
      intermediaries: intermediaries.slice(0, -1),
      tunnel: {
        transport,
        protocol: hop.protocol,
        originScheme: hop.protocol === 'raw' ? undefined : schemeOver(transport),
        originHost: host.given,
        originPort: port,
      },
    }
  }
}

/** Makes the endpoint behind a tunnel: the end so far is the proxy that was asked. */
export function endpointBehind(
  { host, port, transport, intermediaries }: Endpoint,
  { goal, protocol, type }: Passage,
): Endpoint {
  const proxy = { type, host: host.given, port, transport, protocol }
  return {
    host: goal.host,
    port: goal.port,
    transport: goal.transport,
    intermediaries: [...intermediaries, proxy],
  }
}

/** The scheme of HTTP over a transport. */
export function schemeOver(transport: 'tcp' | 'tls'): 'http' | 'https' {
  return transport === 'tls' ? 'https' : 'http'
}

function tunnelEnded(isOurs: boolean): GunError {
  if (!isOurs) return new GunError('closed', 'stream_error', 'the tunnel was closed')
  return new GunError('shutdown', 'stream_error', 'the tunnel was ended on this side')
}
