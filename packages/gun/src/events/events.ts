/** What happens on a connection, told as it happens to who wants to know; nothing waits for it, and it changes nothing. */

import { type Channel, channel } from 'node:diagnostics_channel'
import { reportRejection, reportThrown } from '@holster/process/internal'
import type { ConnPid } from '../handles.js'
import { EVENTS, type EventHandler, type EventMap, type EventName } from '../options/events.js'
import type { Trace } from './trace.js'

/** The prefix of the names of the channels, for example `holster:gun:requestStart`. */
const PREFIX = 'holster:gun:'

const channels = Object.fromEntries(EVENTS.map(name => [name, channel(PREFIX + name)])) as Record<
  EventName,
  Channel
>

/**
 * Who is told of the events of one connection: its transcript, its event handler, and the subscribers of
 * `node:diagnostics_channel`. What a method of the handler throws, or rejects with, is reported; a subscriber that throws
 * is Node's business, which makes it an uncaught exception in a later tick.
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
    return (
      this.#trace !== undefined ||
      channels[name].hasSubscribers ||
      (this.#handler !== undefined && this.#method(name) !== undefined)
    )
  }

  tell<Name extends EventName>(name: Name, event: EventMap[Name]): void {
    this.#trace?.event(name, event)
    if (this.#handler !== undefined) this.#call(this.#handler, name, event)
    if (channels[name].hasSubscribers) channels[name].publish(event)
  }

  #call<Name extends EventName>(handler: EventHandler, name: Name, event: EventMap[Name]): void {
    const method = this.#method(name)
    if (method === undefined) return
    try {
      reportRejection(this.#connPid, method.call(handler, event))
    } catch (error) {
      reportThrown(this.#connPid, error)
    }
  }

  /** The handler is the caller's object: even to look at it may fail. */
  #method<Name extends EventName>(name: Name): ((given: EventMap[Name]) => unknown) | undefined {
    try {
      return this.#handler?.[name]
    } catch (error) {
      reportThrown(this.#connPid, error)
      return undefined
    }
  }
}
