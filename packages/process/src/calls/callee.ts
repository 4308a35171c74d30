/** The things that can be called: each takes messages, and ends, so that a call which gets no reply learns why. */

import { inspect } from 'node:util'
import { isActorRef } from '../exits/actor-ref.js'
import { isMonitorable, type MonitorTarget } from '../exits/exit.js'
import type { Pid } from '../pid.js'
import type { Call } from './call.js'

/** A thing that can be called. */
export type Callee = Pid<Call<unknown, unknown>> & MonitorTarget

/** Gives `pid` back. Throws a TypeError that names the argument unless `pid` can be called; the name of a process is none. */
export function checkCallee(pid: unknown, argument = 'pid'): Callee {
  const isEnding = isMonitorable(pid) || isActorRef(pid)
  if (isEnding && typeof (pid as Partial<Callee>).send === 'function') return pid as Callee
  throw new TypeError(
    `${argument} must be a process, the name of one, or an xstate actor, not ${inspect(pid, { depth: 0 })}`,
  )
}
