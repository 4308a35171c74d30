/**
 * Monitors and links tie lives here to lives on one other node.
 *
 * Each side watches what the other one has, at most once, however many processes want to know. A link has a half on each side: a half
 * watches the other process, and acts on its end. Whoever undoes a link forgets its half and has the other side forget the other; until that
 * has answered, a link that it has sent before does not count. Source: the link protocol of Erlang's distribution.
 */

import type { ExitReason, MonitorTarget, Process } from '@holster/process'
import {
  isActorRef,
  linkHalf,
  onExit,
  reportThrown,
  routeOf,
  sendExit,
  watch,
} from '@holster/process/internal'
import { findLocal, nameOf } from '../handles/local.js'
import type { RemoteTarget } from '../handles/remote.js'
import { type Key, keyOf, Signal } from '../signal.js'

/** The peer of the ties, which writes their signals. */
export interface TiesHost {
  write(signal: readonly unknown[]): void
  /** Writes a reason behind `head`, as `wrap` gives it. */
  writeReason(head: readonly unknown[], reason: ExitReason, wrap?: (reason: unknown) => unknown): void
  /** Gives a process of the other side. */
  process(number: number): MonitorTarget
}

/** The ties with one life of another node. */
export class Ties {
  readonly #host: TiesHost
  /** The targets there that are watched here. */
  readonly #watched = new Map<string, RemoteTarget>()
  /** Stops watching the targets here that are watched there. */
  readonly #watching = new Map<string, () => void>()
  /** Undoes the halves here whose target is no process, but a connection or an actor. */
  readonly #halves = new Map<string, () => void>()
  /** The links that were undone here, by the number of the signal that the other side is to answer. */
  readonly #unlinking = new Map<string, number>()
  #lastUnlink = 0

  constructor(host: TiesHost) {
    this.#host = host
  }

  /** The connection has ended: whoever watches or is linked here is told `noconnection`. */
  cut(): void {
    for (const stop of this.#watching.values()) stop()
    this.#watching.clear()
    this.#unlinking.clear()
    const watched = [...this.#watched.values()]
    this.#watched.clear()
    for (const target of watched) target.disconnect()
    this.#halves.clear()
  }

  // From here:

  watch(target: RemoteTarget): void {
    this.#watched.set(target.key, target)
    this.#host.write([Signal.watch, target.kind, target.number, target.watch])
  }

  unwatch(target: RemoteTarget): void {
    if (this.#watched.delete(target.key))
      this.#host.write([Signal.unwatch, target.kind, target.number, target.watch])
  }

  /** Tells that `from`, which is linked to the other side, has ended: the question of the other half may come too late. */
  ended(from: object, reason: ExitReason): void {
    const { kind, number } = nameOf(from)
    this.#host.writeReason([Signal.ended, kind, number, 0], reason)
  }

  link({ kind, number, key }: RemoteTarget, process: object, isTied: boolean): void {
    const own = nameOf(process).number
    const tie = keyOf(key, own)
    if (isTied) {
      this.#unlinking.delete(tie)
      return this.#host.write([Signal.link, own, kind, number])
    }
    this.#unlinking.set(tie, ++this.#lastUnlink)
    this.#host.write([Signal.unlink, own, kind, number, this.#lastUnlink])
  }

  exit({ kind, number }: RemoteTarget, from: unknown, reason: ExitReason): void {
    this.#host.writeReason([Signal.exit, kind, number], reason, sendable => [from, sendable])
  }

  // From there:

  takeWatch(kind: string, number: Key, seen: number): void {
    const key = keyOf(kind, number, seen)
    if (this.#watching.has(key)) return
    const target = findEnding(kind, number)
    const tell = (reason: ExitReason) => {
      this.#watching.delete(key)
      this.#host.writeReason([Signal.ended, kind, number, seen], reason)
    }
    const stop = target === undefined ? undefined : watch(target, tell)
    if (stop === undefined) tell('noproc')
    else this.#watching.set(key, stop)
  }

  takeUnwatch(kind: string, number: Key, seen: number): void {
    const key = keyOf(kind, number, seen)
    this.#watching.get(key)?.()
    this.#watching.delete(key)
  }

  takeEnd(kind: string, number: Key, seen: number, reason: ExitReason): void {
    const key = keyOf(kind, number, seen)
    const target = this.#watched.get(key)
    this.#watched.delete(key)
    target?.end(reason)
  }

  takeLink(from: number, kind: string, number: Key): void {
    const tie = keyOf(keyOf('Process', from), number)
    const target = findEnding(kind, number)
    if (target === undefined || this.#unlinking.has(tie) || this.#halves.has(tie)) return
    const other = this.#host.process(from)
    if (linkHalf in target) return (target as Process)[linkHalf](other, true)
    const stop = watch(other, reason => {
      this.#halves.delete(tie)
      sendExit(target, other, reason, routeOf(reason))
    })
    if (stop !== undefined) this.#halves.set(tie, stop)
  }

  takeUnlink(from: number, kind: string, number: Key, id: number): void {
    const target = findEnding(kind, number)
    if (target !== undefined && linkHalf in target) {
      ;(target as Process)[linkHalf](this.#host.process(from), false)
    }
    const tie = keyOf(keyOf('Process', from), number)
    this.#halves.get(tie)?.()
    this.#halves.delete(tie)
    this.#host.write([Signal.unlinked, from, kind, number, id])
  }

  takeUnlinked(own: number, kind: string, number: Key, id: number): void {
    const tie = keyOf(keyOf(kind, number), own)
    if (this.#unlinking.get(tie) === id) this.#unlinking.delete(tie)
  }

  takeExit(kind: string, number: Key, from: MonitorTarget | undefined, reason: ExitReason): void {
    const target = findEnding(kind, number)
    if (target === undefined) return
    try {
      sendExit(target, from, reason, 'exit')
    } catch (error) {
      reportThrown(target, error)
    }
  }
}

/** Gives what ends and is known by that name. */
function findEnding(kind: string, number: Key): MonitorTarget | undefined {
  const target = findLocal(kind, number)
  return target !== undefined && (onExit in target || isActorRef(target))
    ? (target as MonitorTarget)
    : undefined
}
