/** What happens on a connection, told as it happens to who wants to know; nothing waits for it, and it changes nothing. */

import { type Channel, channel } from 'node:diagnostics_channel'
import { reportExit } from '@holster/process'
import type { ConnPid } from './conn-pid.js'
import { EVENTS, type EventHandler, type EventMap, type EventName } from './event-map.js'
import type { Trace } from './trace.js'

/** The prefix of the names of the channels, for example `holster:gun:requestStart`. */
const PREFIX = 'holster:gun:'

const channels = Object.fromEntries(EVENTS.map(name => [name, channel(PREFIX + name)])) as Record<
  EventName,
  Channel
>

/**
 * Who is told of the events of one connection: its transcript, its event handler, and the subscribers of
 * `node:diagnostics_channel`. A handler that throws is reported; a subscriber that does is Node's business, which makes
 * it an uncaught exception in a later tick.
 */
export class Events {
  readonly #connPid: ConnPid
  readonly #handler: EventHandler | undefined
  readonly #trace: Trace | undefined

  constructor(connPid: ConnPid, handler: EventHandler | undefined, trace?: Trace) {
    this.#connPid = connPid
    this.#handler = handler
    this.#trace = trace
  }

  /** Whether anybody wants to know, so that an event need not be made for nobody. */
  wants(name: EventName): boolean {
    return this.#handler?.[name] !== undefined || channels[name].hasSubscribers || this.#trace !== undefined
  }

  tell<Name extends EventName>(name: Name, event: EventMap[Name]): void {
    this.#trace?.event(name, event)
    const handler = this.#handler
    if (handler?.[name] !== undefined) {
      try {
        const call = handler[name] as (this: EventHandler, given: EventMap[Name]) => void
        call.call(handler, event)
      } catch (error) {
        reportExit(this.#connPid, error)
      }
    }
    if (channels[name].hasSubscribers) channels[name].publish(event)
  }
}
