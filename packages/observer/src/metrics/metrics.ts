/** The metrics of this program as Prometheus reads them, made when they are asked for. */

import type { MessageWaits } from '@holster/process'
import type { Gauge, Registry } from 'prom-client'
import { figuresNow } from './figures.js'
import { MEASURES } from './measures.js'
import { waitHistogram } from './wait-histogram.js'

/** The measures that are kept from the first time that somebody asks, since only then Node begins to measure. */
interface Page {
  readonly registry: Registry
  readonly gauges: readonly Gauge[]
}

let page: Promise<Page> | undefined

async function open(): Promise<Page> {
  // Most programs that are looked at are never asked for metrics.
  const { collectDefaultMetrics, Gauge, Registry } = await import('prom-client')
  // A registry of our own: the program may use prom-client's global one under the same names.
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const gauges = MEASURES.map(({ prometheusName: name, description: help, labels }) => {
    return new Gauge({ name, help, labelNames: labels.map(([, label]) => label), registers: [registry] })
  })
  return { registry, gauges }
}

/** The metrics as text, and the content type that says how to read it. */
export interface MetricsText {
  readonly text: string
  readonly type: string
}

/**
 * Resolves to the metrics in Prometheus' text format: Holster's (`holster_processes`, `holster_connections`, …), and those of Node and
 * the process that prom-client knows (`nodejs_…`, `process_…`), which are not measured before the first call. `waits` are those of the
 * messages in all mailboxes.
 */
export async function metricsText(waits: MessageWaits): Promise<MetricsText> {
  page ??= open()
  const { registry, gauges } = await page
  const figures = figuresNow()
  for (const [index, { labels, read }] of MEASURES.entries()) {
    const gauge = gauges[index] as Gauge
    gauge.reset()
    for (const { value, texts } of read(figures)) {
      gauge.set(Object.fromEntries(labels.map(([, label], at) => [label, texts[at] ?? ''])), value)
    }
  }
  return { text: `${await registry.metrics()}\n${waitHistogram(waits)}`, type: registry.contentType }
}
