/** A monitor watches one way, and each call of `monitor` makes one: the end of its target sends one `DOWN`. */

import type { ExitReason } from '../exit-reason.js'
import type { Mailbox } from '../mailbox/mailbox.js'
import type { Pid } from '../pid.js'
import { kept, makePortable } from '../portable.js'
import { Ref, refNumberOf } from '../ref.js'
import { type MonitorTarget, watchBy } from './exit.js'
import { tellEnded, Watch } from './watchers.js'

/**
 * The message that tells of the end of a monitored target. Source: `erlang:monitor/2`.
 *
 * @to The process that has called `monitor` or `spawnMonitor`.
 * @order Once for each monitor, and not after `demonitor`: behind all that the target has sent to the process, behind the `EXIT` of a
 * link to the same target, and before the `DOWN` of any end that this one brings about.
 */
export interface Down {
  /** The tag by which patterns and a `switch` tell messages apart. */
  readonly type: 'DOWN'
  /** The reference that `monitor` gave. */
  readonly ref: MonitorRef
  /** The target that was monitored: the process itself, or the name by which it was. */
  readonly pid: MonitorTarget | string
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

/**
 * How long the alias that a monitor has stays active.
 *
 * | mode | until |
 * | --- | --- |
 * | `'explicit_unalias'` | `unalias` |
 * | `'demonitor'` | `unalias`, `demonitor`, or the `DOWN` |
 * | `'reply_demonitor'` | the same, or the first message through the alias, which also takes the monitor back |
 *
 * Source: the option `alias` of `erlang:monitor/3`.
 */
export type MonitorAliasMode = 'explicit_unalias' | 'demonitor' | 'reply_demonitor'

/**
 * A monitor and an alias in one reference: the `DOWN` carries it, and while the alias is active messages that are sent to it go to
 * the process that made it. Later ones are dropped. Source: the option `alias` of `erlang:monitor/3`.
 */
export class MonitorAlias<M = never> extends MonitorRef implements Pid<M> {
  /** Where the messages go; `undefined` once the alias is not active any more. */
  #mailbox: Mailbox | undefined
  readonly #mode: MonitorAliasMode

  /** @internal */
  constructor(mailbox: Mailbox | undefined, mode: MonitorAliasMode) {
    super()
    this.#mailbox = mailbox
    this.#mode = mode
  }

  /** `#Alias<12>`; unique within this program. */
  override get id(): string {
    return `#Alias<${this.ref}>`
  }

  /** Sends a message to the process that made the alias; does nothing once the alias is not active. */
  send(message: M): void {
    const mailbox = this.#mailbox
    if (mailbox !== undefined && this.#mode === 'reply_demonitor') {
      this.#leave()
      monitorOf(this)?.owner.remove(this)
    }
    mailbox?.accept(message)
  }

  /** @internal Has the process keep the alias for as long as it is active, since another node may send to it. */
  [kept](): void {
    this.#mailbox?.keep(this)
  }

  /** @internal Takes back the alias of the process with `mailbox`, and says whether it was active. */
  deactivate(mailbox: Mailbox): boolean {
    if (this.#mailbox !== mailbox) return false
    this.#leave()
    return true
  }

  /** @internal Takes note that the monitor is not set any more. */
  unset(): void {
    if (this.#mode !== 'explicit_unalias') this.#leave()
  }

  #leave(): void {
    this.#mailbox?.letGo(this)
    this.#mailbox = undefined
  }
}

makePortable(MonitorAlias, { name: 'Alias', numberOf: refNumberOf })

/** A monitor: while it is set, in a list of its owner and in one of its target. */
class Monitor extends Watch {
  readonly ref: MonitorRef
  readonly owner: Monitors
  /** The target that was monitored, or its name. */
  readonly target: MonitorTarget | string
  before: Monitor | undefined = undefined
  after: Monitor | undefined = undefined
  isSet = true

  constructor(owner: Monitors, target: MonitorTarget | string, ref: MonitorRef) {
    super()
    this.owner = owner
    this.target = target
    this.ref = ref
    setMonitor(ref, this)
  }

  override get watcher(): MonitorTarget {
    return this.owner.owner
  }

  told(reason: ExitReason): void {
    this.owner.down(this, reason)
  }
}

/** The monitors that one process has set. */
export class Monitors {
  readonly owner: MonitorTarget
  private readonly mailbox: Mailbox
  private last: Monitor | undefined = undefined

  /** `DOWN` messages go to `mailbox`, which is the owner's. */
  constructor(owner: MonitorTarget, mailbox: Mailbox) {
    this.owner = owner
    this.mailbox = mailbox
  }

  /** The targets that are monitored now, or the names by which they are, newest first. */
  get targets(): (MonitorTarget | string)[] {
    const targets: (MonitorTarget | string)[] = []
    for (let monitor = this.last; monitor !== undefined; monitor = monitor.before)
      targets.push(monitor.target)
    return targets
  }

  /**
   * Monitors `target`, by its name if it has been looked up; `undefined` stands for a name that no process has. `reason` is why the target
   * has ended, if it has and the owner may know.
   */
  add(target: MonitorTarget | undefined, ref: MonitorRef, name?: string, reason?: ExitReason): void {
    const monitor = new Monitor(this, name ?? (target as MonitorTarget), ref)
    this.list(monitor)
    this.mailbox.tracer?.tell({ event: 'monitor', ref, target: monitor.target })
    if (target === undefined || !watchBy(monitor, target, 'monitor')) tellEnded(monitor, reason)
  }

  /** Takes a monitor back, and says whether it was still set. */
  remove(ref: MonitorRef): boolean {
    const monitor = monitorOf(ref)
    if (monitor?.owner !== this) return false
    monitor.stop()
    this.unlist(monitor)
    this.mailbox.tracer?.tell({ event: 'demonitor', ref, target: monitor.target })
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
    if (monitor.ref instanceof MonitorAlias) monitor.ref.unset()
  }
}
