/** A monitor watches one way, and each call of `monitor` makes one: the end of its target sends one `DOWN`. */

import type { ExitReason } from '../exit-reason.js'
import type { Mailbox } from '../mailbox/mailbox.js'
import { Ref } from '../ref.js'
import { checkTarget, type MonitorTarget, watchBy } from './exit.js'
import { tellNoproc, Watch } from './watchers.js'

/** The message that tells of the end of a monitored target. Source: `erlang:monitor/2`. */
export interface Down {
  /** The tag by which patterns and a `switch` tell messages apart. */
  readonly type: 'DOWN'
  /** The reference that `monitor` gave. */
  readonly ref: MonitorRef
  /** The target that was monitored. */
  readonly pid: MonitorTarget
  /** The reason of its end; `'noproc'` if the target had ended before it was monitored. */
  readonly reason: ExitReason
}

let monitorOf: (ref: MonitorRef) => Monitor | undefined

let setMonitor: (ref: MonitorRef, monitor: Monitor | undefined) => void

/** Names one call of `monitor`. The `DOWN` message carries it. */
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

/** One monitor: while it is set, in a list of its owner and in one of its target. */
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
  private readonly mailbox: Mailbox
  private last: Monitor | undefined = undefined

  /** `DOWN` messages go to `mailbox`. */
  constructor(mailbox: Mailbox) {
    this.mailbox = mailbox
  }

  /** Monitors `target`. Throws a TypeError unless it is something that ends. */
  add(target: MonitorTarget): MonitorRef {
    checkTarget(target)
    const monitor = new Monitor(this, target)
    this.list(monitor)
    if (!watchBy(monitor, target, 'monitor')) tellNoproc(monitor)
    return monitor.ref
  }

  /** Takes a monitor back, and says whether it was still set. */
  remove(ref: MonitorRef): boolean {
    const monitor = monitorOf(ref)
    if (monitor?.owner !== this) return false
    monitor.stop()
    this.unlist(monitor)
    return true
  }

  /** Sends the `DOWN` of `monitor`, whose target has ended. */
  down(monitor: Monitor, reason: ExitReason): void {
    // A guard that is running may still take the monitor back.
    if (this.mailbox.isMatching) return this.mailbox.putOff(() => this.down(monitor, reason))
    if (!monitor.isSet) return
    this.unlist(monitor)
    this.mailbox.accept({ type: 'DOWN', ref: monitor.ref, pid: monitor.target, reason })
  }

  /** Takes all monitors back. */
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
