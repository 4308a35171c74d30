/** A peer is one life of another node: messages to its processes become signals, and its signals act on the processes here. */

import type { ExitReason, MonitorTarget, Process } from '@holster/process'
import {
  attach,
  deliver,
  isActorRef,
  kindNamed,
  kindOf,
  type Mark,
  reportThrown,
  type Source,
  watch,
} from '@holster/process/internal'
import { Foreign } from '../handles/foreign.js'
import { findLocal } from '../handles/local.js'
import type { Post, RemoteTarget } from '../handles/remote.js'
import type { Identity } from '../identity.js'
import type { Session } from '../session/session.js'
import { type Key, Signal } from '../signal.js'
import { pack, unpackEach } from '../wire/pack.js'
import { asError, prepare, type Way } from '../wire/prepare.js'
import { revive } from '../wire/revive.js'
import type { Special } from '../wire/special.js'
import type { Atlas } from './atlas.js'
import { type FlowHost, RemoteSink, RemoteSources } from './flow.js'

import { handleOf, ownHandle, WHOLE, wireOf } from './handles.js'
import { Ties, type TiesHost } from './ties.js'

/** A life of another node. */
export class Peer implements Post, FlowHost, TiesHost {
  readonly identity: Identity
  readonly handles: Foreign
  readonly #atlas: Atlas
  #session: Session | undefined
  readonly #ties = new Ties(this)
  readonly #sink = new RemoteSink(this)
  readonly #sources = new RemoteSources(this)

  constructor(identity: Identity, atlas: Atlas) {
    this.identity = identity
    this.#atlas = atlas
    this.handles = new Foreign(identity, () => this)
  }

  get session(): Session | undefined {
    return this.#session
  }

  get isUp(): boolean {
    return this.#session !== undefined
  }

  /** A session is up. */
  connect(session: Session): void {
    this.#session = session
  }

  /** The session is over: all that was tied to the other side is undone, and told. */
  disconnect(): void {
    this.#session = undefined
    this.#sink.clear()
    this.#ties.cut()
    // Behind the news, since the end of a source releases mailboxes that may be drained at once.
    this.#sources.clear()
  }

  congest(isCongested: boolean): void {
    this.#sink.congest(isCongested)
  }

  // Signals to the other side:

  send({ kind, number }: RemoteTarget, message: unknown, transfer?: ReadonlySet<ArrayBufferLike>): void {
    this.#writeValue([Signal.send, kind, number], message, 'message', transfer)
  }

  deliver({ kind, number }: RemoteTarget, source: Source, message: unknown, bytes: number): void {
    if (!this.isUp) return
    const head = [Signal.deliver, kind, number, this.#numberOf(source), bytes]
    this.#writeValue(head, message, 'message', undefined, source.whole)
  }

  attach({ kind, number }: RemoteTarget, source: Source): void {
    if (!this.isUp) return
    this.write([Signal.attach, kind, number, this.#numberOf(source)])
  }

  watch(target: RemoteTarget): void {
    this.#ties.watch(target)
  }

  unwatch(target: RemoteTarget): void {
    this.#ties.unwatch(target)
  }

  exit(target: RemoteTarget, from: unknown, reason: ExitReason): void {
    this.#ties.exit(target, from, reason)
  }

  ended(from: object, reason: ExitReason): void {
    if (this.isUp) this.#ties.ended(from, reason)
  }

  link(target: RemoteTarget, process: object, isTied: boolean): void {
    if (this.isUp) this.#ties.link(target, process, isTied)
  }

  writeDetach(source: number): void {
    this.write([Signal.detach, source])
  }

  writePause(source: number, isPaused: boolean): void {
    this.write([Signal.pause, source, isPaused])
    // A thread may take a thousand parcels in one turn, and each that comes meanwhile is one too many.
    this.#session?.hurry()
  }

  writeOverflow(source: number, { messages, bytes }: Mark): void {
    this.write([Signal.overflow, source, messages, bytes])
  }

  #numberOf(source: Source): number {
    return this.#sink.numberOf(source, number => {
      const { whole, part, isPausable } = source
      // A source that is no part of anything is its own whole.
      this.#writeValue([Signal.source, number, isPausable], [whole === source ? undefined : whole, part])
    })
  }

  /** Writes a reason, or in place of one that cannot be sent an error that says so: an end must be heard. */
  writeReason(
    head: readonly unknown[],
    reason: ExitReason,
    wrap: (reason: unknown) => unknown = sendable => sendable,
  ): void {
    try {
      this.#writeValue(head, wrap(reason), 'reason')
    } catch (error) {
      this.#writeValue(head, wrap(asError(error, 'the reason cannot be sent to another node')), 'reason')
    }
  }

  write(signal: readonly unknown[]): void {
    this.#session?.write(pack(signal))
  }

  process(number: number): MonitorTarget {
    return this.handles.handle('Process', number, undefined) as MonitorTarget
  }

