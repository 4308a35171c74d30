/** A request that waits for a connection, with all that its caller has asked for meanwhile. */

import type { GunError } from '../errors.js'
import { bindStream, type ConnPid } from '../handles.js'
import type { RequestCommand, StreamCommand } from '../layer/commands.js'
import { replyToOf } from '../messages.js'
import type { Member } from './member.js'
import { type Pending, type PoolStreamRef, setWaiter } from './reference.js'
import { Waiter } from './waiting.js'

/** The pool, as far as a request that waits needs it. */
export interface WaiterHome {
  /** The connection that posts the error of a request which gets none: the last one that was tried. */
  readonly spokesman: Member
  /** Gives up a place in the queue. Returns whether there was one. */
  giveUp(waiter: RequestWaiter): boolean
}

export class RequestWaiter extends Waiter<Member> implements Pending {
  readonly streamRef: PoolStreamRef
  readonly #home: WaiterHome
  readonly #request: RequestCommand
  readonly #rest: StreamCommand[] = []
  #listeners: ((connPid: ConnPid) => void)[] = []

  constructor(home: WaiterHome, streamRef: PoolStreamRef, request: RequestCommand) {
    super()
    this.#home = home
    this.streamRef = streamRef
    this.#request = request
  }

  add(command: StreamCommand): void {
    this.#rest.push(command)
  }

  onBound(listener: (connPid: ConnPid) => void): () => void {
    this.#listeners.push(listener)
    return () => {
      this.#listeners = this.#listeners.filter(each => each !== listener)
    }
  }

  giveUp(): void {
    if (!this.#home.giveUp(this)) return
    const { streamRef } = this
    setWaiter(streamRef, undefined)
    const { connection, inbox } = this.#home.spokesman
    const { connPid, events } = connection
    const replyTo = replyToOf(streamRef) ?? inbox
    events.tell('cancel', { connPid, streamRef, replyTo, endpoint: 'local', reason: 'cancel' })
  }

  abort(reason: GunError): void {
    if (this.#home.giveUp(this)) this.fail(reason)
  }

  take(member: Member): void {
    this.#bind(member)
    member.begin(this.#request)
    for (const command of this.#rest) member.connection.commands.perform(command)
  }

  fail(reason: GunError): void {
    const member = this.#home.spokesman
    this.#bind(member)
    member.connection.fail(this.streamRef, reason)
  }

  #bind(member: Member): void {
    const { streamRef } = this
    setWaiter(streamRef, undefined)
    bindStream(streamRef, member.connPid, member.inbox)
    for (const listener of this.#listeners.splice(0)) listener(member.connPid)
  }
}
