/** Rows of one unit, measured with every client that can do them, and printed as what a unit costs and how fast it is. */

import type { Choice } from './choice.ts'
import { alternate, only, type RunningClient, type UnitCost } from './rounds.ts'
import type { Table } from './table.ts'

export interface Row<Job> {
  readonly name: string
  readonly job: Job
  /** How many messages, requests, or megabytes of bodies, the job is. */
  readonly units: number
  /** The most that Holster's CPU may be of that of the reference. */
  readonly target?: number | undefined
}

interface Contest<Name extends string, Job> {
  readonly choice: Choice<Name>
  readonly table: Table<Name>
  start(name: Name): RunningClient<Job>
  canDo(name: Name, job: Job): boolean
}

export async function compare<Name extends string, Job>(
  unit: string,
  digits: number,
  rows: readonly Row<Job>[],
  { choice: { rounds, names, isWanted }, table, start, canDo }: Contest<Name, Job>,
): Promise<void> {
  const wanted = rows.filter(({ name }) => isWanted(name))
  if (wanted.length === 0) return
  const clients = new Map(names.map(name => [name, start(name)]))
  const measured: (Row<Job> & { readonly costs: Map<Name, UnitCost> })[] = []
  for (const row of wanted) {
    const able = new Map([...clients].filter(([name]) => canDo(name, row.job)))
    measured.push({ ...row, costs: await alternate(able, row.job, { units: row.units, rounds }) })
  }
  for (const client of clients.values()) client[Symbol.dispose]()
  table.print(
    `µs of CPU per ${unit}, medians of ${rounds} rounds`,
    digits,
    measured.map(({ name, costs, target }) => ({ name, of: only(costs, 'cpu'), target })),
  )
  table.print(
    `${unit}s per second`,
    0,
    measured.map(({ name, costs }) => ({ name, of: only(costs, 'perSecond') })),
  )
}
