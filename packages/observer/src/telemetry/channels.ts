/** The channels on which gun publishes its events, as long as somebody listens. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { EventMap, RequestCreateEvent } from '@holster/gun'
import { diag } from '@opentelemetry/api'

/** The events of all channels, keyed by their names. */
export type ChannelMap = EventMap & { readonly requestCreate: RequestCreateEvent }

/** A listener for each event that is wanted. */
export type Listeners = { readonly [Name in keyof ChannelMap]?: (event: ChannelMap[Name]) => void }

/** Listens until the function is called that this one gives. A listener that throws is told to OpenTelemetry's `diag`, and harms nobody. */
export function listen(listeners: Listeners): () => void {
  const stops = Object.entries(listeners).map(([name, listener]) => {
    const hear = (event: unknown) => guarded(name, () => (listener as (event: unknown) => void)(event))
    subscribe(`holster:gun:${name}`, hear)
    return () => unsubscribe(`holster:gun:${name}`, hear)
  })
  return () => {
    for (const stop of stops) stop()
  }
}

/** Runs a function, and tells `diag` if it throws. */
export function guarded<T>(what: string, run: () => T): T | undefined {
  try {
    return run()
  } catch (error) {
    diag.error(`@holster/observer/otel: ${what} failed`, error)
    return undefined
  }
}
