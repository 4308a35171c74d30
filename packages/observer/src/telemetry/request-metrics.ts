/** The metrics of requests that OpenTelemetry's conventions name. */

import type { Attributes, Meter } from '@opentelemetry/api'
import { ValueType } from '@opentelemetry/api'

/** The bounds of buckets that the conventions advise, in seconds. */
const BOUNDARIES = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

export class RequestMetrics {
  readonly #duration
  readonly #active

  constructor(meter: Meter) {
    this.#duration = meter.createHistogram('http.client.request.duration', {
      description:
        'Duration of HTTP client requests, from the call to the end of the response or to the upgrade.',
      unit: 's',
      valueType: ValueType.DOUBLE,
      advice: { explicitBucketBoundaries: BOUNDARIES },
    })
    this.#active = meter.createUpDownCounter('http.client.active_requests', {
      description: 'Number of active HTTP requests.',
      unit: '{request}',
      valueType: ValueType.INT,
    })
  }

  /** Counts a request that begins. */
  begin(attributes: Attributes): void {
    this.#active.add(1, attributes)
  }

  /** Counts a request that has ended, whose beginning had the attributes `begun`. */
  end(begun: Attributes, attributes: Attributes, seconds: number): void {
    this.#active.add(-1, begun)
    this.#duration.record(seconds, attributes)
  }
}
