/** The handles of this program that other nodes know, by kind and number. */

import { whereis } from '@holster/process'
import { isActorRef, kept, kindOf, onExit, watch } from '@holster/process/internal'
import { type Key, NAME } from '../signal.js'

/** The kind of xstate actors, which are no handles of Holster's. */
const ACTOR = 'Actor'

/** A handle that other nodes know. */
interface Entry {
  readonly reference: WeakRef<object>
  /** Holds a process that has not exited: another node may send to it, as to a process of Erlang's, which is never collected. */
  living: object | undefined
}

/** The kind and the number of a handle. */
export interface LocalName {
  readonly kind: string
  readonly number: number
  readonly details: unknown
}

const entries = new Map<string, Map<number, Entry>>()

/** Strikes out what was collected. */
const collected = new FinalizationRegistry<{ kind: string; number: number }>(({ kind, number }) => {
  const entry = entries.get(kind)?.get(number)
  if (entry?.reference.deref() === undefined) entries.get(kind)?.delete(number)
})

const actors = new WeakMap<object, number>()
let lastActor = 0

/** Gives the name of a handle of this program, by which other nodes know it from now on. */
export function nameOf(handle: object): LocalName {
  const kind = kindOf(handle)
  if (kind === undefined) {
    const number = numberOfActor(handle)
    enter(ACTOR, number, handle)
    return { kind: ACTOR, number, details: undefined }
  }
  const number = kind.numberOf(handle as never)
  enter(kind.name, number, handle)
  return { kind: kind.name, number, details: kind.detailsOf?.(handle as never) }
}

/** Gives the handle of that name; `undefined` if it was collected, or never left this program. */
export function findLocal(kind: string, number: Key): object | undefined {
  if (typeof number === 'string') return kind === NAME ? whereis(number) : undefined
  return entries.get(kind)?.get(number)?.reference.deref()
}

/** Has the stand-in of a handle that was collected found in its place, so that all that come are one. */
export function enterLost(kind: string, number: number, standIn: object): void {
  note(kind, number, standIn)
}

function numberOfActor(actor: object): number {
  const known = actors.get(actor)
  if (known !== undefined) return known
  actors.set(actor, ++lastActor)
  return lastActor
}

/** Notes a handle; `undefined` if it is known already. */
function note(kind: string, number: number, handle: object): Entry | undefined {
  let ofKind = entries.get(kind)
  if (ofKind === undefined) {
    ofKind = new Map()
    entries.set(kind, ofKind)
  }
  if (ofKind.get(number)?.reference.deref() !== undefined) return undefined
  const entry: Entry = { reference: new WeakRef(handle), living: undefined }
  ofKind.set(number, entry)
  collected.register(handle, { kind, number })
  return entry
}

function enter(kind: string, number: number, handle: object): void {
  const entry = note(kind, number, handle)
  if (entry === undefined) return
  ;(handle as { [kept]?(): void })[kept]?.()
  if (!(onExit in handle || isActorRef(handle))) return
  entry.living = handle
  const stop = watch(handle as never, () => {
    entry.living = undefined
  })
  if (stop === undefined) entry.living = undefined
}
