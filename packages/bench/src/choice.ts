/** What the command line chooses: parts of the names of rows, and with which clients and how often to measure them. */

import { parseArgs } from 'node:util'

interface Choice<Name> {
  readonly rounds: number
  readonly names: readonly Name[]
  isWanted(row: string): boolean
}

export function choice<Name extends string>(clients: readonly Name[]): Choice<Name> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '7' },
      clients: { type: 'string', default: clients.join(',') },
    },
  })
  const chosen = values.clients.split(',')
  return {
    rounds: Number(values.rounds),
    names: clients.filter(name => chosen.includes(name)),
    isWanted: row => positionals.length === 0 || positionals.some(part => row.includes(part)),
  }
}
