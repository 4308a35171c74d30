/** The rows of the tables to TypeScript compile, and what the README says of the exit code is so. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { errorsIn, rowsOf } from '../support/erlang-table.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

const readme = await readFile(join(root, 'README.md'), 'utf8')

test('every row of the table from Erlang to TypeScript compiles', async () => {
  const [, table = ''] = readme.split('## From Erlang to TypeScript')
  const rows = rowsOf(table.split('\n##')[0] ?? '')
  assert.ok(rows.length > 50, String(rows.length))
  assert.deepEqual(await errorsIn(rows), [])
})

test('every row of the table from OTP to TypeScript compiles', async () => {
  const rows = rowsOf(await readFile(join(root, 'docs/otp/README.md'), 'utf8'))
  assert.ok(rows.length > 45, String(rows.length))
  assert.deepEqual(
    rows.filter(cells => cells.length !== 3),
    [],
  )
  assert.deepEqual(await errorsIn(rows), [])
})

/** How a program ends that has these lines. */
async function run(source: string): Promise<{ readonly code: number | null; readonly stderr: string }> {
  const folder = await mkdtemp(join(root, 'test', '.tmp-'))
  try {
    const file = join(folder, 'program.ts')
    await writeFile(file, source)
    const child = spawn(process.execPath, ['--import', 'tsx', file], { cwd: root })
    const ended = new Promise<number | null>(resolve => child.on('close', resolve))
    const stderr = await text(child.stderr)
    return { code: await ended, stderr }
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** The snippet of the README that has these words. */
function snippet(words: string): string {
  const snippets = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)]
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
