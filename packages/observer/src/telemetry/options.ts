/** The options of the instrumentation, with their checks. */

import type { RequestCreateEvent, ResponseHeadersEvent } from '@holster/gun'
import { checkNames } from '@holster/process/internal'
import type { MeterProvider, Span, TracerProvider } from '@opentelemetry/api'

/** The options of `instrument`, with the names that OpenTelemetry's own instrumentations use. */
export interface InstrumentationOptions {
  /** Whether it begins at once. Default: `true`. */
  readonly enabled?: boolean
  /** Makes the spans. Default: the global one, also if that is set later. */
  readonly tracerProvider?: TracerProvider
  /** Makes the metrics. Default: the global one. */
  readonly meterProvider?: MeterProvider
  /** Whether a request without a span of its caller's gets none of its own. Metrics count it all the same. Default: `false`. */
  readonly requireParentforSpans?: boolean
  /** Says which requests get neither a span nor a header field; they are not counted either. Called within the caller's call. */
  readonly ignoreRequestHook?: (request: RequestCreateEvent) => boolean
  /** Called with each span that begins, within the caller's call. */
  readonly requestHook?: (span: Span, request: RequestCreateEvent) => void
  /** Called with a span when the head of its response has come. */
  readonly responseHook?: (span: Span, response: ResponseHeadersEvent) => void
}

const NAMES = [
  'enabled',
  'tracerProvider',
  'meterProvider',
  'requireParentforSpans',
  'ignoreRequestHook',
  'requestHook',
  'responseHook',
] as const satisfies readonly (keyof InstrumentationOptions)[]

const FUNCTIONS = ['ignoreRequestHook', 'requestHook', 'responseHook'] as const

/** Throws a TypeError that names the option which is wrong. */
export function checkOptions(options: InstrumentationOptions): void {
  checkNames(options, NAMES, 'instrument')
  for (const name of ['enabled', 'requireParentforSpans'] as const) {
    const value = options[name]
    if (value !== undefined && typeof value !== 'boolean')
      throw new TypeError(`options.${name} must be a boolean`)
  }
  for (const name of FUNCTIONS) {
    const value = options[name]
    if (value !== undefined && typeof value !== 'function')
      throw new TypeError(`options.${name} must be a function`)
  }
  checkProvider('tracerProvider', 'getTracer', options.tracerProvider)
  checkProvider('meterProvider', 'getMeter', options.meterProvider)
}

function checkProvider(name: string, method: string, provider: object | undefined): void {
  if (provider === undefined) return
  const isOne = typeof provider === 'object' && provider !== null && method in provider
  if (!isOne) throw new TypeError(`options.${name} must have the method ${method}`)
}
