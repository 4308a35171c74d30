/** A child is ended by 'shutdown' and, if it lives on for too long, by 'kill'; its end is waited for by a monitor. */

import { type ExitReason, isAlive, isOrderly, type MonitorRef, type MonitorTarget } from '@holster/process'
import type { Restart, Shutdown } from '../child-spec.js'
import type { Self } from './messages.js'

/** A child that is to be ended, with the part of its spec that says how. */
export interface Target {
  readonly pid: MonitorTarget
  readonly spec: { readonly restart: Restart; readonly shutdown: Shutdown }
}

interface Ending<T extends Target> {
  readonly target: T
  readonly ref: MonitorRef
}

/**
 * Ends all targets at the same time, unlinks them, and takes their `EXIT` messages. Calls `ended` for each with its reason, and
 * whether the order to end explains that reason. Resolves once all of them have ended.
 *
 * A monitor is waited for, since a child that has unlinked itself sends no `EXIT`; but where there is an `EXIT`, its reason is that of the
 * child, and the `DOWN` of one that had ended before it was told to says `'noproc'`. Source: `shutdown/1` of `supervisor`.
 */
export async function end<T extends Target>(
  self: Self,
  targets: readonly T[],
  ended: (target: T, reason: ExitReason, isExpected: boolean) => void,
): Promise<void> {
  const groups = new Map<Shutdown, Ending<T>[]>()
  for (const target of targets) {
    const { pid, spec } = target
    const ending = { target, ref: self.monitor(pid) }
    const group = groups.get(spec.shutdown)
    if (group === undefined) groups.set(spec.shutdown, [ending])
    else group.push(ending)
    self.exit(pid, spec.shutdown === 'brutal_kill' ? 'kill' : 'shutdown')
  }
  const timed = [...groups].map(([shutdown, endings]) => ({
    endings,
    timer: startTimer(self, shutdown, endings),
  }))
  // While the groups with less time are waited for, the timers of the others run.
  const timeOf = ({ endings: [first] }: (typeof timed)[number]) => Number(first?.target.spec.shutdown) || 0
  for (const { endings, timer } of timed.sort((a, b) => timeOf(a) - timeOf(b))) {
    await endGroup(self, endings, timer, ended)
  }
}

/** Starts the timer after which the targets are killed; `undefined` if they have all the time, or have ended. */
function startTimer(self: Self, shutdown: Shutdown, endings: readonly Ending<Target>[]) {
  if (shutdown === 'brutal_kill' || shutdown === Number.POSITIVE_INFINITY) return undefined
  if (!endings.some(({ target }) => isAlive(target.pid))) return undefined
  return self.startTimer(shutdown, undefined)
}

async function endGroup<T extends Target>(
  self: Self,
  endings: readonly Ending<T>[],
  timer: ReturnType<typeof startTimer>,
  ended: (target: T, reason: ExitReason, isExpected: boolean) => void,
): Promise<void> {
  let isRunning = timer !== undefined
  for (const { target, ref } of endings) {
    let reason: ExitReason
    if (isRunning && timer !== undefined) {
      const message = await self.receive([
        { type: 'DOWN', ref },
        { type: 'timeout', ref: timer },
      ])
      if (message.type === 'DOWN') reason = message.reason
      else {
        isRunning = false
        for (const { target } of endings) self.exit(target.pid, 'kill')
      }
    }
    if (reason === undefined) reason = (await self.receive([{ type: 'DOWN', ref }])).reason
    self.unlink(target.pid)
    const exit = await self.receive([{ type: 'EXIT', from: target.pid }], NOT_YET)
    if (exit !== undefined) reason = exit.reason
    ended(target, reason, isExpected(target.spec, reason))
  }
  if (timer === undefined || self.cancelTimer(timer) !== false || !isRunning) return
  self.flush({ type: 'timeout', ref: timer })
}

const NOT_YET = { timeout: 0, onTimeout: () => undefined }

/** Whether a child that was told to end has ended for a reason that needs no report. */
function isExpected({ restart, shutdown }: Target['spec'], reason: ExitReason): boolean {
  if (reason === (shutdown === 'brutal_kill' ? 'killed' : 'shutdown')) return true
  return restart !== 'permanent' && isOrderly(reason)
}
