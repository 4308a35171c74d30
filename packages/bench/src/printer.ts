/** Prints tables on the terminal, row by row as they are measured. */

import { cellOf, type Measured, roundsOf, type Table } from './table.ts'

const CELL = 15

export class Printer {
  #table: Table | undefined
  #width = 0

  print({ table, row, values, rounds }: Measured): void {
    if (table !== this.#table) this.#begin(table, rounds)
    const cells = table.clients.map(client => cellOf(table, values, client))
    printLine([row.padEnd(this.#width), ...cells.map(cell => cell.padStart(CELL))])
  }

  #begin(table: Table, rounds: number): void {
    const { title, reference, clients, rows } = table
    this.#table = table
    this.#width = Math.max(...rows.map(({ length }) => length))
    const ratio = reference === undefined ? '' : `; in brackets the ratio to ${reference}`
    console.log(`\n${title}, ${roundsOf(rounds)}${ratio}\n`)
    printLine([' '.repeat(this.#width), ...clients.map(client => client.padStart(CELL))])
    printLine(['-'.repeat(this.#width), ...clients.map(() => `${'-'.repeat(CELL - 1)}:`)])
  }
}

function printLine(cells: readonly string[]): void {
  console.log(`| ${cells.join(' | ')} |`)
}
