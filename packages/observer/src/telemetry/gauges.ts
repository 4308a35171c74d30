/** The figures of this program as observable instruments, read once for each collection. */

import type { ConnectionInfo } from '@holster/gun'
import { type BatchObservableResult, type Meter, type Observable, ValueType } from '@opentelemetry/api'
import { type Figures, figuresNow } from '../metrics/figures.js'
import { MEASURES } from '../metrics/measures.js'
import { protocolAttributes, serverAttributes } from './attributes.js'
import { Vanished } from './vanished.js'

/** Observes the figures until the function is called that this one gives. */
export function observeFigures(meter: Meter): () => void {
  const gauges = MEASURES.map(({ name, unit, description, labels, read }) => {
    const gauge = meter.createObservableGauge(name, { unit, description, valueType: ValueType.INT })
    return observing(gauge, figures =>
      read(figures).map(({ value, texts }) => {
        const attributes = labels.map(([attribute], at) => [attribute, texts[at] ?? ''] as const)
        return [JSON.stringify(Object.fromEntries(attributes)), value] as const
      }),
    )
  })
  const open = meter.createObservableUpDownCounter('http.client.open_connections', {
    description: 'Number of outbound HTTP connections that are currently active or idle on the client.',
    unit: '{connection}',
    valueType: ValueType.INT,
  })
  const all = [...gauges, observing(open, countOpen)]
  const observe = (result: BatchObservableResult) => {
    const figures = figuresNow()
    for (const each of all) each.observe(result, figures)
  }
  const instruments = all.map(({ instrument }) => instrument)
  meter.addBatchObservableCallback(observe, instruments)
  return () => meter.removeBatchObservableCallback(observe, instruments)
}

/** Observes with one instrument; `read` gives values by their attributes in JSON. */
function observing(instrument: Observable, read: (figures: Figures) => Iterable<readonly [string, number]>) {
  const vanished = new Vanished()
  return {
    instrument,
    observe(result: BatchObservableResult, figures: Figures) {
      const values = new Map(read(figures))
      for (const text of vanished.zeros(values.keys())) values.set(text, 0)
      for (const [text, value] of values) result.observe(instrument, value, JSON.parse(text))
    },
  }
}

/** Counts the connections that are up, by their attributes in JSON. */
function countOpen({ connections }: Figures): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const connection of connections) {
    if (connection.protocol === undefined) continue
    const text = JSON.stringify(attributesOf(connection))
    counts.set(text, (counts.get(text) ?? 0) + 1)
  }
  return counts
}

function attributesOf({ streams, protocol, transport, originHost, originPort }: ConnectionInfo) {
  const scheme = transport === 'tls' ? 'https' : 'http'
  // A WebSocket, or a tunnel that speaks no HTTP, is never idle: nobody else can use it.
  const isActive = streams > 0 || (protocol !== 'http' && protocol !== 'http2')
  return {
    'http.connection.state': isActive ? 'active' : 'idle',
    ...serverAttributes({ scheme, address: originHost, port: originPort, protocol }),
    ...protocolAttributes(protocol),
  }
}
