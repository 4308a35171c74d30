/** The command line: which benchmarks, rows and clients are measured, how often, and what becomes of the figures. */

import { parseArgs } from 'node:util'
import type { Table } from './table.ts'

export interface Choice {
  /** The names of the benchmarks. */
  readonly names: readonly string[]
  readonly rounds: number
  /** Whether the results are recorded, and the page is written. */
  readonly isRecording: boolean
  /** Whether the results are compared with their targets. */
  readonly isChecking: boolean
  /** Whether nothing is measured, and the recorded results are taken. */
  readonly isRecorded: boolean
  /** Whether functions are listed where they are counted. */
  readonly isListing: boolean
  /** Whether a row is measured; one that takes long, or much memory, is only if part of its name was given. */
  isWanted(row: string, isOnDemand?: boolean): boolean
  clientsOf<Client extends string>(table: Pick<Table<Client>, 'clients'>): readonly Client[]
}

const options = {
  benchmarks: { type: 'string' },
  clients: { type: 'string' },
  rounds: { type: 'string', default: '7' },
  write: { type: 'boolean', default: false },
  check: { type: 'boolean', default: false },
  recorded: { type: 'boolean', default: false },
  functions: { type: 'boolean', default: false },
} as const

/** As much of a benchmark as the command line names. */
interface Named {
  readonly name: string
  readonly tables: readonly Table[]
}

/** Reads the arguments; throws for a name that nothing has. Arguments that are no options are parts of names of rows. */
export function choiceOf(args: readonly string[], benchmarks: readonly Named[]): Choice {
  const { values, positionals: parts } = parseArgs({ args: [...args], allowPositionals: true, options })
  const rounds = Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new RangeError(`--rounds must be a whole number above 0, not ${values.rounds}`)
  }
  const all = benchmarks.map(({ name }) => name)
  const names = values.benchmarks?.split(',') ?? all
  refuseUnknown('--benchmarks', names, all)
  const tables = benchmarks.filter(({ name }) => names.includes(name)).flatMap(each => each.tables)
  const clients = values.clients?.split(',')
  refuseUnknown('--clients', clients ?? [], [...new Set(tables.flatMap(table => table.clients))])
  const isWanted = (row: string, isOnDemand = false) =>
    parts.length === 0 ? !isOnDemand : parts.some(part => row.includes(part))
  if (!tables.some(({ rows }) => rows.some(row => isWanted(row)))) {
    throw new RangeError(`no row of ${names.join(', ')} has a name with ${parts.join(' or ')} in it`)
  }
  return {
    names,
    rounds,
    isRecording: values.write,
    isChecking: values.check,
    isRecorded: values.recorded,
    isListing: values.functions,
    isWanted,
    clientsOf: table => table.clients.filter(name => clients === undefined || clients.includes(name)),
  }
}

function refuseUnknown(option: string, given: readonly string[], known: readonly string[]): void {
  for (const name of given) {
    if (!known.includes(name)) throw new RangeError(`${option} must name ${known.join(', ')}, not ${name}`)
  }
}
