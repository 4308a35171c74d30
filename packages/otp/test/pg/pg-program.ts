/** A random program of process groups, and what it looks like from outside after each step. */

import fc from 'fast-check'

export const PIDS = 4
export const GROUPS = ['red', 'green', 'blue'] as const

/** A step; a process that has exited is replaced by a new one with the same number. */
export type Step =
  | { readonly do: 'join' | 'leave'; readonly group: number; readonly pids: readonly number[] }
  | { readonly do: 'exit'; readonly pid: number }
  | { readonly do: 'monitor'; readonly group: number }
  | { readonly do: 'monitorScope' }
  | { readonly do: 'demonitor'; readonly monitor: number }

/** The view after a step. */
export interface View {
  /** The result of the call. */
  readonly result: unknown
  /** The changes that were told: the number of the monitor, what happened, where, and to whom. */
  readonly changes: readonly (readonly [
    monitor: number,
    type: string,
    group: string,
    pids: readonly number[],
  ])[]
  /** The members of each group that has some, in the order of their numbers. */
  readonly members: Readonly<Record<string, readonly number[]>>
}

const pid = fc.nat(PIDS - 1)
const group = fc.nat(GROUPS.length - 1)

/** Steps of which those that leave name up to `leaving` processes at once. */
export function program(leaving: number): fc.Arbitrary<Step[]> {
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('join' as const),
        group,
        pids: fc.array(pid, { minLength: 1, maxLength: 3 }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('leave' as const),
        group,
        pids: fc.array(pid, { minLength: 1, maxLength: leaving }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('exit' as const), pid }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('monitor' as const), group }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('monitorScope' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('demonitor' as const), monitor: fc.nat(5) }) },
  )
  return fc.array(step, { maxLength: 30, size: 'max' })
}
