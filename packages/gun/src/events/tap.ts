/** A tap hands on what is heard of a connection to a listener, whose errors harm nobody else. */

import { reportRejection, reportThrown } from '@holster/process/internal'
import type { ConnPid } from '../handles.js'
import type { GunMessage } from '../messages.js'
import type { EventMap, EventName } from '../options/events.js'
import type { Hearing } from './hearing.js'

/** Gets what happens to one connection. What a method throws, or rejects with, goes to the exit hook. */
export interface TapListener {
  /** An event, as an event handler gets it. */
  event?(name: EventName, event: EventMap[EventName]): unknown
  /** A message, before it is posted to whoever it is for. */
  message?(message: GunMessage): unknown
  /** The state that the connection is in from now on, as `info` names it. */
  state?(name: string): unknown
}

/** Hands on what is heard until it ends. */
export class Tap implements Hearing {
  readonly #connPid: ConnPid
  readonly #listener: TapListener
  #state: string
  /** Whether nothing more is handed on, though what happens now may still be heard. */
  isOver = false

  /** `state` is the one that the connection is in, which is not handed on. */
  constructor(connPid: ConnPid, listener: TapListener, state: string) {
    this.#connPid = connPid
    this.#listener = listener
    this.#state = state
  }

  event<Name extends EventName>(name: Name, event: EventMap[Name]): void {
    this.#tell(listener => listener.event?.(name, event))
  }

  message(message: GunMessage): void {
    this.#tell(listener => listener.message?.(message))
  }

  state(name: string): void {
    if (name === this.#state) return
    this.#state = name
    this.#tell(listener => listener.state?.(name))
  }

  #tell(hand: (listener: TapListener) => unknown): void {
    if (this.isOver) return
    try {
      reportRejection(this.#connPid, hand(this.#listener))
    } catch (error) {
      reportThrown(this.#connPid, error)
    }
  }
}
