/** Jobs given to clients in alternating rounds, and the medians of what they cost. */

import type { Cost } from './cost.ts'
import { median } from './stats.ts'

export interface RunningClient<Job> extends Disposable {
  run(job: Job): Promise<Cost>
}

/** Per unit of the job: a message, a request, a megabyte. */
export interface UnitCost {
  /** Microseconds. */
  readonly cpu: number
  readonly perSecond: number
}

/** One round to warm up, and then so many. */
export async function alternate<Name, Job>(
  clients: ReadonlyMap<Name, RunningClient<Job>>,
  job: Job,
  { units, rounds }: { readonly units: number; readonly rounds: number },
): Promise<Map<Name, UnitCost>> {
  const costs = new Map<Name, Cost[]>([...clients.keys()].map(client => [client, []]))
  for (let round = -1; round < rounds; round++) {
    for (const [client, running] of clients) {
      const cost = await running.run(job)
      if (round >= 0) costs.get(client)?.push(cost)
    }
  }
  return new Map(
    [...costs].map(([client, all]) => [
      client,
      {
        cpu: median(all.map(({ cpu }) => cpu / units)),
        perSecond: median(all.map(({ seconds }) => units / seconds)),
      },
    ]),
  )
}

/** One field of these costs. */
export function only<Name>(costs: ReadonlyMap<Name, UnitCost>, field: keyof UnitCost): Map<Name, number> {
  return new Map([...costs].map(([client, cost]) => [client, cost[field]]))
}
