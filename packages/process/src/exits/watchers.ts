/**
 * Those who want to know when something ends. A name is freed at once; then links are told, then monitors, as on the BEAM,
 * and all of those before whoever is told of an end that this one brings about. No chain of ends is too long for that.
 */

import type { ExitReason } from '../exit-reason.js'
import { reportRejection, reportThrown } from './exit-hook.js'

/** Who is told first: whoever frees a name, links, and then all others. */
export type WatchOrder = 'name' | 'link' | 'monitor'

/** One who wants to know of one end. */
export abstract class Watch {
  /** How to stop watching what keeps no list that one can be taken from. */
  unwatch: (() => void) | undefined = undefined
  /** Where it is listed until it is told. */
  list: Watchers | undefined = undefined
  order: WatchOrder = 'monitor'
  previous: Watch | undefined = undefined
  next: Watch | undefined = undefined

  /** It has ended. Called once at most. */
  abstract told(reason: ExitReason): void

  /** From now on it is not told. */
  stop(): void {
    this.list?.remove(this)
    try {
      this.unwatch?.()
    } catch (error) {
      // Code of whoever is watched: it must not keep other ends from being told.
      reportThrown(this, error)
    }
  }
}

class Listener extends Watch {
  readonly #listener: (reason: ExitReason) => void

  constructor(listener: (reason: ExitReason) => void) {
    super()
    this.#listener = listener
  }

  told(reason: ExitReason): void {
    try {
      reportRejection(this.#listener, this.#listener(reason))
    } catch (error) {
      reportThrown(this.#listener, error)
    }
  }
}

let firstToTell: Watchers | undefined
let lastToTell: Watchers | undefined
let isTelling = false

/** Tells all who are to be told, also those whose turn comes by that. Does nothing where that is being done already. */
export function tellAll(): void {
  if (isTelling) return
  isTelling = true
  try {
    while (firstToTell !== undefined) firstToTell.tellEach()
  } finally {
    isTelling = false
    // Where the stack had no room left, whoever ends a process there hears of that, and the others are told later.
    if (firstToTell !== undefined) queueMicrotask(tellAll)
  }
}

/** The listeners of one thing that ends. */
export class Watchers {
  private first: Watch | undefined = undefined
  private last: Watch | undefined = undefined
  /** The last of the names and links, which come before all others. */
  private lastLink: Watch | undefined = undefined
  private nextToTell: Watchers | undefined = undefined
  private reason: ExitReason = undefined
  private isToBeTold = false

  /**
   * Adds a listener, and gives a function that takes it away. The same function may be added more than once. Listeners of
   * the same order are told in the order in which they were added.
   */
  add(listener: (reason: ExitReason) => void, order: WatchOrder = 'monitor'): () => void {
    const watch = this.insert(new Listener(listener), order)
    return () => watch.stop()
  }

  /** @internal */
  insert(watch: Watch, order: WatchOrder): Watch {
    const previous = order === 'monitor' ? this.last : order === 'link' ? this.lastLink : undefined
    const next = previous === undefined ? this.first : previous.next
    watch.list = this
    watch.order = order
    watch.previous = previous
    watch.next = next
    if (previous === undefined) this.first = watch
    else previous.next = watch
    if (next === undefined) this.last = watch
    else next.previous = watch
    if (order === 'link' || (order === 'name' && this.lastLink === undefined)) this.lastLink = watch
    return watch
  }

  /** @internal */
  remove(watch: Watch): void {
    const { previous, next } = watch
    if (previous === undefined) this.first = next
    else previous.next = next
    if (next === undefined) this.last = previous
    else next.previous = previous
    if (this.lastLink === watch) this.lastLink = previous
    watch.list = undefined
    watch.previous = undefined
    watch.next = undefined
  }

  /** Whether nobody wants to know. */
  get isEmpty(): boolean {
    return this.first === undefined
  }

  /**
   * Calls each listener once. Where another end is just being told, that is done first, and the listeners are called
   * later, but before the outermost call returns. A listener that throws, or rejects, keeps nothing from the others: its
   * error goes to the exit hook.
   */
  tell(reason: ExitReason): void {
    this.announce(reason)
    tellAll()
  }
  /** @internal As `tell`, up to where `tellAll` goes on. */
  announce(reason: ExitReason): void {
    while (this.first?.order === 'name') this.tellFirst(reason)
    if (this.first === undefined || this.isToBeTold) return
    this.isToBeTold = true
    this.reason = reason
    if (lastToTell === undefined) firstToTell = this
    else lastToTell.nextToTell = this
    lastToTell = this
  }

  /** @internal To be called when it is the first of those that are to be told. */
  tellEach(): void {
    while (this.first !== undefined) this.tellFirst(this.reason)
    this.isToBeTold = false
    this.reason = undefined
    firstToTell = this.nextToTell
    if (firstToTell === undefined) lastToTell = undefined
    this.nextToTell = undefined
  }

  private tellFirst(reason: ExitReason): void {
    const { first } = this
    if (first === undefined) return
    this.remove(first)
    first.told(reason)
  }
}

/** Tells one who asks for an end too late, behind those who are just being told of others. */
export function tellNoproc(watch: Watch): void {
  const ended = new Watchers()
  ended.insert(watch, 'monitor')
  ended.tell('noproc')
}
