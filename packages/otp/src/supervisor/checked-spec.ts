/** A child spec that was checked names all that its author left to defaults, so that nothing else has to know them. */

import { inspect } from 'node:util'
import { checkChoice, checkNames, MAX_DURATION, type Synonyms } from '@holster/process/internal'
import type { AutoShutdown, Backoff, ChildSpec, Restart, Shutdown } from '../child-spec.js'

/** A child spec with its defaults, as `getChildspec` gives it. */
export interface CheckedChildSpec {
  /** The id of the spec. */
  readonly id: string
  /** The function that starts the child. */
  readonly start: ChildSpec['start']
  /** When the child is started anew. */
  readonly restart: Restart
  /** How the child is ended. */
  readonly shutdown: Shutdown
  /** Whether the child is itself a supervisor. */
  readonly type: 'worker' | 'supervisor'
  /** Whether the end of the child can end its supervisor. */
  readonly significant: boolean
  /** How long the supervisor waits before it starts the child anew; absent for the `backoff` of the supervisor. */
  readonly backoff?: Backoff
}

const OF_SPEC = ['id', 'start', 'restart', 'shutdown', 'type', 'significant', 'backoff']
const OF_BACKOFF = ['initial', 'max', 'factor', 'jitter']
const RESTARTS: readonly Restart[] = ['permanent', 'transient', 'temporary']
const TYPES = ['worker', 'supervisor'] as const
/** The milliseconds that a worker has to end, unless its spec says otherwise. */
const WORKER_SHUTDOWN = 5000
const SYNONYMS: Synonyms = {
  childid: ['id'],
  delay: ['initial'],
  func: ['start'],
  init: ['start'],
  kill: ['shutdown'],
  limit: ['max'],
  maximum: ['max'],
  mfa: ['start'],
  min: ['initial'],
  minimum: ['initial'],
  multiplier: ['factor'],
  name: ['id'],
  random: ['jitter'],
  restarttype: ['restart'],
  startlink: ['start'],
  timeout: ['shutdown'],
}

/** Throws a TypeError or RangeError unless `value` is a number from `least` to `most`. */
export function checkNumber(name: string, value: unknown, least: number, most: number): void {
  if (typeof value !== 'number' || Number.isNaN(value)) {
    throw new TypeError(`${name} must be a number, not ${inspect(value, { depth: 0 })}`)
  }
  if (value < least || value > most) {
    throw new RangeError(`${name} must be a number from ${least} to ${most}, not ${value}`)
  }
}

function checkShutdown(name: string, shutdown: unknown): void {
  if (shutdown === 'brutal_kill' || shutdown === Number.POSITIVE_INFINITY) return
  if (typeof shutdown !== 'number') {
    throw new TypeError(
      `${name} must be a number of milliseconds, Infinity or 'brutal_kill', not ${inspect(shutdown, { depth: 0 })}`,
    )
  }
  checkNumber(name, shutdown, 0, MAX_DURATION)
}

/** Throws a TypeError or RangeError that names the first wrong option of a back-off. `undefined` stands for none. */
export function checkBackoff(name: string, backoff: Backoff | undefined): void {
  if (backoff === undefined) return
  checkNames(backoff, OF_BACKOFF, 'a back-off', SYNONYMS, name)
  checkNumber(`${name}.initial`, backoff.initial, 1, MAX_DURATION)
  checkNumber(`${name}.max`, backoff.max, backoff.initial, MAX_DURATION)
  if (backoff.factor !== undefined) checkNumber(`${name}.factor`, backoff.factor, 1, MAX_DURATION)
  if (backoff.jitter !== undefined) checkNumber(`${name}.jitter`, backoff.jitter, 0, 1)
}

/**
 * Gives a child spec with its defaults. `name` stands for the spec in an error. Throws a TypeError or RangeError that names the first
 * wrong option; a significant child is one where `autoShutdown` is `'never'`, and not checked for where that is `undefined`.
 */
export function checkSpec(
  name: string,
  spec: ChildSpec,
  autoShutdown: AutoShutdown | undefined,
): CheckedChildSpec {
  if (typeof spec !== 'object' || spec === null) {
    throw new TypeError(`${name} must be a child spec, not ${inspect(spec, { depth: 0 })}`)
  }
  checkNames(spec, OF_SPEC, 'a child spec', SYNONYMS, name)
  const { id, start, restart = 'permanent', type = 'worker', significant = false, backoff } = spec
  if (typeof id !== 'string' || id === '') throw new TypeError(`${name}.id must be a non-empty string`)
  if (typeof start !== 'function') throw new TypeError(`${name}.start must be a function`)
  checkChoice(`${name}.restart`, restart, RESTARTS)
  checkChoice(`${name}.type`, type, TYPES)
  const shutdown = spec.shutdown ?? (type === 'worker' ? WORKER_SHUTDOWN : Number.POSITIVE_INFINITY)
  checkShutdown(`${name}.shutdown`, shutdown)
  if (typeof significant !== 'boolean') throw new TypeError(`${name}.significant must be a boolean`)
  if (significant && restart === 'permanent') {
    throw new TypeError(
      `${name}.significant must be false for a permanent child, whose supervisor always starts it anew`,
    )
  }
  if (significant && autoShutdown === 'never') {
    throw new TypeError(`${name}.significant must be false where autoShutdown is 'never'`)
  }
  checkBackoff(`${name}.backoff`, backoff)
  const checked = { id, start, restart, shutdown, type, significant }
  return backoff === undefined ? checked : { ...checked, backoff }
}

/** Does as `checkSpec` for a list, whose ids must differ. */
export function checkSpecs(
  name: string,
  specs: readonly ChildSpec[],
  autoShutdown: AutoShutdown | undefined,
): CheckedChildSpec[] {
  if (!Array.isArray(specs)) {
    throw new TypeError(`${name} must be an array of child specs, not ${inspect(specs, { depth: 0 })}`)
  }
  const ids = new Set<string>()
  return specs.map((spec: ChildSpec, index) => {
    const checked = checkSpec(`${name}[${index}]`, spec, autoShutdown)
    if (ids.has(checked.id))
      throw new TypeError(`${name}[${index}].id '${checked.id}' is that of another child`)
    ids.add(checked.id)
    return checked
  })
}
