/**
 * A connection of another node, as its handle here reaches it: commands are checked here, and carried out there. The streams that begin
 * here belong to this node, and are kept until nothing more can come of them.
 */

import type { ExitReason, Monitorable } from '@holster/process'
import {
  type ExitRoute,
  exitSignal,
  linked,
  onExit,
  type Remote,
  reportThrown,
  type WatchOrder,
} from '@holster/process/internal'
import { GunError } from '../errors.js'
import { ConnPid, isMadeHere, noteCancelled, type StreamRef } from '../handles.js'
import { type BeginCommand, begins, type Command } from '../layer/commands.js'
import { isAway } from '../layer/mail.js'
import { type GunMessage, type Owner, replyToOf } from '../messages.js'
import type { Callee } from './callee.js'
import { type Facts, isPortable, type OptionFacts } from './facts.js'
import { Outgoing } from './outgoing.js'

/** The messages of other nodes to a connection. */
export type AwayMessage =
  | { readonly type: 'perform'; readonly command: Command }
  | { readonly type: 'cancel' | 'giveUp'; readonly streamRef: StreamRef }
  | { readonly type: 'setOwner'; readonly owner: Owner }
  | { readonly type: 'shutdown' | 'close' }

/** The connection on its node; it can be watched, takes exit signals, and hears of links. */
export interface AwayTarget extends Remote, Required<Monitorable> {
  [linked](process: object, isTied: boolean): void
}

/** Answers for streams that have not begun here. */
const UNCOUNTED = Outgoing.raw({})

export class AwayConnection implements Callee {
  readonly connPid: ConnPid
  /** Where commands are carried out; `undefined` for a connection of this node that has ended and was collected. */
  readonly target: AwayTarget | undefined
  readonly commands = this
  #facts: Facts
  /** Why the connection has ended; `undefined` while that is not known here. */
  #end: { readonly reason: ExitReason } | undefined
  #isWatched = false
  /** The streams of this node of which something may still come. */
  readonly #streams = new Map<StreamRef, Outgoing>()
  /** Counts frames that name no stream. */
  #frames: Outgoing | undefined
  /** Counts the bytes of the protocol raw. */
  #raw: Outgoing | undefined

  constructor(target: AwayTarget | undefined, facts: Facts | undefined, id: string) {
    this.target = target
    this.#facts = facts ?? [undefined, 0]
    this.connPid = new ConnPid(this, id)
    if (target === undefined) this.#end = { reason: 'noproc' }
    this.#watchForOwner()
  }

  /** The facts that other nodes need, as far as they are known here. */
  get facts(): Facts {
    return this.#facts
  }

  /** The owner, as far as is known here. Throws a GunError `badstate` if that is nothing that other nodes can know. */
  get owner(): Owner {
    const [owner] = this.#facts
    if (owner !== undefined) return owner
    const text = `the owner of ${this.connPid} cannot be known on this node: name the recipient as replyTo`
    throw new GunError('badstate', 'badstate', text)
  }

  get opts(): OptionFacts {
    return this.#facts[2] ?? {}
  }

  /** The name of the node. */
  get node(): string {
    return this.target?.node ?? ''
  }

