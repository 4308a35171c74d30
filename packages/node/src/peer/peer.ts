/** One life of another node: what goes there becomes signals, and signals from there act on what lives here. */

import type { ExitReason, MonitorTarget, Process } from '@holster/process'
import {
  attach,
  deliver,
  isActorRef,
  kindOf,
  linkHalf,
  type Mark,
  onExit,
  reportThrown,
  type Source,
  sendExit,
  watch,
} from '@holster/process/internal'
import { Foreign } from '../handles/foreign.js'
import { findLocal, nameOf } from '../handles/local.js'
import type { Post, RemoteTarget } from '../handles/remote.js'
import type { Identity } from '../identity.js'
import type { Session } from '../session/session.js'
import { type Key, keyOf, Signal } from '../signal.js'
import { pack, unpackEach } from '../wire/pack.js'
import { prepare, type Way } from '../wire/prepare.js'
import { revive } from '../wire/revive.js'
import type { Special } from '../wire/special.js'
import type { Atlas } from './atlas.js'
import { type FlowHost, RemoteSink, RemoteSources } from './flow.js'
import { handleOf, wireOf } from './handles.js'

/** One life of another node. */
export class Peer implements Post, FlowHost {
  readonly identity: Identity
  readonly handles: Foreign
  readonly #atlas: Atlas
  #session: Session | undefined
  /** The targets there that are watched here. */
  readonly #watched = new Map<string, RemoteTarget>()
  /** Stops watching the targets here that are watched there. */
  readonly #watching = new Map<string, () => void>()
  /** Undoes the links of what is no process, such as a connection. */
  readonly #links = new Map<string, () => void>()
  /** The links that were undone here, until the other side has heard: a link that it has sent before does not count. */
  readonly #unlinking = new Map<string, number>()
  #lastUnlink = 0
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
    this.#unlinking.clear()
    for (const stop of [...this.#watching.values(), ...this.#links.values()]) stop()
    this.#watching.clear()
    this.#links.clear()
    const watched = [...this.#watched.values()]
    this.#watched.clear()
    for (const target of watched) target.disconnect()
    // Behind the news, since the end of a source releases mailboxes that may be drained at once.
    this.#sources.clear()
  }

  congest(isCongested: boolean): void {
    this.#sink.congest(isCongested)
  }

  // What goes there:

  send({ kind, number }: RemoteTarget, message: unknown, transfer?: ReadonlySet<ArrayBufferLike>): void {
    this.#writeValue([Signal.send, kind, number], message, 'message', transfer)
  }

  deliver({ kind, number }: RemoteTarget, source: Source, message: unknown, bytes: number): void {
    if (!this.isUp) return
    this.#writeValue(
      [Signal.deliver, kind, number, this.#numberOf(source), bytes],
      message,
      'message',
      undefined,
      true,
    )
  }

  attach({ kind, number }: RemoteTarget, source: Source): void {
    if (!this.isUp) return
    this.#write([Signal.attach, kind, number, this.#numberOf(source)])
  }

  watch(target: RemoteTarget): void {
    this.#watched.set(target.key, target)
    this.#write([Signal.watch, target.kind, target.number])
  }

  unwatch(target: RemoteTarget): void {
    if (this.#watched.delete(target.key)) this.#write([Signal.unwatch, target.kind, target.number])
  }

  exit({ kind, number }: RemoteTarget, from: unknown, reason: ExitReason): void {
    this.#writeReason([Signal.exit, kind, number], reason, sendable => [from, sendable])
  }

  ended(from: object, reason: ExitReason): void {
    if (!this.isUp) return
    const { kind, number } = nameOf(from)
    this.#writeReason([Signal.ended, kind, number], reason, sendable => sendable)
  }

  link({ kind, number, key }: RemoteTarget, process: object, isTied: boolean): void {
    if (!this.isUp) return
    const own = nameOf(process).number
    const tie = keyOf(key, own)
    if (isTied) {
      this.#unlinking.delete(tie)
      return this.#write([Signal.link, own, kind, number])
    }
    this.#unlinking.set(tie, ++this.#lastUnlink)
    this.#write([Signal.unlink, own, kind, number, this.#lastUnlink])
  }

  writeDetach(source: number): void {
    this.#write([Signal.detach, source])
  }

  writePause(source: number, isPaused: boolean): void {
    this.#write([Signal.pause, source, isPaused])
    // A thread may take a thousand parcels in one turn, and each that comes meanwhile is one too many.
    this.#session?.hurry()
  }

  writeOverflow(source: number, { messages, bytes }: Mark): void {
    this.#write([Signal.overflow, source, messages, bytes])
  }

  #numberOf(source: Source): number {
    return this.#sink.numberOf(source, number => {
      const { whole, part, isPausable } = source
      // A source that is no part of anything is its own whole.
      this.#writeValue([Signal.source, number, isPausable], [whole === source ? undefined : whole, part])
    })
  }

