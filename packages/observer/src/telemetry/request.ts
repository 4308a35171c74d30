/** A request that is under way: its span and its attributes, until the one moment at which it ends. */

import type { ConnPid, RequestCreateEvent, RequestEvent, ResponseHeadersEvent } from '@holster/gun'
import { type Attributes, type Context, type Span, SpanStatusCode } from '@opentelemetry/api'
import {
  authorityOf,
  methodAttributes,
  protocolAttributes,
  type Server,
  serverAttributes,
  serverOf,
  urlOf,
} from './attributes.js'

/** How a request ends: with its response, with another protocol, or with an error of this type. */
export type End = 'response' | { readonly type: string; readonly error?: Error; readonly text?: string }

export class Request {
  readonly created: RequestCreateEvent
  /** The context of the caller, in which the request was asked for. */
  readonly context: Context
  readonly span: Span
  /** The attributes with which the request was counted as active. */
  readonly begun: Attributes
  connPid: ConnPid | undefined
  readonly #start = performance.now()
  #attributes: Attributes
  #status: number | undefined
  #sent = 0

  constructor(created: RequestCreateEvent, context: Context, span: Span, server: Server) {
    this.created = created
    this.context = context
    this.span = span
    this.connPid = created.connPid
    this.begun = { ...methodAttributes(created.method), ...serverAttributes(server) }
    this.#attributes = this.begun
  }

  /** How long it has taken, in seconds. */
  get seconds(): number {
    return (performance.now() - this.#start) / 1000
  }

  /** The attributes for metrics. */
  get attributes(): Attributes {
    return this.#attributes
  }

  /** Takes note that it is being sent, now that all is known of where it goes. */
  start({ connPid, scheme, authority, path, method }: RequestEvent, resends: number): void {
    this.connPid = connPid
    const { tunnel, headers } = this.created
    const server = { ...serverOf({ connPid, tunnel, headers }), scheme }
    const known = { ...serverAttributes(server), ...protocolAttributes(server.protocol) }
    this.#attributes = { ...this.#attributes, ...known }
    const again = this.#sent++ + resends
    this.span.setAttributes({
      ...known,
      ...(method !== 'CONNECT' && { 'url.full': urlOf(scheme, authority, path) }),
      ...(again > 0 && { 'http.request.resend_count': again }),
    })
  }

  /** Takes note of a response that is no mere hint of the one to come. */
  respond({ status }: ResponseHeadersEvent): void {
    this.#status = status
    this.span.setAttribute('http.response.status_code', status)
  }

  /** Ends the span; called once. */
  end(end: End): void {
    const status = this.#status
    const isRefused = end === 'response' && status !== undefined && status >= 400
    const type = end !== 'response' ? end.type : isRefused ? String(status) : undefined
    this.#attributes = {
      ...this.#attributes,
      ...(status !== undefined && { 'http.response.status_code': status }),
      ...(type !== undefined && { 'error.type': type }),
    }
    if (type !== undefined) this.span.setAttribute('error.type', type)
    if (end !== 'response') this.#fail(end)
    else if (isRefused) this.span.setStatus({ code: SpanStatusCode.ERROR })
    this.span.end()
  }

  #fail({ error, text }: Exclude<End, 'response'>): void {
    if (error !== undefined) this.span.recordException(error)
    const message = error?.message ?? text
    this.span.setStatus({ code: SpanStatusCode.ERROR, ...(message !== undefined && { message }) })
  }
}

/** Gives the attributes of a span that begins, from which samplers decide. */
export function firstAttributes({ method, path, headers }: RequestCreateEvent, server: Server): Attributes {
  const authority = authorityOf(server, headers)
  const { scheme } = server
  const isKnown = method !== 'CONNECT' && scheme !== undefined && authority !== undefined
  const { 'url.scheme': _, ...place } = serverAttributes(server)
  return {
    ...methodAttributes(method),
    ...place,
    ...(isKnown && { 'url.full': urlOf(scheme, authority, path) }),
  }
}
