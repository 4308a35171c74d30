/** The page of all recorded results, docs/benchmarks.md: nothing in it is written by hand. */

import { writeFileSync } from 'node:fs'
import type { Benchmark } from './benchmark.ts'
import type { Result, Results } from './results.ts'
import type { Table } from './table.ts'
import { cellOf, roundsOf } from './table.ts'
import { isMissed, ratioOf, type Target } from './targets.ts'

/** The file is as far from the sources as it is from the compiled files. */
export const PAGE = new URL('../../../docs/benchmarks.md', import.meta.url)

const INTRODUCTION = `# Benchmarks

Each row below was written by the script that measured it (\`npm run bench -- --write\`), and is replaced when the row is measured again.
Nothing here is edited by hand: the figures stand in [\`packages/bench/results.json\`](../packages/bench/results.json), the targets in
[\`packages/bench/src/targets.ts\`](../packages/bench/src/targets.ts).

## How to read the tables

- **A figure is CPU time of the client's process**, user and system, where the line above a table does not name something else. Time
  on the clock and the work of the server do not count.
- **The ratio in brackets is to the client that the line above the table names.** Ratios compare, figures of different rows do not: all
  figures of a row come from one run, in which the clients took turns, but rows may come from different days.
- **Each figure is a median** of the rounds that the line below a table tells, after one round to warm up unless each round has a
  process of its own.
- **Machines are noisy.** A ratio moves by a tenth or two from run to run, and by more where the machine has other work. A difference
  below that says nothing.
- **undici compresses nothing that it sends**, so that its ratio is no comparison where messages are compressed.
- **\`at most\` is the target** for the ratio of \`holster\`, or of the two clients that it names, with their ratio in brackets. Behind
  \`then\` is the ratio to reach after that. A target that the row misses says so; \`npm run bench -- --check\` measures and compares, and \`--check --recorded\` compares the
  figures of this page.

[CONTRIBUTING.md](../CONTRIBUTING.md#measuring) says how to measure.
`

export function writePage(...given: Parameters<typeof pageOf>): void {
  writeFileSync(PAGE, pageOf(...given))
}

export function pageOf(
  benchmarks: readonly Benchmark[],
  results: Results,
  targets: readonly Target[],
): string {
  const sections = benchmarks.flatMap(({ name, heading, about, tables }) => {
    const shown = tables.map(table => tableOf(name, table, results, targets)).filter(text => text !== '')
    return shown.length === 0
      ? []
      : [`## ${heading}\n\n${about.join('\n')}\n\n\`npm run bench:${name}\`\n`, ...shown]
  })
  return [INTRODUCTION, ...sections].join('\n')
}

function tableOf(benchmark: string, table: Table, results: Results, targets: readonly Target[]): string {
  const measured = table.rows.flatMap(row => {
    const result = results[benchmark]?.[row]
    return result === undefined ? [] : [{ row, result }]
  })
  if (measured.length === 0) return ''
  const isTarget = (row: string) => (target: Target) => target.benchmark === benchmark && target.row === row
  const groups = new Groups()
  const lines = measured.map(({ row, result }) => [
    row,
    ...table.clients.map(client => cellOf(table, new Map(Object.entries(result.values)), client)),
    targets
      .filter(isTarget(row))
      .map(target => textOf(target, table, ratioOf(target, results)))
      .join('; '),
    groups.letterOf(result),
  ])
  const head = ['case', ...table.clients, 'at most', 'run']
  const hasTargets = lines.some(line => line.at(-2) !== '')
  const kept = [head, ...lines].map(line => (hasTargets ? line : line.toSpliced(-2, 1)))
  const ratio = table.reference === undefined ? '' : `; in brackets the ratio to \`${table.reference}\``
  return `${table.title}${ratio}:\n\n${markdown(kept)}\n${groups.text()}`
}

/** Two clients are named, with their ratio, where they are not those of the ratio in the column of Holster. */
function textOf(target: Target, { reference }: Table, ratio: number | undefined): string {
  const { client, most, goal } = target
  const notes: string[] = []
  if (ratio !== undefined && isMissed(ratio, target)) notes.push('missed')
  const further = goal === undefined ? '' : `, then ${goal.toFixed(2)}`
  const text = `${most.toFixed(2)}${further}`
  if (client === 'holster' && target.reference === reference) return `${text}${inBrackets(notes)}`
  if (ratio !== undefined) notes.unshift(ratio.toFixed(2))
  return `\`${client}\` of \`${target.reference}\` ${text}${inBrackets(notes)}`
}

function inBrackets(notes: readonly string[]): string {
  return notes.length === 0 ? '' : ` (${notes.join(', ')})`
}

function markdown(lines: readonly (readonly string[])[]): string {
  const [head = [], ...rows] = lines
  const widths = head.map((_, column) => Math.max(3, ...lines.map(line => line[column]?.length ?? 0)))
  const pad = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  return [head.map(pad), rule, ...rows.map(row => row.map(pad))]
    .map(cells => `| ${cells.join(' | ')} |\n`)
    .join('')
}

/** Rows that were measured under the same conditions, as far as each of them tells. */
class Groups {
  readonly #groups: Pick<Result, 'date' | 'machine' | 'rounds' | 'versions'>[] = []

  letterOf(result: Result): string {
    const known = this.#groups.findIndex(group => isSame(group, result))
    const index = known === -1 ? this.#groups.length : known
    const versions = { ...this.#groups[index]?.versions, ...result.versions }
    this.#groups[index] = { ...result, versions }
    return letter(index)
  }

  text(): string {
    return this.#groups
      .map(({ date, machine, rounds, versions }, index) => {
        const software = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
        return `- ${letter(index)}: ${[date, roundsOf(rounds), machine, ...software].join(', ')}\n`
      })
      .join('')
  }
}

function isSame(one: Pick<Result, 'date' | 'machine' | 'rounds' | 'versions'>, other: typeof one): boolean {
  return (
    one.date === other.date &&
    one.machine === other.machine &&
    one.rounds === other.rounds &&
    Object.entries(one.versions).every(([name, version]) => (other.versions[name] ?? version) === version)
  )
}

function letter(index: number): string {
  return String.fromCharCode('a'.charCodeAt(0) + index)
}
