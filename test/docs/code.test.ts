/** The code in the pages of the repository compiles as it stands there, each piece by itself. */

import assert from 'node:assert/strict'
import { posix } from 'node:path'
import { test } from 'node:test'
import { compile } from '../support/compiler.ts'
import { codeOf, pages } from '../support/markdown.ts'

/** What the text around a piece of code has introduced. */
const known = `
declare const connPid: import('@holster/gun').ConnPid
declare const main: (self: import('@holster/process').Process) => Promise<void>
`

/** Two folders below the root, where pieces are compiled. */
const ROOT = '../..'

/**
 * Imports have their place outside of the function in which the rest stands, so that it may declare what is known anew. A file
 * that is imported lies where it does from the page's folder.
 */
function moduleOf(code: string, folder: string): string {
  const lines = code.split('\n')
  const isImport = (line: string) => line.startsWith('import ')
  const imports = lines.filter(isImport)
  const gun = "import * as gun from '@holster/gun'"
  const process = "import { setExitHook, spawn } from '@holster/process'"
  if (!imports.includes(gun)) imports.push(gun)
  if (!imports.some(line => line.includes('@holster/process'))) imports.push(process)
  const rest = lines.filter(line => !isImport(line))
  const resolved = imports.map(line =>
    line.replace(/'(\.[^']*)'/, (_, path: string) => `'${ROOT}/${posix.join(folder, path)}'`),
  )
  return [...resolved, known, 'export async function code() {', ...rest, '}'].join('\n')
}

test('each piece of code in a page of the repository compiles', async () => {
  const pieces: Record<string, string> = {}
  for (const page of await pages()) {
    const name = page.path.replaceAll('/', '-').replace(/\.md$/, '')
    for (const code of codeOf(page, 'ts')) {
      pieces[`${name}-${Object.keys(pieces).length + 1}.ts`] = moduleOf(code, posix.dirname(page.path))
    }
  }
  assert.ok(Object.keys(pieces).length >= 9, `${Object.keys(pieces)} are not all`)
  assert.deepEqual(await compile(pieces), [])
})
