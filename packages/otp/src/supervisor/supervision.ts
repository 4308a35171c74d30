/** A supervisor starts its children in order, starts them anew when they end, and ends them in reverse. */

import type { ExitReason, MonitorTarget } from '@holster/process'
import { tell } from '../reports.js'
import { nextDelay } from './backoff.js'
import type { CheckedChildSpec } from './checked-spec.js'
import { type Child, Children, noteEnd, noteRestart } from './children.js'
import { end } from './ending.js'
import { Intensity } from './intensity.js'
import { type Outcome, type Self, Stop, TRY_AGAIN } from './messages.js'
import type { CheckedOptions } from './options.js'
import { start } from './start.js'
import { aftermath, RULES } from './strategies.js'

/** A child that could not be started, and why. */
interface Failed {
  readonly child: Child
  readonly reason: ExitReason
}

/** The state of one supervisor, and all that changes it. Source: `supervisor.erl`. */
export class Supervision {
  readonly self: Self
  readonly options: CheckedOptions
  readonly children = new Children()
  /** Whether children come only by `startChild`, and are told apart by their pids. */
  readonly isDynamic: boolean
  /** The process that has started the supervisor and is linked to it. */
  readonly parent: MonitorTarget | undefined
  /** The child among `children` whose start has not settled. */
  starting: Child | undefined
  readonly #intensity: Intensity

  constructor(self: Self, parent: MonitorTarget | undefined, options: CheckedOptions) {
    this.self = self
    this.options = options
    this.isDynamic = RULES[options.strategy].isDynamic
    this.parent = parent
    this.#intensity = new Intensity(options.intensity, options.period)
  }

  /** Starts the children of the options in order. Rejects with a `Stop` if one of them cannot be started. */
  async startFirst(): Promise<void> {
    for (const spec of this.options.children) this.children.add(spec)
    const failed = await this.#startEach([...this.children])
    if (failed === undefined) return
    const { id } = failed.child.spec
    const reason = ['shutdown', ['failed_to_start_child', id, failed.reason]]
    throw new Stop(reason, { code: 'failed_to_start_child', id, reason })
  }

  /**
   * Starts a child, which is `child` if it stands among `children` already, and tells of its progress. Throws a `Stop`, or rejects with one,
   * if the supervisor is told to end meanwhile.
   */
  start(spec: CheckedChildSpec, child?: Child): Outcome | Promise<Outcome> {
    this.starting = child
    const outcome = start(this.self, this.parent, spec)
    return outcome instanceof Promise
      ? outcome.then(settled => this.#progress(spec, settled))
      : this.#progress(spec, outcome)
  }

  /** Notes that a child was started, or, without a pid, that it is not to run. */
  started(child: Child, pid: MonitorTarget | undefined): void {
    if (pid === undefined) return this.children.unsetPid(child)
    this.children.setPid(child, pid)
    if (child.startedAt > 0) noteRestart(child)
    child.startedAt = performance.now()
  }

  /** Notes that a child has ended, and is not started anew. The spec is kept where the restart type and the strategy say so. */
  forget(child: Child): void {
    this.#stopTimer(child)
    if (this.isDynamic || child.spec.restart === 'temporary') this.children.remove(child)
    else this.children.unsetPid(child)
  }

  /**
   * Does what the restart type, the strategy and `autoShutdown` say of a child that has ended by itself. Rejects with a `Stop` if that ends
   * the supervisor.
   */
  async ended(pid: MonitorTarget, reason: ExitReason): Promise<void> {
    const child = this.children.byPid(pid)
    if (child === undefined || child.pid !== pid) return
    const { isReported, next } = aftermath(child.spec.restart, reason)
    if (isReported) this.#report('child_terminated', child, pid, reason)
    noteEnd(child, reason)
    if (next !== 'restart') {
      this.forget(child)
      return this.#shutDownAfter(child)
    }
    const backoff = child.spec.backoff ?? this.options.backoff
    if (backoff === undefined) return this.restart(child)
    const delay = nextDelay(child, backoff, performance.now())
    await this.#endOthers(child)
    this.#restartIn(child, delay)
  }

  /** Starts a child anew, and the others that its strategy names. Rejects with a `Stop` if that is one restart too many. */
  async restart(child: Child): Promise<void> {
    if (this.#intensity.isExceededBy(performance.now())) {
      const reason = 'reached_max_restart_intensity'
      tell({ type: 'shutdown', supervisor: this.self, id: child.spec.id, reason })
      this.forget(child)
      throw new Stop('shutdown')
    }
    const failed = await this.#startEach(await this.#endOthers(child))
    if (failed !== undefined) this.#tryAgain(failed.child)
  }

  /** Ends a child, if it runs. */
  async end(child: Child): Promise<void> {
    await this.#endTogether([child])
  }

  /** Ends all children as the strategy says. */
  async endAll(): Promise<void> {
    this.starting = undefined
    if (this.isDynamic) await this.#endTogether([...this.children])
    else await this.#endInReverse([...this.children])
  }

  /** Ends the children that are to be started anew with `child`, and gives those, in the order of their start. */
  async #endOthers(child: Child): Promise<readonly Child[]> {
    const { others } = RULES[this.options.strategy]
    if (others === 'none') return [child]
    this.children.unsetPid(child)
    const ended = others === 'all' ? [...this.children] : this.children.from(child)
    await this.#endInReverse(ended)
    return ended.filter(other => this.children.has(other))
  }

