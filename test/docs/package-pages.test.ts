/** The page of each published package is one screen: what the package is, how to install it, an example that runs, where to go on. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { packagesOf } from '../../packages/release/src/workspace.ts'
import { codeOf, linksOf, type Page, pages } from '../support/markdown.ts'
import { runFiles } from '../support/program.ts'
import { websocketServer } from '../support/websocket-server.ts'

/** Lines of one screen. */
const SCREEN = 60

/** The output of the first example of a page. */
const printed: Readonly<Record<string, RegExp>> = {
  '@holster/process': /^2\n$/,
  '@holster/otp': /^3\n$/,
  '@holster/gun': /^200 /,
  '@holster/node': /^(main\.1 hello\n)?$/,
  '@holster/observer': /^http:\/\/127\.0\.0\.1:\d+\/\n$/,
}

const all = await pages()

function pageOf(folder: string): Page {
  return all.find(({ path }) => path === `packages/${folder}/README.md`) ?? assert.fail(folder)
}

for (const { folder, manifest } of packagesOf(fileURLToPath(new URL('../..', import.meta.url)))) {
  const { name } = manifest
  const page = pageOf(folder)

  test(`the page of ${name} is one screen, says how to install it, and leads to the documentation`, () => {
    const lines = page.text.split('\n')
    assert.equal(lines[0], `# ${name}`)
    assert.ok(lines.length < SCREEN, `${lines.length} lines`)
    const [install = ''] = codeOf(page, 'sh')
    assert.match(install, new RegExp(`^npm install (.* )?${name}( |$)`, 'm'))
    assert.ok(linksOf(page).includes('../../docs/index.md'))
  })

  const output = printed[name]
  if (output === undefined) continue
  test(`the first example of ${name} runs as it stands, but for the port`, async () => {
    await using server = await websocketServer()
    const [example = ''] = codeOf(page, 'ts')
    const [worker = ''] = codeOf(page, 'js')
    const main = example.replace('8080', String(server.port)).replace('4010', '0')
    const { code, stdout, stderr } = await runFiles({ 'main.ts': main, 'worker.js': worker })
    assert.equal(code, 0, stderr)
    assert.match(stdout, output)
  })
}
