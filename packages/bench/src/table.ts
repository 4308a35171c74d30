/** Tables of the figures that clients were measured with, and the text of their cells. */

export interface Table<Client extends string = string> {
  /** Says which figures the table has, with their unit. */
  readonly title: string
  readonly clients: readonly Client[]
  /** The client to which the ratios are; without one there are none. */
  readonly reference?: Client
  /** How many digits a figure has behind the point. */
  readonly digits: number
  /** The names of the table's rows, which no other table of the benchmark has. */
  readonly rows: readonly string[]
}

/** A row, as it was measured just now. */
export interface Measured {
  readonly table: Table
  readonly row: string
  /** A client without a value could not be measured, or was not to be. */
  readonly values: ReadonlyMap<string, number>
  /** Of how many rounds the figures are the medians. */
  readonly rounds: number
}

export function roundsOf(rounds: number): string {
  return rounds === 1 ? '1 round' : `medians of ${rounds} rounds`
}

/** Gives a client's figure and, in brackets, its ratio to the reference. */
export function cellOf(
  { digits, reference }: Table,
  values: ReadonlyMap<string, number>,
  client: string,
): string {
  const value = values.get(client)
  if (value === undefined) return ''
  const peer = reference === undefined ? undefined : values.get(reference)
  return peer === undefined
    ? value.toFixed(digits)
    : `${value.toFixed(digits)} (${(value / peer).toFixed(2)})`
}
