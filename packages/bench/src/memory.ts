/** Measures the memory of things that clients keep, each time in a process of its own, since memory used once stays. */

import type { Choice } from './choice.ts'
import type { Contest } from './comparison.ts'
import type { Cost } from './cost.ts'
import { median } from './stats.ts'
import type { Measured, Table } from './table.ts'

/** A job, and the row of each kind of memory that is shown. */
export interface MemoryJob<Job> {
  readonly job: Job
  /** How many things the job keeps. */
  readonly units: number
  readonly rss?: string
  readonly heap?: string
  /** Whether it takes so long or so much that it is measured only when its row is asked for. */
  readonly isOnDemand?: boolean
}

export interface MemoryTable<Client extends string, Job> extends Table<Client> {
  readonly jobs: readonly MemoryJob<Job>[]
}

export function memoryTable<Client extends string, Job>(
  { unit, digits }: { readonly unit: string; readonly digits: number },
  clients: readonly Client[],
  reference: Client,
  jobs: readonly MemoryJob<Job>[],
): MemoryTable<Client, Job> {
  const rows = jobs.flatMap(({ rss, heap }) => [rss, heap].filter(row => row !== undefined))
  return { title: `KB per ${unit}`, clients, reference, digits, rows, jobs }
}

export async function* measureMemory<Client extends string, Job>(
  table: MemoryTable<Client, Job>,
  choice: Choice,
  { start, canDo = () => true }: Contest<Client, Job>,
): AsyncIterable<Measured> {
  const { rounds } = choice
  for (const { job, units, isOnDemand, ...rows } of table.jobs) {
    const fields = (['rss', 'heap'] as const).flatMap(field => {
      const row = rows[field]
      return row !== undefined && choice.isWanted(row, isOnDemand) ? [{ field, row }] : []
    })
    if (fields.length === 0) continue
    const able = choice.clientsOf(table).filter(client => canDo(client, job))
    const costs = new Map<Client, Cost[]>(able.map(client => [client, []]))
    for (let round = 0; round < rounds; round++) {
      for (const [client, all] of costs) {
        using running = start(client)
        all.push(await running.run(job))
      }
    }
    for (const { field, row } of fields) {
      const values = new Map(
        [...costs].map(([client, all]) => [client, median(all.map(cost => cost[field])) / units / 1024]),
      )
      yield { table, row, values, rounds }
    }
  }
}