  /** Takes note of facts that have come, unless they were overtaken. */
  renew(facts: Facts): void {
    if (facts[1] < this.#facts[1]) return
    this.#facts = facts
    this.#watchForOwner()
  }

  perform(command: Command): boolean {
    if (begins(command)) return this.#begin(command)
    const { streamRef } = command
    const outgoing = this.#outgoingOf(command)
    if (command.type === 'flow' && outgoing?.hasFlow === false) return true
    if (this.#refuses(streamRef, command.type === 'flow')) return false
    const answer = (outgoing ?? UNCOUNTED).answer(command)
    this.#send({ type: 'perform', command })
    return answer
  }

  #begin(command: BeginCommand): boolean {
    const { streamRef, type } = command
    if (!isPortable(replyToOf(streamRef))) {
      const option = type === 'upgrade' ? 'wsOpts.replyTo' : 'reqOpts.replyTo'
      const text = `${option} must be a process or an xstate actor: ${this.connPid} is on another node, from where a function cannot be called`
      throw new TypeError(text)
    }
    if (this.#refuses(streamRef)) return false
    this.#send({ type: 'perform', command })
    const outgoing = Outgoing.of(command, this.opts)
    this.#streams.set(streamRef, outgoing)
    if (type === 'upgrade') this.#frames = outgoing
    return true
  }

  cancel(streamRef: StreamRef): void {
    if (this.#refuses(streamRef)) return
    noteCancelled(streamRef)
    this.#send({ type: 'cancel', streamRef })
  }

  giveUp(streamRef: StreamRef): void {
    if (this.#end !== undefined) return
    noteCancelled(streamRef)
    this.#send({ type: 'giveUp', streamRef })
  }

  /** Whether more may come of the stream; that of one which has not begun here is not known. */
  isOpen(streamRef: StreamRef): boolean {
    return this.#end === undefined && (this.#streams.has(streamRef) || !isMadeHere(streamRef))
  }

  /** Answers what another node asks of a connection that has ended here, and was collected. */
  answer(message: AwayMessage): void {
    if (message.type === 'perform') this.#refuses(message.command.streamRef, message.command.type === 'flow')
    else if (message.type === 'cancel') this.#refuses(message.streamRef)
  }

  /** Takes note that nothing more comes of a stream. */
  forget(streamRef: StreamRef): void {
    this.#streams.delete(streamRef)
  }

  setOwner(owner: Owner): void {
    if (!isPortable(owner)) {
      throw new TypeError(
        `newOwner must be a process or an xstate actor, as ${this.connPid} is on another node`,
      )
    }
    this.#send({ type: 'setOwner', owner })
    const [, changes, ...options] = this.#facts
    this.#facts = [owner, changes + 1, ...options]
    this.#watchForOwner()
  }

  shutdown(): void {
    this.#send({ type: 'shutdown' })
  }

  close(): void {
    this.#send({ type: 'close' })
  }

  watch(listener: (reason: ExitReason) => void, order?: WatchOrder): (() => void) | undefined {
    return this.target?.[onExit](listener, order)
  }

  signal(from: unknown, reason: ExitReason, route: ExitRoute): void {
    this.target?.[exitSignal](from, reason, route)
  }

  linked(process: object, isTied: boolean): void {
    this.target?.[linked](process, isTied)
  }

  /** Sends to the node of the connection. Throws a TypeError that names the argument with what cannot be sent. */
  #send(message: AwayMessage): void {
    this.#watch()
    try {
      this.target?.send(message)
    } catch (error) {
      throw error instanceof TypeError ? new TypeError(named(error.message)) : error
    }
  }

  /** Answers a command for a connection that has ended with an error; says whether it has. */
  #refuses(streamRef: StreamRef | undefined, isSilent = false): boolean {
    this.#watch()
    if (this.#end === undefined) return false
    if (isSilent) return true
    const error = new GunError('closed', 'connection_error', `${this.connPid} has ended`, {
      cause: this.#end.reason,
    })
    this.#fail(streamRef, error)
    return true
  }

  #fail(streamRef: StreamRef | undefined, reason: GunError): void {
    const { connPid } = this
    const to = streamRef === undefined ? this.#facts[0] : replyToOf(streamRef)
    const message: GunMessage = { type: 'gun_error', connPid, ...(streamRef && { streamRef }), reason }
    try {
      if (isPortable(to)) to.send(message)
    } catch (error) {
      reportThrown(connPid, error)
    }
  }

  #outgoingOf({ type, streamRef }: Command): Outgoing | undefined {
    if (streamRef !== undefined) return this.#streams.get(streamRef)
    if (type === 'frames') {
      this.#frames ??= Outgoing.frames(this.opts.wsOpts ?? {})
      return this.#frames
    }
    this.#raw ??= Outgoing.raw(this.opts)
    return this.#raw
  }

  /** Watches the connection if its owner is here, who must hear of the loss of its node. */
  #watchForOwner(): void {
    const [owner] = this.#facts
    if (owner !== undefined && !isAway(owner)) this.#watch()
  }

  #watch(): void {
    if (this.#isWatched || this.#end !== undefined) return
    this.#isWatched = true
    const stop = this.target?.[onExit](reason => this.#ended(reason))
    if (stop === undefined) this.#end = { reason: 'noproc' }
  }

  /** The connection has ended, and has told its streams and its owner why; or its node cannot be reached, which nobody else can tell. */
  #ended(reason: ExitReason): void {
    this.#isWatched = false
    const streams = [...this.#streams.keys()]
    this.#streams.clear()
    if (reason !== 'noconnection') {
      this.#end = { reason }
      return
    }
    const text = `the node '${this.node}', on which ${this.connPid} is, cannot be reached`
    const error = new GunError('closed', 'connection_error', text, { cause: reason })
    for (const streamRef of streams) this.#fail(streamRef, error)
    const [owner] = this.#facts
    if (owner !== undefined && !isAway(owner)) this.#fail(undefined, error)
  }
}

/** Names what a caller has given, in place of where it stands in a message. */
function named(text: string): string {
  return text
    .replace('message.command.opts', 'wsOpts')
    .replace('message.command.goal', 'destination')
    .replace('message.command.', '')
    .replace('message.', '')
}
