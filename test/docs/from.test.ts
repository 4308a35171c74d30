/** The rows of the tables in the pages for newcomers compile. */

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { errorsIn, rowsToTypeScript } from '../support/erlang-table.ts'

const read = (name: string): Promise<string> =>
  readFile(new URL(`../../docs/from/${name}.md`, import.meta.url), 'utf8')

test('every row of the tables from Elixir and Gleam to TypeScript compiles', async () => {
  const rows = rowsToTypeScript(await read('elixir-and-gleam'))
  assert.ok(rows.length > 90, String(rows.length))
  const more = 'declare const value: number\ndeclare const state: number\ndeclare const term: string\n'
  assert.deepEqual(await errorsIn(rows, more), [])
})

test('every row of the tables from ws, undici and fetch to TypeScript compiles', async () => {
  const rows = rowsToTypeScript(await read('ws-and-undici'))
  assert.ok(rows.length > 50, String(rows.length))
  assert.deepEqual(await errorsIn(rows), [])
})
