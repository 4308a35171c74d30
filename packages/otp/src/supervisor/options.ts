/** Each option of a supervisor must be known, of the right type, and fit the others. */

import { checkChoice, checkNames, type Synonyms } from '@holster/process/internal'
import type { AutoShutdown, Backoff, ChildSpec, Restart, Shutdown } from '../child-spec.js'
import { type CheckedChildSpec, checkBackoff, checkNumber, checkSpecs } from './checked-spec.js'

/**
 * Which children are started anew with one that has ended: no others; all of them; those that were started later. A
 * `'simple_one_for_one'` has no children at first, and takes any by `startChild`; their ids need not differ. Source:
 * `supervisor:strategy()`; `'simple_one_for_one'` does as Elixir's `DynamicSupervisor`.
 */
export type Strategy = 'one_for_one' | 'one_for_all' | 'rest_for_one' | 'simple_one_for_one'

/** Options of a supervisor, which throw a TypeError or RangeError that names a wrong one. Source: `supervisor:sup_flags()`. */
export interface SupervisorOptions {
  /** Default `'one_for_one'`. */
  readonly strategy?: Strategy
  /**
   * How many restarts there may be within `period`. A further restart ends the supervisor with `'shutdown'`. Each restart of a
   * child counts, whether or not it succeeds, when it is made, and however many children are started anew with that one.
   * `Infinity` for no limit. Default 1.
   */
  readonly intensity?: number
  /** In milliseconds. Default 5000. */
  readonly period?: number
  /** Default `'never'`. */
  readonly autoShutdown?: AutoShutdown
  /** How many children a `'simple_one_for_one'` may have, those included that are about to be started anew. Default `Infinity`. */
  readonly maxChildren?: number
  /** How long the supervisor waits before it starts a child anew, unless its spec says otherwise. Default: not at all. */
  readonly backoff?: Backoff
  /** The children in the order of their start; a `'simple_one_for_one'` has none. Default: none. */
  readonly children?: readonly ChildSpec[]
}

/** Options of a supervisor that is the child of another. */
export interface NestedOptions extends SupervisorOptions {
  /** The id of the child spec. */
  readonly id: string
  /** The name under which the supervisor is registered. Default: none. */
  readonly name?: string
  /** When the supervisor is started anew. Default `'permanent'`. */
  readonly restart?: Restart
  /** How the supervisor is ended. Default `Infinity`: it takes the time that its children need. */
  readonly shutdown?: Shutdown
  /** Whether the end of the supervisor can end the one above. Default `false`. */
  readonly significant?: boolean
}

/** The options with their defaults. */
export interface CheckedOptions {
  readonly strategy: Strategy
  readonly intensity: number
  readonly period: number
  readonly autoShutdown: AutoShutdown
  readonly maxChildren: number
  readonly backoff: Backoff | undefined
  readonly children: readonly CheckedChildSpec[]
}

const OF_SUPERVISOR = [
  'strategy',
  'intensity',
  'period',
  'autoShutdown',
  'maxChildren',
  'backoff',
  'children',
]
const STRATEGIES: readonly Strategy[] = ['one_for_one', 'one_for_all', 'rest_for_one', 'simple_one_for_one']
const AUTO_SHUTDOWNS: readonly AutoShutdown[] = ['never', 'any_significant', 'all_significant']
const SYNONYMS: Synonyms = {
  childspecs: ['children'],
  delay: ['backoff'],
  interval: ['period'],
  maxr: ['intensity'],
  maxrestarts: ['intensity'],
  maxseconds: ['period'],
  maxt: ['period'],
  specs: ['children'],
  type: ['strategy'],
  window: ['period'],
}

/** Gives the options with their defaults. Throws a TypeError or RangeError that names the first wrong one. */
export function checkOptions(options: SupervisorOptions): CheckedOptions {
  checkNames(options, OF_SUPERVISOR, 'a supervisor', SYNONYMS)
  const { strategy = 'one_for_one', intensity = 1, period = 5000, autoShutdown = 'never', backoff } = options
  checkChoice('options.strategy', strategy, STRATEGIES)
  checkCount('options.intensity', intensity)
  checkNumber('options.period', period, Number.MIN_VALUE, Number.MAX_VALUE)
  checkAutoShutdown('options.autoShutdown', autoShutdown)
  checkBackoff('options.backoff', backoff)
  const { maxChildren = Number.POSITIVE_INFINITY, children = [] } = options
  checkCount('options.maxChildren', maxChildren)
  if (strategy !== 'simple_one_for_one' && options.maxChildren !== undefined) {
    throw new TypeError("options.maxChildren is an option of the strategy 'simple_one_for_one' only")
  }
  const specs = checkSpecs('options.children', children, autoShutdown)
  if (strategy === 'simple_one_for_one' && specs.length > 0) {
    throw new TypeError(
      "options.children must be left out where the strategy is 'simple_one_for_one': startChild starts its children",
    )
  }
  return { strategy, intensity, period, autoShutdown, maxChildren, backoff, children: specs }
}

/** Throws a TypeError unless `autoShutdown` is one. */
export function checkAutoShutdown(name: string, autoShutdown: unknown): void {
  checkChoice(name, autoShutdown, AUTO_SHUTDOWNS)
}

function checkCount(name: string, count: unknown): void {
  checkNumber(name, count, 0, Number.POSITIVE_INFINITY)
  if (count === Number.POSITIVE_INFINITY || Number.isSafeInteger(count)) return
  throw new RangeError(`${name} must be a whole number or Infinity, not ${String(count)}`)
}
