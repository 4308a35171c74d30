/** Jobs of one unit, done by each client that can do them in alternating rounds: what a unit costs, and how fast it is. */

import type { Choice } from './choice.ts'
import { alternate, only, type RunningClient } from './rounds.ts'
import type { Measured, Table } from './table.ts'

export interface Row<Job> {
  readonly name: string
  readonly job: Job
  /** How many messages, requests, or megabytes of bodies, the job is. */
  readonly units: number
}

export interface Comparison<Client extends string, Job> extends Table<Client> {
  readonly jobs: readonly Row<Job>[]
  /** The second table of the comparison, which shows the speed on the clock. */
  readonly speed: Table<Client>
}

/** The unit of jobs, and how many digits its figures have. `way` is what all of them have in common, such as `, over TLS`. */
interface Unit {
  readonly unit: string
  /** The plural of the unit, if that has not just an s more. */
  readonly units?: string
  readonly way?: string
  readonly digits: number
}

/** Makes the tables of jobs. */
export function comparison<Client extends string, Job>(
  { unit, units = `${unit}s`, way = '', digits }: Unit,
  clients: readonly Client[],
  reference: Client,
  jobs: readonly Row<Job>[],
): Comparison<Client, Job> {
  const rows = jobs.map(({ name }) => name)
  const common = { clients, reference, rows }
  const speed = { ...common, title: `${units} per second${way}`, digits: 0 }
  return { ...common, title: `µs of CPU per ${unit}${way}`, digits, jobs, speed }
}

/** The processes that do the jobs. */
export interface Contest<Client extends string, Job> {
  start(client: Client): RunningClient<Job>
  /** Absent where every client does every job. */
  canDo?(client: Client, job: Job): boolean
}

/** Measures the jobs that were chosen; the rows of the speed come last, and are not recorded. */
export async function* compare<Client extends string, Job>(
  table: Comparison<Client, Job>,
  choice: Choice,
  { start, canDo = () => true }: Contest<Client, Job>,
): AsyncIterable<Measured> {
  const { rounds } = choice
  const wanted = table.jobs.filter(({ name }) => choice.isWanted(name))
  if (wanted.length === 0) return
  const clients = new Map(choice.clientsOf(table).map(client => [client, start(client)]))
  const speeds: Measured[] = []
  try {
    for (const { name: row, job, units } of wanted) {
      const able = new Map([...clients].filter(([client]) => canDo(client, job)))
      const costs = await alternate(able, job, { units, rounds })
      yield { table, row, values: only(costs, 'cpu'), rounds }
      speeds.push({ table: table.speed, row, values: only(costs, 'perSecond'), rounds })
    }
  } finally {
    for (const client of clients.values()) client[Symbol.dispose]()
  }
  yield* speeds
}
