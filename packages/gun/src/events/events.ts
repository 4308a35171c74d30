/**
 * The delivery of a connection's events to their listeners; no listener is awaited or can change anything.
 */

import { type Channel, channel } from 'node:diagnostics_channel'
import { reportRejection, reportThrown } from '@holster/process/internal'
import type { GunError } from '../errors.js'
import type { ConnPid, StreamRef } from '../handles.js'
import { replyToOf } from '../messages.js'
import { EVENTS, type EventHandler, type EventMap, type EventName } from '../options/events.js'
import { type Hearing, joined, parted } from './hearing.js'

/** The prefix of the channel names, for example `holster:gun:requestStart`. */
const PREFIX = 'holster:gun:'

const channels = Object.fromEntries(EVENTS.map(name => [name, channel(PREFIX + name)])) as Record<
  EventName,
  Channel
>

/**
 * Delivers the events of one connection to all that hear it, its event handler, and the subscribers of
 * `node:diagnostics_channel`. If a method of the handler throws or rejects, the error is reported. An error
 * thrown by a subscriber is handled by Node, as an uncaught exception in a later tick.
 */
export class Events {
  readonly #connPid: ConnPid
  readonly #handler: EventHandler | undefined
  /** Whether nobody is told of anything, since the caller has closed the connection within the step under way. */
  isMute = false
  /** Hears each event, message and state: the transcript, and whoever taps the connection; `undefined` while nobody does. */
  hearing: Hearing | undefined

  constructor(connPid: ConnPid, handler: EventHandler | undefined, hearing?: Hearing) {
    this.#connPid = connPid
    this.#handler = handler
    this.hearing = hearing
  }

  /** Has one more hear the connection. */
  join(hearing: Hearing): void {
    this.hearing = joined(this.hearing, hearing)
  }

  /** Has one who hears the connection do so no more. */
  part(hearing: Hearing): void {
    this.hearing = parted(this.hearing, hearing)
  }

  /** Whether the event has a listener. Without one the caller need not create the event. */
  wants(name: EventName): boolean {
    return !this.isMute && this.#isHeard(name)
  }

  /** Delivers an event. */
  tell<Name extends EventName>(name: Name, event: EventMap[Name]): void {
    if (!this.isMute) this.#deliver(name, event)
  }

  /** Tells of an error of a stream, which is posted also where nothing else is told any more. */
  tellError(streamRef: StreamRef, reason: GunError): void {
    if (!this.#isHeard('streamError')) return
    const replyTo = replyToOf(streamRef)
    this.#deliver('streamError', { connPid: this.#connPid, streamRef, replyTo, reason })
  }

  #isHeard(name: EventName): boolean {
    return (
      this.hearing !== undefined ||
      channels[name].hasSubscribers ||
      (this.#handler !== undefined && this.#method(name) !== undefined)
    )
  }

  #deliver<Name extends EventName>(name: Name, event: EventMap[Name]): void {
    this.hearing?.event(name, event)
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

  /**
   * Returns the handler's method. The handler is the caller's object, so even reading a property may throw.
   */
  #method<Name extends EventName>(name: Name): ((event: EventMap[Name]) => unknown) | undefined {
    try {
      return this.#handler?.[name]
    } catch (error) {
      reportThrown(this.#connPid, error)
      return undefined
    }
  }
}
