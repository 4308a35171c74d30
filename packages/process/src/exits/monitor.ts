/** Monitors: one-way, each call its own; what ends sends one DOWN for each. */

import type { ExitReason } from '../exit-reason.js'
import type { Inbox } from '../mailbox/mailbox.js'
import { Ref } from '../ref.js'
import { checkTarget, type MonitorTarget, watchBy } from './exit.js'
import { tellNoproc, Watch } from './watchers.js'

/** What a monitored target sends when it ends. Source: `erlang:monitor/2`. */
export interface Down {
  /** The tag, by which patterns and a `switch` tell messages apart. */
  readonly type: 'DOWN'
  /** What `monitor` gave. */
  readonly ref: MonitorRef
  /** What was monitored. */
  readonly pid: MonitorTarget
  /** Why it ended; `'noproc'` if it had before it was monitored. */
  readonly reason: ExitReason
}

let monitorOf: (ref: MonitorRef) => Monitor | undefined

let setMonitor: (ref: MonitorRef, monitor: Monitor | undefined) => void

/** Names one call of `monitor`; the `DOWN` message carries it. */
export class MonitorRef extends Ref {
  #monitor: Monitor | undefined

  static {
    monitorOf = ref => ref.#monitor
    setMonitor = (ref, monitor) => {
      ref.#monitor = monitor
    }
  }

  /** `#MonitorRef<12>`; unique within this program. */
  override get id(): string {
    return `#MonitorRef<${this.ref}>`
  }
}

/** One monitor, for as long as it is set: in the list of its owner, and in that of its target. */
class Monitor extends Watch {
  readonly ref = new MonitorRef()
  readonly owner: Monitors
  readonly target: MonitorTarget
  before: Monitor | undefined = undefined
  after: Monitor | undefined = undefined
  isSet = true

  constructor(owner: Monitors, target: MonitorTarget) {
    super()
    this.owner = owner
    this.target = target
    setMonitor(this.ref, this)
  }

  told(reason: ExitReason): void {
    this.owner.down(this, reason)
  }
}

/** The monitors that one process has set. */
export class Monitors {
  private readonly inbox: Inbox
  private last: Monitor | undefined = undefined

  /** DOWN messages go to `inbox`. */
  constructor(inbox: Inbox) {
    this.inbox = inbox
  }

  add(target: MonitorTarget): MonitorRef {
    checkTarget(target)
    const monitor = new Monitor(this, target)
    this.list(monitor)
    if (!watchBy(monitor, target, 'monitor')) tellNoproc(monitor)
    return monitor.ref
  }

  /** Whether the monitor was still set. */
  remove(ref: MonitorRef): boolean {
    const monitor = monitorOf(ref)
    if (monitor?.owner !== this) return false
    monitor.stop()
    this.unlist(monitor)
    return true
  }

  /** What is monitored by `monitor` has ended. */
  down(monitor: Monitor, reason: ExitReason): void {
    // A guard may still take the monitor back.
    if (this.inbox.isMatching) return this.inbox.putOff(() => this.down(monitor, reason))
    if (!monitor.isSet) return
    this.unlist(monitor)
    this.inbox.accept({ type: 'DOWN', ref: monitor.ref, pid: monitor.target, reason })
  }

  clear(): void {
    for (let monitor = this.last; monitor !== undefined; monitor = this.last) {
      monitor.stop()
      this.unlist(monitor)
    }
  }

  private list(monitor: Monitor): void {
    monitor.before = this.last
    if (this.last !== undefined) this.last.after = monitor
    this.last = monitor
  }

  private unlist(monitor: Monitor): void {
    const { before, after } = monitor
    if (before !== undefined) before.after = after
    if (after === undefined) this.last = before
    else after.before = before
    monitor.before = undefined
    monitor.after = undefined
    monitor.isSet = false
    setMonitor(monitor.ref, undefined)
  }
}
