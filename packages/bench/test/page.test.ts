/** docs/benchmarks.md is what the recorded results give, row by row. */

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Benchmark } from '../src/benchmark.ts'
import { benchmarks } from '../src/benchmarks.ts'
import { PAGE, pageOf } from '../src/page.ts'
import { type Result, type Results, readResults, withResult } from '../src/results.ts'
import { targets } from '../src/targets.ts'

const benchmark: Benchmark = {
  name: 'sums',
  heading: 'Sums',
  about: ['Sums are measured.'],
  tables: [
    { title: 'µs per sum', clients: ['holster', 'ws'], reference: 'ws', digits: 1, rows: ['small', 'large'] },
    { title: 'KB per sum', clients: ['holster'], digits: 0, rows: ['kept'] },
  ],
  async *measure() {},
}

function result(values: Readonly<Record<string, number>>, changes: Partial<Result> = {}): Result {
  return { values, rounds: 7, date: '2026-01-31', machine: '2 × one', versions: { Node: '20' }, ...changes }
}

/** The lines of the page that are rows of tables or tell the conditions. */
function linesOf(results: Results, given = targets): readonly string[] {
  return pageOf([benchmark], results, given)
    .split('\n')
    .filter(line => /^(\| (small|large|kept)|- [a-z]: )/.test(line))
}

test('the page is what the recorded results give', () => {
  assert.equal(
    readFileSync(PAGE, 'utf8'),
    pageOf(benchmarks, readResults(), targets),
    'npm run bench -- --recorded --write writes it',
  )
})

test('each recorded row is a row of its benchmark', () => {
  const orphans = Object.entries(readResults()).flatMap(([name, rows]) => {
    const known = benchmarks.find(each => each.name === name)?.tables.flatMap(table => table.rows) ?? []
    return Object.keys(rows).filter(row => !known.includes(row))
  })
  assert.deepEqual(orphans, [])
})

test('no two rows of a benchmark have the same name', () => {
  for (const { tables } of benchmarks) {
    const rows = tables.flatMap(table => table.rows)
    assert.equal(new Set(rows).size, rows.length)
  }
})

test('every benchmark has a command of its own', () => {
  const manifest = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
  const { scripts } = JSON.parse(manifest) as { readonly scripts: Readonly<Record<string, string>> }
  const commands = Object.keys(scripts).filter(name => name.startsWith('bench:'))
  assert.deepEqual(
    commands,
    benchmarks.map(({ name }) => `bench:${name}`),
  )
})

test('a row that is measured anew takes the place of its old figures, and leaves all others alone', () => {
  const before: Results = {
    sums: { small: result({ holster: 1 }), large: result({ holster: 2 }) },
    other: {},
  }
  const fresh = result({ ws: 3 })
  const after = withResult(before, 'sums', 'small', fresh)
  assert.deepEqual(after, { sums: { small: fresh, large: result({ holster: 2 }) }, other: {} })
})

test('a row shows the figure of each client, and the ratio to the reference', () => {
  const sums = { small: result({ holster: 1, ws: 4 }), kept: result({ holster: 7 }) }
  const conditions = '- a: 2026-01-31, medians of 7 rounds, 2 × one, Node 20'
  assert.deepEqual(linesOf({ sums }), [
    '| small | 1.0 (0.25) | 4.0 (1.00) |   a |',
    conditions,
    '| kept |       7 |   a |',
    conditions,
  ])
})

test('a client that was not measured leaves its cell empty', () => {
  const [row] = linesOf({ sums: { small: result({ holster: 1 }) } })
  assert.match(row ?? '', /^\| small \| +1\.0 \| +\| +a \|$/)
})

test('rows of different conditions are told apart, and software that only some rows have is told once', () => {
  const sums = {
    small: result({ holster: 1, ws: 1 }, { versions: { Node: '20', ws: '8' } }),
    large: result({ holster: 1 }),
  }
  assert.deepEqual(
    linesOf({ sums }).filter(line => line.startsWith('-')),
    ['- a: 2026-01-31, medians of 7 rounds, 2 × one, Node 20, ws 8'],
  )
  for (const change of [
    { date: '2026-02-01' },
    { machine: '8 × two' },
    { rounds: 1 },
    { versions: { Node: '22' } },
  ]) {
    const changed = { ...sums, large: result({ holster: 1 }, change) }
    assert.equal(linesOf({ sums: changed }).filter(line => line.startsWith('-')).length, 2)
  }
})

test('a row shows its targets, and says which of them it misses', () => {
  const shared = { benchmark: 'sums', row: 'small', most: 0.5 }
  const [row] = linesOf({ sums: { small: result({ holster: 1, ws: 1 }) } }, [
    { ...shared, client: 'holster', reference: 'ws', goal: 0.4 },
    { ...shared, client: 'ws', reference: 'holster', most: 1 },
    { ...shared, client: 'ws', reference: 'bun' },
  ])
  assert.match(
    row ?? '',
    /\| 0\.50, then 0\.40 \(missed\); `ws` of `holster` 1\.00 \(1\.00\); `ws` of `bun` 0\.50 \|/,
  )
})

test('what was never measured is not on the page', () => {
  assert.doesNotMatch(pageOf([benchmark], {}, targets), /Sums/)
  assert.doesNotMatch(pageOf([benchmark], { sums: { small: result({}) } }, targets), /KB per sum/)
})
