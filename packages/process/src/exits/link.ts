/** A link ties two lives together: when one side ends, the other gets an exit signal with the reason. */

import type { ExitReason } from '../exit-reason.js'
import type { Mailbox } from '../mailbox/mailbox.js'
import { type MonitorTarget, sendExit, watchBy } from './exit.js'
import { reportThrown } from './exit-hook.js'
import type { ExitRoute } from './exit-route.js'
import { tellEnded, Watch } from './watchers.js'

/**
 * An exit signal, as a message for a process that traps exits. Source: `process_flag(trap_exit, true)`.
 *
 * @to A process that traps exits: from a side to which it is linked, or from whoever calls `exit`.
 * @order Once for each end of a linked side, and once for each call of `exit`: behind all that the sender has sent to the process before, and
 * before the `DOWN` of a monitor of the same side. The link is gone then.
 */
export interface Exit {
  /** The tag by which patterns and a `switch` tell messages apart. */
  readonly type: 'EXIT'
  /**
   * The linked side that ended, or the process that called `self.exit(pid, reason)`; `undefined` if the signal came from the
   * function `exit`.
   */
  readonly from: MonitorTarget | undefined
  /** The reason of that end, or the one that `exit` was given; `'noproc'` if `from` had ended before it was linked. */
  readonly reason: ExitReason
}

/** Gives the way of a reason that comes through a link. */
export function routeOf(reason: ExitReason): ExitRoute {
  return reason === 'noproc' || reason === 'noconnection' ? 'lost' : 'link'
}

/** A link between two sides. */
class Link {
  private readonly sides: readonly Side[]
  isTied = true

  constructor(owner: Links, target: MonitorTarget, back: Links | undefined) {
    this.sides = [new Side(this, target, owner.owner, owner), new Side(this, owner.owner, target, back)]
  }

  /** Has each side watch the other, and says whether neither has ended. */
  tie(): boolean {
    return this.sides.every(side => side.watch())
  }

  untie(): void {
    this.isTied = false
    for (const side of this.sides) side.leave()
  }
}

/** A direction of a link: sends `to` an exit signal when `from` ends. */
class Side extends Watch {
  private readonly link: Link
  private readonly from: MonitorTarget
  private readonly to: MonitorTarget
  /** The links of `to`, if it is a process. */
  private readonly links: Links | undefined

  constructor(link: Link, from: MonitorTarget, to: MonitorTarget, links: Links | undefined) {
    super()
    this.link = link
    this.from = from
    this.to = to
    this.links = links
  }

  watch(): boolean {
    this.links?.of.set(this.from, this.link)
    if (watchBy(this, this.from, 'link')) return true
    tellEnded(this)
    return false
  }

  leave(): void {
    this.stop()
    this.links?.of.delete(this.from)
  }

  told(reason: ExitReason): void {
    // A guard that is running may still undo the link.
    if (this.links?.mailbox.isMatching) return this.links.mailbox.putOff(() => this.told(reason))
    if (!this.link.isTied) return
    this.link.untie()
    try {
      sendExit(this.to, this.from, reason, routeOf(reason))
    } catch (error) {
      // The error of one watcher must not keep the end from the others.
      reportThrown(this.to, error)
    }
  }
}

/** The links of one process. */
export class Links {
  readonly owner: MonitorTarget
  readonly mailbox: Mailbox
  readonly of = new Map<MonitorTarget, Link>()

  constructor(owner: MonitorTarget, mailbox: Mailbox) {
    this.owner = owner
    this.mailbox = mailbox
  }

  /** Links to `target`, unless there is a link already. `back` are the links of the target if it is a process. */
  add(target: MonitorTarget, back: Links | undefined): void {
    if (this.of.has(target)) return
    new Link(this, target, back).tie()
    this.mailbox.tracer?.tell({ event: 'link', target })
    back?.mailbox.tracer?.tell({ event: 'link', target: this.owner })
  }

  /** Undoes the link to `target`, and says whether there was one. `back` are the links of the target if it is a process. */
  remove(target: MonitorTarget, back: Links | undefined): boolean {
    const link = this.of.get(target)
    if (link === undefined) return false
    link.untie()
    this.mailbox.tracer?.tell({ event: 'unlink', target })
    back?.mailbox.tracer?.tell({ event: 'unlink', target: this.owner })
    return true
  }
}