  #writeValue(
    head: readonly unknown[],
    value: unknown,
    root?: string,
    transfer?: ReadonlySet<ArrayBufferLike>,
    whole?: object,
  ): void {
    const session = this.#session
    if (session === undefined) return
    const way: Way = {
      wireOf: handle =>
        handle === whole ? WHOLE : wireOf(handle, this.#atlas.identity, this.identity, whole !== undefined),
      transfer: session.movesBuffers ? transfer : undefined,
    }
    const { tree, specials, moved } = prepare(value, way, root)
    const bytes = pack(specials === undefined ? [...head, tree] : [...head, tree, specials])
    // Now, though they go out later: the sender must see that it has given them away.
    session.write(bytes, moved.length === 0 ? moved : structuredClone(moved, { transfer: [...moved] }))
  }

  // Signals from the other side:

  /** Acts on each of the signals in `bytes`. Throws an Error for what this version does not understand. */
  take(bytes: Uint8Array, moved: readonly ArrayBuffer[]): void {
    this.#sources.beforeReading()
    unpackEach(bytes, signal => {
      // An earlier signal of the same parcel may have ended the session.
      if (this.isUp) this.#take(signal, moved)
    })
  }

  #take([type, ...parts]: unknown[], moved: readonly ArrayBuffer[]): void {
    const value = (index: number, whole?: object) =>
      this.#revive(parts[index], parts[index + 1], moved, whole)
    const [first, second, third] = parts
    switch (type) {
      case Signal.send:
        return this.#takeMessage(first as string, second as Key, value(2))
      case Signal.deliver:
        return this.#takeDelivery(
          first as string,
          second as Key,
          third as number,
          parts[3] as number,
          value(4, this.#sources.get(third as number)?.whole),
        )
      case Signal.source:
        return this.#takeSource(
          first as number,
          second as boolean,
          value(2) as [object | undefined, object | undefined],
        )
      case Signal.attach:
        return this.#takeAttachment(first as string, second as Key, third as number)
      case Signal.detach:
        return this.#sources.remove(first as number)
      case Signal.pause:
        return this.#sink.pause(first as number, second as boolean)
      case Signal.overflow:
        return this.#sink.overflow(first as number, { messages: second as number, bytes: third as number })
      case Signal.watch:
        return this.#ties.takeWatch(first as string, second as Key, third as number)
      case Signal.unwatch:
        return this.#ties.takeUnwatch(first as string, second as Key, third as number)
      case Signal.ended:
        return this.#ties.takeEnd(first as string, second as Key, third as number, value(3))
      case Signal.link:
        return this.#ties.takeLink(first as number, second as string, third as Key)
      case Signal.unlink:
        return this.#ties.takeUnlink(first as number, second as string, third as Key, parts[3] as number)
      case Signal.unlinked:
        return this.#ties.takeUnlinked(first as number, second as string, third as Key, parts[3] as number)
      case Signal.exit:
        return this.#takeExit(first as string, second as Key, value(2))
      default:
        throw new Error(`a signal of type ${String(type)} has come, which this version does not know`)
    }
  }

  #revive(tree: unknown, specials: unknown, moved: readonly ArrayBuffer[], whole?: object): unknown {
    if (specials === undefined) return tree
    const toHandle = (wire: unknown) =>
      wire === WHOLE && whole !== undefined ? whole : handleOf(wire, this.identity, this.#atlas)
    return revive(tree, specials as readonly Special[], { handleOf: toHandle, moved })
  }

  #takeMessage(kind: string, number: Key, message: unknown): void {
    const target: { send?(message: unknown): void } | undefined =
      findLocal(kind, number) ?? this.#lost(kind, number)
    if (target === undefined) return
    // Xstate warns of an event to an actor that has stopped.
    if (isActorRef(target) && watch(target, ignore) === undefined) return
    try {
      const take = kindOf(target)?.take
      if (take === undefined) target.send?.(message)
      else take(target as never, message)
    } catch (error) {
      reportThrown(target, error)
    }
  }

  /** Gives what stands for a handle that was collected, if its kind answers messages all the same. */
  #lost(kind: string, number: Key): object | undefined {
    if (kindNamed(kind)?.take === undefined || typeof number !== 'number') return undefined
    return ownHandle(kind, number, undefined, this.#atlas.identity)
  }

  #takeDelivery(kind: string, number: Key, source: number, bytes: number, message: unknown): void {
    const target = findLocal(kind, number) as Partial<Process> | undefined
    const standIn = this.#sources.delivering(source)
    if (standIn !== undefined && target?.[deliver] !== undefined) target[deliver](standIn, message, bytes)
    else this.#takeMessage(kind, number, message)
  }

  #takeExit(kind: string, number: Key, value: unknown): void {
    const [from, reason] = value as [MonitorTarget | undefined, ExitReason]
    this.#ties.takeExit(kind, number, from, reason)
  }

  #takeSource(
    number: number,
    isPausable: boolean,
    [whole, part]: [object | undefined, object | undefined],
  ): void {
    this.#sources.set(number, whole, part, isPausable)
  }

  #takeAttachment(kind: string, number: Key, source: number): void {
    const standIn = this.#sources.get(source)
    if (standIn !== undefined) (findLocal(kind, number) as Partial<Process> | undefined)?.[attach]?.(standIn)
  }
}

function ignore(): void {}
