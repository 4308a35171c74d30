/** The programs in the pages for newcomers and in the how-to pages print what stands behind them. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pages } from '../support/markdown.ts'
import { programsOf, runProgram } from '../support/printed.ts'

const programs = (await pages())
  .filter(({ path }) => /^docs\/(from|how-to)\//.test(path))
  .flatMap(page => programsOf(page).map(program => ({ ...program, path: page.path })))

test('there are programs', () => {
  assert.ok(programs.length >= 15, String(programs.length))
})

for (const [i, { path, heading, source, printed }] of programs.entries()) {
  test(`program ${i + 1}, in ${path} below “${heading}”, prints what the page says`, async () => {
    const { stdout, stderr, code } = await runProgram(source)
    assert.deepEqual({ stdout, code }, { stdout: printed, code: 0 }, stderr)
  })
}
