// What OpenTelemetry's SDK gets: spans and metrics in memory, and whatever went wrong. A span that ends twice is such an error.

import assert from 'node:assert/strict'
import { type HolsterInstrumentation, type InstrumentationOptions, instrument } from '@holster/observer/otel'
import { context, DiagLogLevel, diag, metrics, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  type MetricData,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'

export interface Telemetry extends AsyncDisposable {
  readonly instrumentation: HolsterInstrumentation
  /** The spans that have begun, ended or not. */
  readonly begun: number
  /** The spans that have ended, in this order. */
  spans(): ReadableSpan[]
  /** The metric of a name, as collected now. */
  metric(name: string): Promise<MetricData>
  /** Makes a span of a caller, and runs a function in it. */
  within<T>(run: () => T): { readonly result: T; readonly spanId: string; readonly traceId: string }
}

/** Instruments this program until it is disposed of. Fails then if a span that has begun has not ended exactly once. */
export function telemetry(options: InstrumentationOptions = {}): Telemetry {
  const problems: string[] = []
  const tell = (text: string, ...rest: unknown[]) => problems.push([text, ...rest].map(String).join(' '))
  diag.setLogger(
    { error: tell, warn: tell, info() {}, debug() {}, verbose() {} },
    { logLevel: DiagLogLevel.WARN },
  )
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  const exporter = new InMemorySpanExporter()
  let begun = 0
  const count = { onStart: () => begun++, onEnd() {}, async forceFlush() {}, async shutdown() {} }
  const provider = new BasicTracerProvider({ spanProcessors: [count, new SimpleSpanProcessor(exporter)] })
  trace.setGlobalTracerProvider(provider)
  const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({
    exporter: metricExporter,
    exportIntervalMillis: 3_600_000,
  })
  const meters = new MeterProvider({ readers: [reader] })
  metrics.setGlobalMeterProvider(meters)
  const instrumentation = instrument(options)
  return {
    instrumentation,
    get begun() {
      return begun
    },
    spans: () =>
      exporter.getFinishedSpans().filter(({ instrumentationScope }) => instrumentationScope.name !== 'test'),
    async metric(name) {
      metricExporter.reset()
      await reader.forceFlush()
      const all = metricExporter
        .getMetrics()
        .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(each => each.metrics))
      const metric = all.find(({ descriptor }) => descriptor.name === name)
      assert.ok(metric, `no metric ${name} among ${all.map(({ descriptor }) => descriptor.name)}`)
      return metric
    },
    within(run) {
      const span = trace.getTracer('test').startSpan('caller')
      try {
        const result = context.with(trace.setSpan(context.active(), span), run)
        return { result, ...span.spanContext() }
      } finally {
        span.end()
      }
    },
    async [Symbol.asyncDispose]() {
      assert.equal(exporter.getFinishedSpans().length, begun, 'a span has begun and not ended')
      instrumentation.disable()
      await meters.shutdown()
      for (const api of [trace, metrics, context, propagation, diag]) api.disable()
      assert.deepEqual(problems, [])
    },
  }
}
