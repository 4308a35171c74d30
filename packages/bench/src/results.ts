/** The recorded results: the last measurement of each row. */

import { readFileSync, writeFileSync } from 'node:fs'
import { type Conditions, conditionsOf } from './conditions.ts'
import type { Measured } from './table.ts'

/** The file is as far from the sources as it is from the compiled files. */
const FILE = new URL('../results.json', import.meta.url)

export interface Result extends Conditions {
  /** By client. */
  readonly values: Readonly<Record<string, number>>
  /** Of how many rounds the values are the medians. */
  readonly rounds: number
}

/** By benchmark, and within that by row. */
export type Results = Readonly<Record<string, Readonly<Record<string, Result>>>>

export function readResults(): Results {
  return JSON.parse(readFileSync(FILE, 'utf8')) as Results
}

export function writeResults(results: Results): void {
  writeFileSync(FILE, `${JSON.stringify(results, undefined, 2)}\n`)
}

/** Gives the results with one row in place of the row of that name; every other row stays. */
export function withResult(results: Results, benchmark: string, row: string, result: Result): Results {
  return { ...results, [benchmark]: { ...results[benchmark], [row]: result } }
}

/** Gives a measured row as it is recorded, with five digits of each figure. */
export function resultOf({ values, rounds }: Measured): Result {
  const rounded = [...values].map(([client, value]) => [client, Number(value.toPrecision(5))] as const)
  return { values: Object.fromEntries(rounded), rounds, ...conditionsOf([...values.keys()]) }
}
