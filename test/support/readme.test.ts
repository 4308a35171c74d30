// The page about the scenes: each of its examples passes, and the page names every file of this folder.

import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { run } from './program.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))
const tests = join(folder, '..')
const page = await readFile(join(folder, 'README.md'), 'utf8')

/** The examples as files of a folder beside this one, each named after the heading that it stands under. */
const examples: Record<string, string> = {}
for (const section of page.split(/^## /m).slice(1)) {
  const [, heading = '', code] = /^([^\n]*)\n.*?```ts\n(.*?)```/s.exec(section) ?? []
  const name = `${heading.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}.ts`
  if (code !== undefined) examples[name] = code.replaceAll("from './", "from '../support/")
}

test('each example passes', async t => {
  assert.ok(Object.keys(examples).length >= 13, `${Object.keys(examples)} are not all`)
  const place = await mkdtemp(join(tests, '.tmp-'))
  try {
    for (const [name, code] of Object.entries(examples)) await writeFile(join(place, name), code)
    const all = Object.keys(examples).map(name => `import './${name}'\n`)
    await writeFile(join(place, 'all.ts'), all.join(''))
    const args = ['--expose-gc', '--import=tsx', join(place, 'all.ts')]
    const { code, stdout, stderr } = await run(process.execPath, args, {
      cwd: tests,
      signal: t.signal,
      env: { NODE_TEST_CONTEXT: undefined },
    })
    assert.equal(code, 0, stdout + stderr)
  } finally {
    await rm(place, { recursive: true })
  }
})

test('every file of the folder is named', async () => {
  const files = (await readdir(folder)).filter(file => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  assert.deepEqual(
    files.filter(file => !page.includes(`\`${file}\``)),
    [],
  )
})
