/** The facts about a connection that other nodes need to take commands for it. */

import { isActorRef, kindOf } from '@holster/process/internal'
import type { Owner, ReplyTo } from '../messages.js'
import { type Opts, protocolsOr, rawOptsOf } from '../options/options.js'
import type { RawOpts } from '../options/tunnel.js'
import type { WsOpts } from '../options/websocket.js'

/** The facts, as they travel with each handle. */
export type Facts = readonly [
  owner: Owner | undefined,
  /** How often the owner has changed, so that facts which were overtaken do not count. */
  changes: number,
  options?: OptionFacts | undefined,
]

/** The options that the commands of other nodes depend on, as far as they are no defaults. */
export interface OptionFacts {
  readonly wsOpts?: WsOpts
  /** Whether responses have flow control unless their requests say otherwise. */
  readonly hasFlow?: true
  /** How many bytes of the protocol raw may wait before the sender is told to wait. */
  readonly rawMark?: number
}

/** Whether a recipient can be known on another node: a process or an actor, wherever it is. */
export function isPortable(to: ReplyTo | undefined): to is Owner {
  return typeof to === 'object' && to !== null && (kindOf(to) !== undefined || isActorRef(to))
}

/** Gives the recipient if another node can know it. */
export function portable<T extends ReplyTo>(to: T | undefined): T | undefined {
  return isPortable(to) ? to : undefined
}

/** Gives what other nodes must know of the options; `undefined` if there is nothing. */
export function optionFactsOf(opts: Opts, transport: 'tcp' | 'tls'): OptionFacts | undefined {
  const { wsOpts } = opts
  const inits = protocolsOr(opts.protocols, transport).map(init => (typeof init === 'string' ? {} : init[1]))
  const flows = [opts.httpOpts, opts.http2Opts, opts.rawOpts, ...inits].map(
    of => (of as RawOpts | undefined)?.flow,
  )
  const rawMark = rawOptsOf(opts, opts.protocols ?? []).sendHighWaterMark
  const facts: OptionFacts = {
    ...wsFactsOf(wsOpts),
    ...(flows.some(isLimit) && { hasFlow: true }),
    ...(rawMark !== undefined && { rawMark }),
  }
  return Object.keys(facts).length === 0 ? undefined : facts
}

function wsFactsOf(opts: WsOpts | undefined): Pick<OptionFacts, 'wsOpts'> {
  if (opts === undefined) return {}
  const { replyTo, invalidRequestHeaders, flow, sendHighWaterMark } = opts
  const facts = { replyTo: portable(replyTo), invalidRequestHeaders, flow, sendHighWaterMark }
  const given = Object.entries(facts).filter(([, value]) => value !== undefined)
  return given.length === 0 ? {} : { wsOpts: Object.fromEntries(given) }
}

/** Whether a `flow` is a limit. */
export function isLimit(flow: number | undefined): boolean {
  return flow !== undefined && flow !== Number.POSITIVE_INFINITY
}
