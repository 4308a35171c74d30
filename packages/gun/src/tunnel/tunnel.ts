/** The way into a tunnel: TLS to its end, where the caller wants that, and then the first protocol that is spoken with the end. */

import type { Host, Passage, Protocol } from '../layer/contract.js'
import type { Layer } from '../layer/layer.js'
import { protocolName } from '../options/options.js'
import type { ProtocolInit } from '../options/tunnel.js'
import type { ProtocolName } from '../words.js'
import { TlsHandshake } from './tls.js'

/** Starts one of the protocols on a host; `streamRef` is the stream that it has for itself. */
export type StartInTunnel = (
  name: ProtocolName,
  host: Host,
  inits: readonly ProtocolInit[],
  streamRef: Passage['streamRef'],
) => Protocol

/** Takes a layer through a tunnel that a proxy has agreed to; `rest` are the bytes that came behind the proxy's answer. */
export function enterTunnel(layer: Layer, passage: Passage, rest: Buffer, start: StartInTunnel): void {
  const { goal, streamRef } = passage
  layer.pass(passage)
  const begin = (name: ProtocolName, bytes: Buffer) => {
    const protocol = start(name, layer, goal.protocols, streamRef)
    layer.switchTo(protocol)
    layer.tellTunnelUp(streamRef, name)
    layer.settle()
    if (bytes.length > 0) layer.handle(bytes)
  }
  if (goal.transport === 'tcp') begin(protocolName(goal.protocols[0] ?? 'http'), rest)
  else layer.switchTo(new TlsHandshake(layer, passage, rest, name => begin(name, EMPTY)))
}

const EMPTY = Buffer.alloc(0)
