/** The rows of the tables to TypeScript compile, and what the pages say of the exit code is so. */

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { errorsIn, rowsOf, rowsToTypeScript } from '../support/erlang-table.ts'
import { type Run, runFiles } from '../support/program.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

const debugging = await readFile(join(root, 'docs/how-to/debugging.md'), 'utf8')

test('every row of the table from Erlang to TypeScript compiles', async () => {
  const rows = rowsToTypeScript(await readFile(join(root, 'docs/from/erlang.md'), 'utf8'))
  assert.ok(rows.length > 50, String(rows.length))
  assert.deepEqual(await errorsIn(rows), [])
})

test('every row of the table from OTP to TypeScript compiles', async () => {
  const rows = rowsOf(await readFile(join(root, 'docs/otp/index.md'), 'utf8'))
  assert.ok(rows.length > 45, String(rows.length))
  assert.deepEqual(
    rows.filter(cells => cells.length !== 3),
    [],
  )
  assert.deepEqual(await errorsIn(rows), [])
})

/** How a program ends that has these lines. */
const run = (source: string): Promise<Run> => runFiles({ 'program.ts': source })

/** The snippet of the page about debugging that has these words. */
function snippet(words: string): string {
  const snippets = [...debugging.matchAll(/```ts\n([\s\S]*?)```/g)]
  return snippets.find(([, code = '']) => code.includes(words))?.[1] ?? assert.fail(words)
}

const imports = "import { setExitHook, spawn } from '@holster/process'\n"
const crash = "const main = async () => { throw new Error('it broke') }\n"

test('a main process that crashes leaves the exit code alone, unless the program sets it', async () => {
  const alone = await run(`${imports}${crash}await spawn(main).exited`)
  assert.equal(alone.code, 0)
  assert.match(alone.stderr, /exited: Error: it broke/)
  const awaited = await run(`${imports}${crash}${snippet("reason !== 'normal'")}`)
  assert.equal(awaited.code, 1)
  assert.match(awaited.stderr, /exited: Error: it broke/)
  const fine = await run(`${imports}const main = async () => {}\n${snippet("reason !== 'normal'")}`)
  assert.equal(fine.code, 0)
})

test('the exit hook sets the exit code for a crash of any process', async () => {
  const hook = snippet('setExitHook')
  const { code, stderr } = await run(`${imports}${hook}\n${crash}spawn(main)`)
  assert.equal(code, 1)
  assert.match(stderr, /#Process<\d+> .*\n?.*it broke/)
})

test('a process that waits does not keep Node alive', async () => {
  const { code } = await run(`${imports}spawn(self => self.receive([{ type: 'never' }]))`)
  assert.equal(code, 0)
  const awaited = await run(`${imports}await spawn(self => self.receive([{ type: 'never' }])).exited`)
  assert.equal(awaited.code, 13)
})