  async #endInReverse(children: readonly Child[]): Promise<void> {
    for (const child of children.toReversed()) {
      if (child.pid !== undefined) await this.#endTogether([child])
      this.forget(child)
    }
  }

  async #endTogether(children: readonly Child[]): Promise<void> {
    const targets = children.flatMap(child =>
      child.pid === undefined ? [] : [{ child, pid: child.pid, spec: child.spec }],
    )
    await end(this.self, targets, ({ child, pid }, reason, isExpected) => {
      noteEnd(child, reason)
      if (!isExpected) this.#report('shutdown_error', child, pid, reason)
    })
  }

  /** Starts children one by one. Resolves to the first that cannot be started, behind which no other is. */
  async #startEach(children: readonly Child[]): Promise<Failed | undefined> {
    for (const child of children) {
      const outcome = this.start(child.spec, child)
      // A child that has started at once costs no turn.
      const settled = outcome instanceof Promise ? await outcome : outcome
      if (!settled.isStarted) {
        this.#report('start_error', child, undefined, settled.reason)
        noteEnd(child, settled.reason)
        return { child, reason: settled.reason }
      }
      if (settled.pid === undefined) this.forget(child)
      else this.started(child, settled.pid)
    }
    return undefined
  }

  #tryAgain(child: Child): void {
    const backoff = child.spec.backoff ?? this.options.backoff
    if (backoff !== undefined) return this.#restartIn(child, nextDelay(child, backoff, performance.now()))
    this.children.setRestarting(child)
    // Through the mailbox, so that what waits there comes first, such as the order to end.
    this.self.send({ type: TRY_AGAIN, child })
  }

  #restartIn(child: Child, delay: number): void {
    this.children.setRestarting(child)
    child.timer = this.self.startTimer(delay, child)
  }

  #stopTimer(child: Child): void {
    if (child.timer !== undefined) this.self.cancelTimer(child.timer)
    child.timer = undefined
  }

  #shutDownAfter({ spec }: Child): void {
    const { autoShutdown } = this.options
    if (!spec.significant || autoShutdown === 'never') return
    const isLeft = ({ spec, pid, isRestarting }: Child) =>
      spec.significant && (pid !== undefined || isRestarting)
    if (autoShutdown === 'all_significant' && [...this.children].some(isLeft)) return
    tell({ type: 'shutdown', supervisor: this.self, id: spec.id, reason: 'significant_child' })
    throw new Stop('shutdown')
  }

  #progress({ id }: CheckedChildSpec, outcome: Outcome): Outcome {
    this.starting = undefined
    if (outcome.isStarted && outcome.pid !== undefined) {
      tell({ type: 'progress', supervisor: this.self, id, pid: outcome.pid })
    }
    return outcome
  }

  #report(
    type: 'child_terminated' | 'start_error' | 'shutdown_error',
    child: Child,
    pid: MonitorTarget | undefined,
    reason: ExitReason,
  ): void {
    tell({ type, supervisor: this.self, id: child.spec.id, pid, reason })
  }
}
