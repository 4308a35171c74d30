/** Tables of what each client achieved, with the ratio to one of them. */

export interface TableRow<Name> {
  readonly name: string
  /** A client without a value could not be measured. */
  readonly of: ReadonlyMap<Name, number>
  /** The most that Holster's ratio may be. */
  readonly target?: number | undefined
}

export class Table<Name extends string> {
  readonly #names: readonly Name[]
  readonly #reference: Name

  constructor(names: readonly Name[], reference: Name) {
    this.#names = names
    this.#reference = reference
  }

  print(title: string, digits: number, rows: readonly TableRow<Name>[]): void {
    const hasTargets = rows.some(({ target }) => target !== undefined)
    const line = (name: string, cells: readonly string[], target: string) => {
      const columns = [name.padEnd(42), ...cells.map(cell => cell.padStart(15))]
      if (hasTargets) columns.push(target.padStart(6))
      console.log(`| ${columns.join(' | ')} |`)
    }
    console.log(`\n${title}; in brackets the ratio to ${this.#reference}\n`)
    line('', this.#names, 'target')
    line('-'.repeat(42), Array<string>(this.#names.length).fill(`${'-'.repeat(14)}:`), '-----:')
    for (const { name, of, target } of rows) {
      const reference = of.get(this.#reference)
      const cells = this.#names.map(client => cellOf(of.get(client), reference, digits))
      line(name, cells, target?.toFixed(2) ?? '')
    }
  }
}

function cellOf(value: number | undefined, reference: number | undefined, digits: number): string {
  if (value === undefined) return 'n/a'
  const ratio = reference === undefined ? '' : ` (${(value / reference).toFixed(2)})`
  return `${value.toFixed(digits)}${ratio}`
}
