/**
 * The watchers of an end are told in the order of the BEAM: a name is freed at once, then links are told, then monitors. All
 * of them are told before the watchers of any end that this one brings about, however long the chain of ends is.
 */

import type { ExitReason } from '../exit-reason.js'
import { nodesMicrotask } from '../host/nodes-clock.js'
import { reportRejection, reportThrown } from './exit-hook.js'

/** The order in which watchers are told: the one that frees a name, then links, then all others. */
export type WatchOrder = 'name' | 'link' | 'monitor'

/** Watches one end. */
export abstract class Watch {
  /** Stops watching a target that has no `Watchers` of its own. */
  unwatch: (() => void) | undefined = undefined
  /** The list in which this watch stands until it is told. */
  list: Watchers | undefined = undefined
  order: WatchOrder = 'monitor'
  previous: Watch | undefined = undefined
  next: Watch | undefined = undefined

  /** The process that is told; `undefined` for a watch that belongs to none, such as the one that frees a name. */
  get watcher(): unknown {
    return undefined
  }

  /** Takes the reason of the end. Called once at most. */
  abstract told(reason: ExitReason): void

  /** Stops watching. */
  stop(): void {
    this.list?.remove(this)
    try {
      this.unwatch?.()
    } catch (error) {
      // An error in the code of the target must not keep other ends from being told.
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

/** Tells all announced ends, and those that this brings about. Does nothing if a call further out is doing so already. */
export function tellAll(): void {
  if (isTelling) return
  isTelling = true
  try {
    while (firstToTell !== undefined) firstToTell.tellEach()
  } finally {
    isTelling = false
    // A stack overflow reaches the caller that has ended a process; the other watchers are told later.
    if (firstToTell !== undefined) nodesMicrotask(tellAll)
  }
}

/** The watchers of one target. */
export class Watchers {
  private first: Watch | undefined = undefined
  private last: Watch | undefined = undefined
  /** The last of the names and links, which stand before all others. */
  private lastLink: Watch | undefined = undefined
  private nextToTell: Watchers | undefined = undefined
  private reason: ExitReason = undefined
  private isToBeTold = false

  /**
   * Adds a listener, and gives a function that removes it. The same function may be added more than once. Listeners of the
   * same order are told in the order in which they were added.
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

  /** Gives the processes that monitor this end, oldest first; one of them as often as it does. */
  get monitoredBy(): unknown[] {
    const by: unknown[] = []
    for (let watch = this.first; watch !== undefined; watch = watch.next) {
      if (watch.watcher !== undefined) by.push(watch.watcher)
    }
    return by
  }

  /** Whether there is no watcher. */
  get isEmpty(): boolean {
    return this.first === undefined
  }

  /**
   * Calls each listener once with the reason. If another end is being told, the listeners are called after it, but before
   * the outermost call of `tell` returns. The error of a listener that throws, or rejects, goes to the exit hook, and the
   * other listeners are called all the same.
   */
  tell(reason: ExitReason): void {
    this.announce(reason)
    tellAll()
  }

  /** @internal Frees the name, and leaves the other watchers to `tellAll`. */
  announce(reason: ExitReason): void {
    while (this.first?.order === 'name') this.tellFirst(reason)
    if (this.first === undefined || this.isToBeTold) return
    this.isToBeTold = true
    this.reason = reason
    if (lastToTell === undefined) firstToTell = this
    else lastToTell.nextToTell = this
    lastToTell = this
  }

  /** @internal Tells each watcher. To be called while this list is the first one to tell. */
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

/**
 * Tells `watch`, whose target had ended before, after the ends that are being told: by default that there is no process, as the reason
 * of an end is not kept for those who come later.
 */
export function tellEnded(watch: Watch, reason: ExitReason = 'noproc'): void {
  const ended = new Watchers()
  ended.insert(watch, 'monitor')
  ended.tell(reason)
}
