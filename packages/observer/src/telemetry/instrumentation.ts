/** The instrumentation of Holster for OpenTelemetry: begins, ends, and takes providers as OpenTelemetry's own instrumentations do. */

import { type MeterProvider, metrics, type TracerProvider, trace } from '@opentelemetry/api'
import { versionOfPackage } from '../version.js'
import { recordConnections } from './connections.js'
import { observeFigures } from './gauges.js'
import { checkOptions, type InstrumentationOptions } from './options.js'
import { RequestMetrics } from './request-metrics.js'
import { Requests } from './requests.js'

/**
 * Spans and metrics of Holster's connections, for OpenTelemetry's API; no SDK is needed or loaded.
 *
 * Each request and each upgrade gets one span of kind CLIENT by the conventions for HTTP clients. It is a child of the span that is
 * active where the request is asked for, and lasts until the response has come, the upgrade is done, or the stream has failed. The
 * context goes out in the header fields of the propagator (`traceparent`), unless the caller has given these. Requests on connections of
 * other nodes carry the caller's own context, and get no span here.
 *
 * Metrics: `http.client.request.duration`, `http.client.active_requests`, `http.client.connection.duration`,
 * `http.client.open_connections`, and as gauges `holster.process.count`, `holster.mailbox.messages`, `holster.mailbox.bytes`,
 * `holster.mailbox.over_mark`, `holster.connection.count`, `holster.pool.connections` and `holster.pool.waiting`.
 *
 * The class has the shape that `registerInstrumentations` of `@opentelemetry/instrumentation` takes, like all instrumentations.
 */
export class HolsterInstrumentation implements Disposable {
  /** The name of the scope of its spans and metrics. */
  readonly instrumentationName = '@holster/observer'
  /** The version of this package. */
  readonly instrumentationVersion = versionOfPackage()
  #options: InstrumentationOptions
  #tracerProvider: TracerProvider | undefined
  #meterProvider: MeterProvider | undefined
  #requests: Requests | undefined
  #stops: (() => void)[] = []

  /** Begins at once, unless `options.enabled` is `false`. Throws a TypeError that names a wrong option. */
  constructor(options: InstrumentationOptions = {}) {
    checkOptions(options)
    this.#options = options
    this.#tracerProvider = options.tracerProvider
    this.#meterProvider = options.meterProvider
    if (options.enabled !== false) this.enable()
  }

  /** Begins. Does nothing if it has begun. */
  enable(): void {
    if (this.#requests !== undefined) return
    const { instrumentationName: name, instrumentationVersion: version } = this
    const tracer = (this.#tracerProvider ?? trace).getTracer(name, version)
    const meter = (this.#meterProvider ?? metrics).getMeter(name, version)
    this.#requests = new Requests(tracer, new RequestMetrics(meter), this.#options)
    this.#stops = [recordConnections(meter), observeFigures(meter)]
  }

  /** Ends: the spans of requests that are under way end with the error type `_OTHER`. It can be begun again. */
  disable(): void {
    this.#requests?.close()
    this.#requests = undefined
    for (const stop of this.#stops.splice(0)) stop()
  }

  /** Ends, as `disable` does. */
  [Symbol.dispose](): void {
    this.disable()
  }

  /** Makes spans with another provider from now on. */
  setTracerProvider(tracerProvider: TracerProvider): void {
    this.#restart(() => {
      this.#tracerProvider = tracerProvider
    })
  }

  /** Makes metrics with another provider from now on. */
  setMeterProvider(meterProvider: MeterProvider): void {
    this.#restart(() => {
      this.#meterProvider = meterProvider
    })
  }

  /** Gives the options. */
  getConfig(): InstrumentationOptions & {
    /** Whether it begins at once. */
    readonly enabled: boolean
  } {
    return { ...this.#options, enabled: this.#options.enabled ?? true }
  }

  /** Takes other options from now on. Providers stay as they are, unless the options name some. Throws a TypeError that names a wrong option. */
  setConfig(options: InstrumentationOptions = {}): void {
    checkOptions(options)
    this.#restart(() => {
      this.#options = options
      this.#tracerProvider = options.tracerProvider ?? this.#tracerProvider
      this.#meterProvider = options.meterProvider ?? this.#meterProvider
    })
  }

  #restart(change: () => void): void {
    const isEnabled = this.#requests !== undefined
    if (isEnabled) this.disable()
    change()
    if (isEnabled) this.enable()
  }
}

/**
 * Instruments the connections of this program and gives what ends that: `disable()`, or `using`. Throws a TypeError that names a wrong
 * option.
 *
 * ```ts
 * import { instrument } from '@holster/observer/otel'
 *
 * const instrumentation = instrument()
 * ```
 */
export function instrument(options?: InstrumentationOptions): HolsterInstrumentation {
  return new HolsterInstrumentation(options)
}
