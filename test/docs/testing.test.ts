/** The code of the page about testing runs: each piece as a program, and the three examples with their runners. */

import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { codeOf } from '../support/markdown.ts'
import { type Run, type RunOptions, run } from '../support/program.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const path = 'docs/how-to/testing.md'
const page = { path, text: await readFile(join(root, path), 'utf8') }
const pieces = [...codeOf(page, 'ts'), ...codeOf(page, 'js')]

/** The example that imports from a runner. */
function example(runner: string): string {
  const [found, ...others] = pieces.filter(code => code.includes(`from '${runner}'`))
  assert.deepEqual(others, [])
  return found ?? assert.fail(`the page has no example for ${runner}`)
}

/** Runs a command in a folder with these files, which find what the tests have installed. */
async function runWith(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Run> {
  const folder = await mkdtemp(join(root, 'test', '.tmp-'))
  t.after(() => rm(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  // A runner within a runner would report to the outer one.
  const env = { NODE_TEST_CONTEXT: undefined, ...options.env }
  return run(process.execPath, args, { ...options, cwd: folder, env })
}

/** The program of a package that the tests have installed. */
const program = (file: string): string => join(root, 'test/node_modules', file)

function succeeded({ code, stdout, stderr }: Run, said: RegExp): void {
  const output = `${stdout}\n${stderr}`
  assert.equal(code, 0, output)
  assert.match(output, said)
}

test('the example for node:test passes', async t => {
  const args = ['--import', 'tsx', '--test', '--test-reporter', 'tap', 'a.test.ts']
  succeeded(await runWith(t, { 'a.test.ts': example('node:test') }, args), /^# pass 2$/m)
})

test('the example for Vitest passes', async t => {
  const args = [program('vitest/vitest.mjs'), 'run', '--root', '.', '--reporter', 'tap']
  succeeded(await runWith(t, { 'a.test.ts': example('vitest') }, args), /ok 1 - .*three minutes|ok 2 - /)
})

test('the example for Jest passes', async t => {
  const files = {
    'a.test.js': example('@jest/globals'),
    'package.json': JSON.stringify({ type: 'module', jest: { transform: {} } }),
  }
  const args = ['--experimental-vm-modules', program('jest/bin/jest.js'), '--rootDir', '.']
  succeeded(await runWith(t, files, args), /^Tests: +2 passed, 2 total$/m)
})

const programs = pieces.filter(code => !/from '(node:test|vitest|@jest\/globals)'/.test(code))
for (const [index, code] of programs.entries()) {
  test(`piece ${index + 1} of the others runs as a program`, async t => {
    // Servers that a piece has left open would keep the program from ending.
    const files = { 'a.ts': `${code}\nprocess.exit()\n`, 'package.json': '{ "type": "module" }' }
    const { code: exitCode, stderr } = await runWith(t, files, ['--import', 'tsx', 'a.ts'])
    assert.equal(stderr, '')
    assert.equal(exitCode, 0)
  })
}
