/** A child is started by the function of its spec; while a promise of it is pending the supervisor waits, but for the order to end. */

import { inspect } from 'node:util'
import { exit, type MonitorTarget, makeRef, type Process } from '@holster/process'
import { exitSignal, isActorRef } from '@holster/process/internal'
import type { Started } from '../child-spec.js'
import type { CheckedChildSpec } from './checked-spec.js'
import { end } from './ending.js'
import { reasonOf } from './errors.js'
import { type Outcome, SETTLED, type Self, Stop } from './messages.js'
import { startingBy } from './starting.js'

/**
 * Starts a child, and links the supervisor to it. The outcome comes at once unless `start` gives a promise. Throws a `Stop`, or rejects
 * with one, if the supervisor is told to end meanwhile.
 */
export function start(
  self: Self,
  parent: MonitorTarget | undefined,
  spec: CheckedChildSpec,
): Outcome | Promise<Outcome> {
  let given: Started | Promise<Started>
  try {
    given = spec.start(self as unknown as Process<never>)
  } catch (error) {
    return failed(error)
  }
  return isPromise(given) ? pending(self, parent, spec, given) : settled(self, given)
}

function isPromise(given: unknown): given is PromiseLike<Started> {
  return typeof given === 'object' && given !== null && 'then' in given && typeof given.then === 'function'
}

function failed(error: unknown): Outcome {
  return { isStarted: false, reason: reasonOf(error) }
}

function settled(self: Self, given: Started): Outcome {
  if (given === 'ignore') return { isStarted: true, pid: undefined }
  try {
    checkStarted(given)
  } catch (error) {
    return failed(error)
  }
  // A start may have ended the supervisor, which then can no longer link itself to the child.
  if (self.isAlive) self.link(given)
  else discard(given)
  return { isStarted: true, pid: given }
}

/** Throws a TypeError unless `given` can be ended from outside. */
function checkStarted(given: MonitorTarget): void {
  if (isActorRef(given)) {
    if (given._parent === undefined) return
    throw new TypeError(
      `start gave the actor '${given.id}', which only its parent can end: give a root actor`,
    )
  }
  if (typeof given === 'object' && given !== null && exitSignal in given) return
  throw new TypeError(
    `start must give a process, a connection, an xstate actor or 'ignore', not ${inspect(given, { depth: 0 })}`,
  )
}

/** Ends what a start gives when nobody waits for it any more. */
function discard(given: Started): void {
  if (given === 'ignore') return
  try {
    checkStarted(given)
  } catch {
    return
  }
  exit(given, 'kill')
}

async function pending(
  self: Self,
  parent: MonitorTarget | undefined,
  spec: CheckedChildSpec,
  given: PromiseLike<Started>,
): Promise<Outcome> {
  const ref = makeRef()
  let isAwaited = true
  const settle = (outcome: Outcome) => self.send({ type: SETTLED, ref, outcome })
  Promise.resolve(given).then(
    child => {
      if (isAwaited && self.isAlive) settle(settled(self, child))
      else discard(child)
    },
    error => settle(failed(error)),
  )
  try {
    const message = await self.receive([
      { type: SETTLED, ref },
      { type: 'EXIT', from: parent },
      { type: 'call', request: { type: 'stop' } },
    ])
    if (message.type === SETTLED) return message.outcome
    isAwaited = false
    const nested = startingBy(self).map(pid => ({ pid, spec }))
    await end(self, nested, () => {})
    throw new Stop(message.type === 'EXIT' ? message.reason : message.request.reason)
  } finally {
    isAwaited = false
  }
}
