/** The metrics of connections that OpenTelemetry's conventions name: how many are open, and how long they have lasted. */

import type { ConnPid } from '@holster/gun'
import { type Attributes, type Meter, ValueType } from '@opentelemetry/api'
import { protocolAttributes, serverAttributes, serverOf } from './attributes.js'
import { listen } from './channels.js'

/** The bounds of buckets that the conventions advise, in seconds. */
const BOUNDARIES = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300]

/** Records how long each connection lasts that is made from now on. Gives a function that ends this. */
export function recordConnections(meter: Meter): () => void {
  const duration = meter.createHistogram('http.client.connection.duration', {
    description: 'The duration of the successfully established outbound HTTP connections.',
    unit: 's',
    valueType: ValueType.DOUBLE,
    advice: { explicitBucketBoundaries: BOUNDARIES },
  })
  const open = new WeakMap<ConnPid, { readonly since: number; protocol: Attributes }>()
  return listen({
    connectEnd: ({ connPid, error, protocol }) => {
      if (error === undefined)
        open.set(connPid, { since: performance.now(), protocol: protocolAttributes(protocol) })
    },
    tlsHandshakeEnd: ({ connPid, streamRef, protocol }) => {
      const it = open.get(connPid)
      // Within a tunnel TLS says nothing of the connection itself.
      if (it !== undefined && streamRef === undefined) it.protocol = protocolAttributes(protocol)
    },
    disconnect: ({ connPid }) => {
      const it = open.get(connPid)
      if (it === undefined) return
      open.delete(connPid)
      const server = serverOf({ connPid, tunnel: undefined, headers: [] })
      const seconds = (performance.now() - it.since) / 1000
      duration.record(seconds, { ...serverAttributes(server), ...it.protocol })
    },
  })
}