  /** Writes a reason, or in place of one that cannot be sent an error that says so: an end must be heard. */
  #writeReason(head: readonly unknown[], reason: ExitReason, wrap: (reason: unknown) => unknown): void {
    try {
      this.#writeValue(head, wrap(reason), 'reason')
    } catch (error) {
      this.#writeValue(head, wrap(error), 'reason')
    }
  }

  #write(signal: readonly unknown[]): void {
    this.#session?.write(pack(signal))
  }

  #writeValue(
    head: readonly unknown[],
    value: unknown,
    root?: string,
    transfer?: ReadonlySet<ArrayBufferLike>,
    isLean = false,
  ): void {
    const session = this.#session
    if (session === undefined) return
    const way: Way = {
      wireOf: handle => wireOf(handle, this.#atlas.identity, this.identity, isLean),
      transfer: session.movesBuffers ? transfer : undefined,
    }
    const { tree, specials, moved } = prepare(value, way, root)
    const bytes = pack(specials === undefined ? [...head, tree] : [...head, tree, specials])
    // Now, though they go out later: the sender must see that it has given them away.
    session.write(bytes, moved.length === 0 ? moved : structuredClone(moved, { transfer: [...moved] }))
  }

  // What comes from there:

  /** Acts on each of the signals in `bytes`. Throws an Error for what this version does not understand. */
  take(bytes: Uint8Array, moved: readonly ArrayBuffer[]): void {
    this.#sources.beforeReading()
    unpackEach(bytes, signal => {
      // What one signal brings about may have ended the session.
      if (this.isUp) this.#take(signal, moved)
    })
  }

  #take([type, ...parts]: unknown[], moved: readonly ArrayBuffer[]): void {
    const value = (index: number) => this.#revive(parts[index], parts[index + 1], moved)
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
          value(4),
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
        return this.#takeWatch(first as string, second as Key)
      case Signal.unwatch:
        return this.#takeUnwatch(first as string, second as Key)
      case Signal.ended:
        return this.#takeEnd(first as string, second as Key, value(2))
      case Signal.link:
        return this.#takeLink(first as number, second as string, third as Key)
      case Signal.unlink:
        return this.#takeUnlink(first as number, second as string, third as Key, parts[3] as number)
      case Signal.unlinked:
        return this.#takeUnlinked(first as number, second as string, third as Key, parts[3] as number)
      case Signal.exit:
        return this.#takeExit(
          first as string,
          second as Key,
          value(2) as [MonitorTarget | undefined, ExitReason],
        )
      default:
        throw new Error(`a signal of type ${String(type)} has come, which this version does not know`)
    }
  }

  #revive(tree: unknown, specials: unknown, moved: readonly ArrayBuffer[]): unknown {
    if (specials === undefined) return tree
    const toHandle = (wire: unknown) => handleOf(wire, this.identity, this.#atlas)
    return revive(tree, specials as readonly Special[], { handleOf: toHandle, moved })
  }

  #takeMessage(kind: string, number: Key, message: unknown): void {
    const target = findLocal(kind, number) as { send?(message: unknown): void } | undefined
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

  #takeDelivery(kind: string, number: Key, source: number, bytes: number, message: unknown): void {
    const target = findLocal(kind, number) as Partial<Process> | undefined
    const standIn = this.#sources.delivering(source)
    if (standIn !== undefined && target?.[deliver] !== undefined) target[deliver](standIn, message, bytes)
    else this.#takeMessage(kind, number, message)
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

  #takeWatch(kind: string, number: Key): void {
    const key = keyOf(kind, number)
    if (this.#watching.has(key)) return
    const target = findLocal(kind, number)
    const tell = (reason: ExitReason) => {
      this.#watching.delete(key)
      this.#writeReason([Signal.ended, kind, number], reason, sendable => sendable)
    }
    const stop = target !== undefined && isEnding(target) ? watch(target, tell) : undefined
    if (stop === undefined) tell('noproc')
    else this.#watching.set(key, stop)
  }

  #takeUnwatch(kind: string, number: Key): void {
    const key = keyOf(kind, number)
    this.#watching.get(key)?.()
    this.#watching.delete(key)
  }

  #takeEnd(kind: string, number: Key, reason: ExitReason): void {
    const key = keyOf(kind, number)
    const target = this.#watched.get(key)
    this.#watched.delete(key)
    target?.end(reason)
  }

  #takeLink(from: number, kind: string, number: Key): void {
    const tie = keyOf(keyOf('Process', from), number)
    if (this.#unlinking.has(tie)) return
    const target = findLocal(kind, number)
    const other = this.#process(from)
    if (target === undefined || !isEnding(target)) return
    if (linkHalf in target) return (target as Process)[linkHalf](other, true)
    if (this.#links.has(tie)) return
    const stop = watch(other, reason => {
      this.#links.delete(tie)
      sendExit(target, other, reason, 'link')
    })
    if (stop !== undefined) this.#links.set(tie, stop)
  }

  #takeUnlink(from: number, kind: string, number: Key, id: number): void {
    const target = findLocal(kind, number)
    if (target !== undefined && linkHalf in target) (target as Process)[linkHalf](this.#process(from), false)
    const tie = keyOf(keyOf('Process', from), number)
    this.#links.get(tie)?.()
    this.#links.delete(tie)
    this.#write([Signal.unlinked, from, kind, number, id])
  }

  #takeUnlinked(own: number, kind: string, number: Key, id: number): void {
    const tie = keyOf(keyOf(kind, number), own)
    if (this.#unlinking.get(tie) === id) this.#unlinking.delete(tie)
  }

  #takeExit(kind: string, number: Key, [from, reason]: [MonitorTarget | undefined, ExitReason]): void {
    const target = findLocal(kind, number)
    if (target === undefined || !isEnding(target)) return
    try {
      sendExit(target, from, reason, 'exit')
    } catch (error) {
      reportThrown(target, error)
    }
  }

  #process(number: number): MonitorTarget {
    return this.handles.handle('Process', number, undefined) as MonitorTarget
  }
}

function isEnding(target: object): target is MonitorTarget {
  return onExit in target || isActorRef(target)
}

function ignore(): void {}
