/** The supervisors of this program that live, and their children, can be looked at without asking them. */

import { isAlive, type MonitorTarget, type Process } from '@holster/process'
import { type Listed, type Place, placed, Roll } from '@holster/process/internal'
import type { Child } from './children.js'
import type { Strategy } from './options.js'
import type { Supervision } from './supervision.js'

/** A child of a supervisor, as it is at that moment. */
export interface ChildInsight {
  /** The id of the child spec. */
  readonly id: string
  /** The child; `undefined` if it does not run. */
  readonly pid: MonitorTarget | undefined
  /** Whether the child is itself a supervisor. */
  readonly type: 'worker' | 'supervisor'
  /** Whether the start of the child has not settled yet. */
  readonly isStarting: boolean
  /** Whether the child has ended and is about to be started anew, or is being so. */
  readonly isRestarting: boolean
  /** How often the child was started anew, for whatever reason. */
  readonly restarts: number
  /** When the child was last started anew, in milliseconds since 1970. */
  readonly restartedAt: number | undefined
  /** Describes why the child last ended, or could not be started, in at most 1000 characters; `undefined` if neither has happened. */
  readonly lastReason: string | undefined
  /** The milliseconds that are left of a restart that is delayed. */
  readonly delayLeft?: number
}

/** A supervisor that lives. */
export interface SupervisorInsight {
  readonly pid: Process<never>
  /** The process that has started the supervisor and is linked to it, as a rule a supervisor; `undefined` for one without a parent. */
  readonly parent: MonitorTarget | undefined
  readonly strategy: Strategy
  /** Whether children come only by `startChild`, and are told apart by their pids. */
  readonly isDynamic: boolean
  /** How many children there are, whether or not they run. */
  readonly size: number
  /** The children, in the order of their starts; each is looked at when the loop comes to it. */
  readonly children: Iterable<ChildInsight>
}

/** A supervision in the list of those that live. */
class Shown implements Listed {
  readonly supervision: Supervision
  #place: Place

  constructor(supervision: Supervision) {
    this.supervision = supervision
    this.#place = living.add(this)
  }

  [placed](place: Place): void {
    this.#place = place
  }

  strikeOut(): void {
    living.remove(this.#place)
  }
}

const living = new Roll<Shown>()

/** Lists a supervision until the function that it gives is called. */
export function show(supervision: Supervision): () => void {
  const shown = new Shown(supervision)
  return () => shown.strikeOut()
}

/**
 * Gives the supervisors of this program that live, oldest first. Nothing is asked of them, so that one is shown also while it waits for the
 * start of a child. Being listed keeps none alive.
 */
export function supervisors(): readonly SupervisorInsight[] {
  return living
    .list()
    .filter(({ supervision }) => supervision.self.isAlive)
    .map(({ supervision }) => lookAt(supervision))
}

function lookAt(supervision: Supervision): SupervisorInsight {
  const { self, parent, options, isDynamic, children } = supervision
  return {
    pid: self as unknown as Process<never>,
    parent,
    strategy: options.strategy,
    isDynamic,
    size: children.size,
    children: {
      *[Symbol.iterator]() {
        for (const child of children) yield lookAtChild(supervision, child)
      },
    },
  }
}

function lookAtChild({ self, starting }: Supervision, child: Child): ChildInsight {
  const { spec, pid, restarts, restartedAt, lastReason, timer } = child
  const isStarting = starting === child
  const delayLeft = timer === undefined ? false : self.readTimer(timer)
  return {
    id: spec.id,
    // The end of a child may not have been taken yet.
    pid: pid !== undefined && isAlive(pid) ? pid : undefined,
    type: spec.type,
    isStarting,
    isRestarting: child.isRestarting || (isStarting && child.startedAt > 0),
    restarts,
    restartedAt,
    lastReason,
    ...(delayLeft === false ? {} : { delayLeft }),
  }
}
