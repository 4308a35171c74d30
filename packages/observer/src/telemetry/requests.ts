/** Gives each request and each upgrade one span, and counts it: from the call that asks for it to whatever ends it. */

import type {
  CancelEvent,
  ConnPid,
  ProtocolChangedEvent,
  RequestCreateEvent,
  RequestEvent,
  ResponseHeadersEvent,
  StreamErrorEvent,
  StreamRef,
  TerminateEvent,
} from '@holster/gun'
import {
  type Context,
  context,
  INVALID_SPAN_CONTEXT,
  propagation,
  SpanKind,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { goesOn, serverOf, spanNameOf } from './attributes.js'
import { guarded, listen } from './channels.js'
import type { InstrumentationOptions } from './options.js'
import { type End, firstAttributes, Request } from './request.js'
import type { RequestMetrics } from './request-metrics.js'

/** An upgrade that has succeeded, and may be asked for again with the next connection. */
interface Upgraded {
  readonly created: RequestCreateEvent
  readonly context: Context
  resends: number
}

export class Requests {
  readonly #tracer: Tracer
  readonly #metrics: RequestMetrics
  readonly #options: InstrumentationOptions
  readonly #open = new Map<StreamRef, Request>()
  readonly #upgraded = new WeakMap<StreamRef, Upgraded>()
  readonly #stop: () => void

  constructor(tracer: Tracer, metrics: RequestMetrics, options: InstrumentationOptions) {
    this.#tracer = tracer
    this.#metrics = metrics
    this.#options = options
    this.#stop = listen({
      requestCreate: event => this.#create(event),
      requestStart: event => this.#start(event),
      responseInform: event => event.status === 101 && this.#respond(event),
      responseHeaders: event => this.#respond(event),
      responseEnd: ({ streamRef }) => this.#end(streamRef, 'response'),
      protocolChanged: event => this.#switch(event),
      cancel: event => this.#cancel(event),
      streamError: event => this.#fail(event),
      terminate: event => this.#terminate(event),
    })
  }

  /** Listens no more, and ends the spans of requests that are under way. */
  close(): void {
    this.#stop()
    for (const streamRef of [...this.#open.keys()]) {
      this.#end(streamRef, {
        type: '_OTHER',
        text: 'the instrumentation was disabled before the request had ended',
      })
    }
  }

  #create(event: RequestCreateEvent): void {
    if (guarded('ignoreRequestHook', () => this.#options.ignoreRequestHook?.(event))) return
    const active = context.active()
    if (isElsewhere(event.connPid)) return inject(active, event)
    const request = this.#begin(event, active)
    inject(trace.setSpan(active, request.span), event)
  }

  #begin(created: RequestCreateEvent, active: Context): Request {
    const { streamRef, method } = created
    const server = serverOf(created)
    const span = this.#needsNone(active)
      ? trace.wrapSpanContext(INVALID_SPAN_CONTEXT)
      : this.#tracer.startSpan(
          spanNameOf(method),
          { kind: SpanKind.CLIENT, attributes: firstAttributes(created, server) },
          active,
        )
    const request = new Request(created, active, span, server)
    this.#open.set(streamRef, request)
    this.#metrics.begin(request.begun)
    this.#hook('requestHook', span, created)
    return request
  }

  #needsNone(active: Context): boolean {
    return this.#options.requireParentforSpans === true && trace.getSpan(active) === undefined
  }

  #start(event: RequestEvent): void {
    const { streamRef } = event
    const again = this.#upgraded.get(streamRef)
    if (again !== undefined) {
      // The attempt before has told nothing of its end if the connection was lost in the middle of a refusal.
      this.#end(streamRef, { type: '_OTHER', text: 'the upgrade was asked for again' })
      this.#begin({ ...again.created, connPid: event.connPid }, again.context)
      again.resends++
    }
    this.#open.get(streamRef)?.start(event, again?.resends ?? 0)
  }

  #respond(event: ResponseHeadersEvent): void {
    const request = this.#open.get(event.streamRef)
    if (request === undefined) return
    request.respond(event)
    this.#hook('responseHook', request.span, event)
  }

  #switch({ streamRef }: ProtocolChangedEvent): void {
    const request = streamRef && this.#open.get(streamRef)
    if (streamRef === undefined || request === undefined) return
    const { created, context } = request
    if (created.function === 'wsUpgrade' && !this.#upgraded.has(streamRef)) {
      this.#upgraded.set(streamRef, { created, context, resends: 0 })
    }
    this.#end(streamRef, 'response')
  }

  #cancel({ streamRef, endpoint, reason }: CancelEvent): void {
    // Of a stream that the peer has reset an error follows, unless its response was whole.
    if (endpoint === 'local') this.#end(streamRef, { type: 'cancelled', text: reason })
  }

  #fail(event: StreamErrorEvent): void {
    const { streamRef, reason } = event
    const request = this.#open.get(streamRef)
    if (request === undefined) return
    if (reason.kind === 'badstate' && goesOn(event)) request.span.recordException(reason)
    else this.#end(streamRef, { type: reason.code, error: reason })
  }

  /** Ends what should have ended before; nothing of a connection follows its end. */
  #terminate({ connPid }: TerminateEvent): void {
    for (const [streamRef, request] of this.#open) {
      if (request.connPid === connPid) this.#end(streamRef, { type: 'closed', text: `${connPid} has ended` })
    }
  }

  #end(streamRef: StreamRef, end: End): void {
    const request = this.#open.get(streamRef)
    if (request === undefined) return
    this.#open.delete(streamRef)
    request.end(end)
    this.#metrics.end(request.begun, request.attributes, request.seconds)
  }

  #hook<Name extends 'requestHook' | 'responseHook'>(
    name: Name,
    ...args: Parameters<NonNullable<InstrumentationOptions[Name]>>
  ): void {
    const hook = this.#options[name] as ((...args: unknown[]) => void) | undefined
    if (hook !== undefined) guarded(name, () => hook(...args))
  }
}

/** Adds the fields of the context to the request, but for those that the caller has given. */
function inject(active: Context, { headers, addHeader }: RequestCreateEvent): void {
  const given = new Set(headers.map(([name]) => name))
  propagation.inject(active, addHeader, {
    set: (add, name, value) => {
      if (!given.has(name.toLowerCase())) guarded(`the header ${name}`, () => add(name, value))
    },
  })
}

/** Whether a connection is on another node, where its events are told. */
function isElsewhere(connPid: ConnPid | undefined): boolean {
  return connPid?.id.includes('@') ?? false
}
