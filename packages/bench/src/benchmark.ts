/** The shape of a benchmark: tables, whose rows it measures one by one. */

import type { Choice } from './choice.ts'
import type { Measured, Table } from './table.ts'

export interface Benchmark {
  /** The name of the benchmark on the command line and in `targets.ts`. */
  readonly name: string
  /** The heading of its section on the page. */
  readonly heading: string
  /** Says which clients are compared, and how: lines of Markdown. */
  readonly about: readonly string[]
  readonly tables: readonly Table[]
  /** Measures the rows that were chosen. */
  measure(choice: Choice): AsyncIterable<Measured>
}
