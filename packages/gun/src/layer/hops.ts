/** The tunnels that a line leads through, one behind the other, and what is told of each. */

import type { StreamRef } from '../handles.js'
import { replyToOf } from '../messages.js'
import type { ProtocolName } from '../words.js'
import type { Endpoint, Protocol } from './contract.js'
import type { Intermediary, StreamInfo } from './info.js'

interface Hop {
  /** The stream that has asked for the tunnel; `undefined`: none has, as with SOCKS5. */
  readonly streamRef: StreamRef | undefined
  /** The proxies before the one that was asked. */
  readonly intermediaries: readonly Intermediary[]
  readonly end: Endpoint
  /** The protocol spoken with the end; `undefined` until it is up. */
  protocol: ProtocolName | undefined
}

export class Hops {
  readonly #hops: Hop[] = []

  add(streamRef: StreamRef | undefined, intermediaries: readonly Intermediary[], end: Endpoint): void {
    // The way through a SOCKS5 server behind a CONNECT belongs to the stream of that.
    const own = streamRef === undefined || this.has(streamRef) ? undefined : streamRef
    this.#hops.push({ streamRef: own, intermediaries, end, protocol: undefined })
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

  /** Tells what is known of a tunnel by its stream; `protocol` is the one that is up. */
  infoOf(streamRef: StreamRef, protocol: Protocol | undefined): StreamInfo | undefined {
    const hop = this.#hops.find(each => each.streamRef === streamRef)
    if (hop === undefined) return undefined
    const { host, port, transport } = hop.end
    const state = protocol?.streamRef === streamRef ? protocol.streamInfo(streamRef)?.state : undefined
    return {
      ref: streamRef,
      replyTo: replyToOf(streamRef),
      state: state ?? 'running',
      intermediaries: hop.intermediaries,
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

/** The scheme of HTTP over a transport. */
export function schemeOver(transport: 'tcp' | 'tls'): 'http' | 'https' {
  return transport === 'tls' ? 'https' : 'http'
}
