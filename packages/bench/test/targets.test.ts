/** Targets name rows that there are, and are judged by the figures that tables show. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { benchmarks } from '../src/benchmarks.ts'
import type { Results } from '../src/results.ts'
import { isMissed, ratioOf, type Target, targets } from '../src/targets.ts'

const target: Target = { benchmark: 'b', row: 'r', client: 'holster', reference: 'ws', most: 0.9 }

function resultsOf(values: Readonly<Record<string, number>>): Results {
  return { b: { r: { values, rounds: 1, date: '2026-01-31', machine: '2 × one', versions: {} } } }
}

test('each target names a row of a benchmark, and two clients of the table with that row', () => {
  const orphans = targets.filter(({ benchmark, row, client, reference }) => {
    const tables = benchmarks.find(({ name }) => name === benchmark)?.tables ?? []
    const clients = tables.find(({ rows }) => rows.includes(row))?.clients ?? []
    return client === reference || !clients.includes(client) || !clients.includes(reference)
  })
  assert.deepEqual(orphans, [])
})

test('no two targets are about the same two clients in the same row', () => {
  const pairs = targets.map(({ benchmark, row, client, reference }) =>
    [benchmark, row, client, reference].join(),
  )
  assert.equal(new Set(pairs).size, pairs.length)
})

test('a goal asks for more than its target', () => {
  assert.deepEqual(
    targets.filter(({ most, goal = 0 }) => goal >= most),
    [],
  )
})

test('the ratio of a target is that of its two clients', () => {
  assert.equal(ratioOf(target, resultsOf({ holster: 1, ws: 4, bun: 8 })), 0.25)
})

test('a target has no ratio where one of its clients or its row was not measured', () => {
  assert.equal(ratioOf(target, resultsOf({ holster: 1 })), undefined)
  assert.equal(ratioOf(target, resultsOf({ ws: 1 })), undefined)
  assert.equal(ratioOf(target, {}), undefined)
})

test('a ratio that a table shows as the target meets it, and one that it shows a hundredth above misses it', () => {
  assert.equal(isMissed(0.904, target), false)
  assert.equal(isMissed(0.906, target), true)
})
