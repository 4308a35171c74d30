/** TLS within a tunnel: a handshake over the line, behind which the layer goes on over another line. */

import type { Duplex } from 'node:stream'
import { GunError } from '../errors.js'
import type { Passage, Protocol } from '../layer/contract.js'
import type { Layer } from '../layer/layer.js'
import { protocolName } from '../options/options.js'
import type { Abort } from '../transport/contract.js'
import { Deadline } from '../transport/deadline.js'
import { LineDuplex } from '../transport/duplex.js'
import { SocketLine } from '../transport/socket-line.js'
import { handshake, type Secured } from '../transport/tls.js'
import type { ProtocolName } from '../words.js'

/** The time in which a tunnel agrees on TLS: nothing else can be asked for. */
export class TlsHandshake implements Protocol {
  /** The protocol in which the tunnel was asked for. */
  readonly name: ProtocolName
  readonly stateName = 'tls_handshake'
  readonly #layer: Layer
  readonly #passage: Passage
  readonly #begin: (name: ProtocolName) => void
  readonly #deadline: Deadline
  #abort: Abort | undefined

  /** Calls `begin` with the protocol that was agreed on, once the layer is on the new line. */
  constructor(layer: Layer, passage: Passage, rest: Buffer, begin: (name: ProtocolName) => void) {
    const { goal, protocol } = passage
    const { tlsHandshakeTimeout } = goal
    this.name = protocol
    this.#layer = layer
    this.#passage = passage
    this.#begin = begin
    const below = streamOver(layer, rest)
    this.#tell('Start', below)
    const { identity } = goal.host
    this.#abort = handshake(below, identity, goal.tlsOpts, goal.protocols.map(protocolName), outcome => {
      layer.later(() => this.#conclude(below, outcome))
    })
    this.#deadline = new Deadline(tlsHandshakeTimeout, () => {
      layer.later(() => this.#conclude(below, timedOut(tlsHandshakeTimeout)))
    })
  }

  /** Takes nothing: the handshake has the line. */
  handle(): void {}

  end(): void {}

  finish(): number {
    return 0
  }

  abort(): readonly [] {
    this.#deadline.clear()
    this.#abort?.()
    this.#abort = undefined
    return []
  }

  streamInfo(): undefined {
    return undefined
  }

  foresee(): undefined {
    return undefined
  }

  #conclude(below: Duplex, outcome: Secured | GunError): void {
    // The handshake and its deadline may come to an end in the same turn.
    if (this.#abort === undefined) return
    this.#tell('End', below, outcome)
    if (outcome instanceof GunError) return this.#layer.lost(this.#blame(outcome))
    this.#deadline.clear()
    this.#abort = undefined
    if (below instanceof LineDuplex) below.onLift = () => this.#layer.lift()
    this.#layer.moveTo(new SocketLine(outcome.socket))
    this.#begin(outcome.protocol)
  }

  /**
   * Gives the error as one of this tunnel: wrong options of a tunnel that a caller has asked for say nothing of the next connection.
   * Where the connection itself leads through it, the next one would fail as well.
   */
  #blame(error: GunError): GunError {
    const { code, kind, message, cause, isPermanent } = error
    if (!isPermanent || this.#passage.streamRef === undefined) return error
    return new GunError(code, kind, message, { cause, isPermanent: false })
  }

  #tell(when: 'Start' | 'End', below: Duplex, outcome?: Secured | GunError): void {
    const { connPid, events } = this.#layer
    const name = `tlsHandshake${when}` as const
    if (!events.wants(name)) return
    const { goal, streamRef } = this.#passage
    const { tlsOpts, tlsHandshakeTimeout: timeout } = goal
    const event = { connPid, ...(streamRef !== undefined && { streamRef }), socket: below, tlsOpts, timeout }
    if (outcome === undefined) events.tell(name, event)
    else if (outcome instanceof GunError) events.tell(name, { ...event, error: outcome })
    else events.tell(name, { ...event, socket: outcome.socket, protocol: outcome.protocol })
  }
}

/** Gives the stream that TLS is spoken over: the line's own socket where nothing has to be handed on before. */
function streamOver({ line }: Layer, rest: Buffer): Duplex {
  const socket = rest.length === 0 ? line.release?.() : undefined
  if (socket !== undefined) return socket
  const duplex = new LineDuplex(line)
  if (rest.length > 0) duplex.push(Buffer.from(rest))
  line.resume()
  return duplex
}

function timedOut(ms: number): GunError {
  const text = `tlsHandshakeTimeout of ${ms} ms has passed in the tunnel`
  return new GunError('tls_handshake_timeout', 'connection_error', text)
}
