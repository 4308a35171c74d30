/** What the command line chooses: parts of the names of rows, with which clients and how often to measure them, and how. */

import { parseArgs } from 'node:util'

export interface Choice<Name, Flag = never> {
  readonly rounds: number
  readonly names: readonly Name[]
  readonly isWanted: (row: string) => boolean
  readonly has: (flag: Flag) => boolean
}

/** `flags` are options of one benchmark alone, without a value. */
export function choice<Name extends string, Flag extends string = never>(
  clients: readonly Name[],
  flags: readonly Flag[] = [],
): Choice<Name, Flag> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '7' },
      clients: { type: 'string', default: clients.join(',') },
      ...Object.fromEntries(flags.map(flag => [flag, { type: 'boolean' } as const])),
    },
  })
  const chosen = values.clients.split(',')
  return {
    rounds: Number(values.rounds),
    names: clients.filter(name => chosen.includes(name)),
    isWanted: row => positionals.length === 0 || positionals.some(part => row.includes(part)),
    has: flag => flag in values,
  }
}
