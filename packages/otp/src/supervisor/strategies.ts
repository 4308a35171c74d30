/**
 * The tables that say what a supervisor does when a child ends by itself.
 *
 * | restart | ended in order | ended otherwise |
 * | --- | --- | --- |
 * | `permanent` | reported, started anew | reported, started anew |
 * | `transient` | its spec is kept, without a process | reported, started anew |
 * | `temporary` | its spec is removed | reported, its spec is removed |
 *
 * | strategy | with it are ended, the last one first, and started anew | at the end of the supervisor |
 * | --- | --- | --- |
 * | `one_for_one` | no others | children are ended one by one, the last one first |
 * | `rest_for_one` | all that were started later | likewise |
 * | `one_for_all` | all | likewise |
 * | `simple_one_for_one` | no others, and its spec is removed where others keep it | all children are ended at the same time |
 *
 * Temporary children that are ended with another one are not started anew, and their specs are removed.
 *
 * | autoShutdown | a significant child has ended and is not started anew |
 * | --- | --- |
 * | `never` | no child may be significant |
 * | `any_significant` | the supervisor ends |
 * | `all_significant` | the supervisor ends if no significant child is left that runs, or is about to be started anew |
 */

import { type ExitReason, isOrderly } from '@holster/process'
import type { Restart } from '../child-spec.js'
import type { Strategy } from './options.js'

/** The fate of a child that has ended by itself. */
export interface Aftermath {
  readonly isReported: boolean
  readonly next: 'restart' | 'keep' | 'remove'
}

const AFTER: Readonly<Record<Restart, { readonly inOrder: Aftermath; readonly otherwise: Aftermath }>> = {
  permanent: {
    inOrder: { isReported: true, next: 'restart' },
    otherwise: { isReported: true, next: 'restart' },
  },
  transient: {
    inOrder: { isReported: false, next: 'keep' },
    otherwise: { isReported: true, next: 'restart' },
  },
  temporary: {
    inOrder: { isReported: false, next: 'remove' },
    otherwise: { isReported: true, next: 'remove' },
  },
}

/** The rule of a strategy for its children. */
interface Rule {
  /** Which children are ended, and started anew, with one that has ended. */
  readonly others: 'none' | 'later' | 'all'
  /** Whether children come only by `startChild`, are told apart by their pids, and are ended at the same time. */
  readonly isDynamic: boolean
}

/** The rules of the strategies. */
export const RULES: Readonly<Record<Strategy, Rule>> = {
  one_for_one: { others: 'none', isDynamic: false },
  rest_for_one: { others: 'later', isDynamic: false },
  one_for_all: { others: 'all', isDynamic: false },
  simple_one_for_one: { others: 'none', isDynamic: true },
}

/** Says what becomes of a child that has ended by itself for `reason`. */
export function aftermath(restart: Restart, reason: ExitReason): Aftermath {
  const { inOrder, otherwise } = AFTER[restart]
  return isOrderly(reason) ? inOrder : otherwise
}
