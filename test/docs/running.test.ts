/** The code in the guide runs, each piece by itself against a local server, and prints what its comments say. */

import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { guideServer } from '../support/guide-server.ts'
import { codeOf, pages } from '../support/markdown.ts'
import { run } from '../support/program.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The folder of the pages whose code runs; programs on other pages stand beside what they print. */
const FOLDER = 'docs/guide/'

/** A line that prints, with a comment that shows what: a string, a number, a list, an object, or a word of the language. */
const PRINTED = /^( *)console\.log\((.*)\) \/\/ ((?:['"[{\d-]|true|false|undefined).*)$/

/** Imports have their place at the top; the rest becomes a function of what the text around it has introduced. */
function moduleOf(code: string, port: number): string {
  const imports: string[] = []
  const rest = code
    .replace(/^import [\s\S]*?from '[^']+'$/gm, text => {
      imports.push(text)
      return ''
    })
    .replaceAll('8080', String(port))
    .split('\n')
    .map(line =>
      line.replace(
        PRINTED,
        (_, indent, values, comment) => `${indent}see(${JSON.stringify(comment)}, ${values})`,
      ),
    )
  const known: readonly (readonly [string, string])[] = [
    ['gun', "import * as gun from '@holster/gun'"],
    ['spawn', "import { spawn } from '@holster/process'"],
    ['setExitHook', "import { setExitHook } from '@holster/process'"],
  ]
  const missing = known.filter(
    ([name]) => !imports.some(text => new RegExp(`\\b${name}\\b`).test(text.split(' from ')[0] ?? '')),
  )
  return [
    ...imports,
    ...missing.map(([, text]) => text),
    'export async function piece({ self, connPid, see }) {',
    '{',
    ...rest,
    '}',
    '}',
  ].join('\n')
}

for (const page of await pages()) {
  if (!page.path.startsWith(FOLDER)) continue
  const pieces = codeOf(page, 'ts', 'runnable')
  if (pieces.length === 0) continue
  test(`the code of ${page.path} runs, and prints what its comments say`, async t => {
    await using server = await guideServer()
    const folder = await mkdtemp(join(root, 'test', '.tmp-'))
    try {
      const files = pieces.map((_, index) => join(folder, `${index + 1}.ts`))
      for (const [index, file] of files.entries()) {
        await writeFile(file, moduleOf(pieces[index] ?? '', server.port))
      }
      const program = join(root, 'test/support/run-pieces.ts')
      const { code, stdout, stderr } = await run(
        process.execPath,
        ['--import', 'tsx', program, String(server.port), ...files],
        { cwd: root, signal: t.signal },
      )
      assert.equal(code, 0, stdout + stderr)
    } finally {
      await rm(folder, { recursive: true })
    }
  })
}
