/** The bundlers' settings in the page about bundling make a program that runs where there is no node_modules, and the sizes there are so. */

import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { codeOf } from '../support/markdown.ts'
import { run, succeed } from '../support/program.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const path = 'docs/how-to/bundling.md'
const page = { path, text: await readFile(join(root, path), 'utf8') }

const program = `import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'

const self = createProcess()
const connPid = gun.open('127.0.0.1', 1, { owner: self, retry: 0 })
const { reason } = await self.receive([{ type: 'gun_error', connPid }])
console.log(reason.cause.code)
`

for (const bundler of ['esbuild', 'rollup', 'webpack']) {
  test(`the settings for ${bundler} make one file that runs by itself`, async () => {
    const settings = codeOf(page, 'js').find(code => code.includes(`from '${bundler}'`)) ?? assert.fail()
    const folder = await mkdtemp(join(root, 'test', '.tmp-'))
    const elsewhere = await mkdtemp(join(tmpdir(), 'holster-bundle-'))
    try {
      await mkdir(join(folder, 'src'))
      await writeFile(join(folder, 'src/main.js'), program)
      await writeFile(join(folder, 'build.mjs'), settings)
      await succeed(process.execPath, ['build.mjs'], { cwd: folder })
      await rename(join(folder, 'dist/main.mjs'), join(elsewhere, 'main.mjs'))
      const { stdout, stderr, code } = await run(process.execPath, ['main.mjs'], { cwd: elsewhere })
      assert.deepEqual({ stdout, stderr, code }, { stdout: 'ECONNREFUSED\n', stderr: '', code: 0 })
    } finally {
      await rm(folder, { recursive: true })
      await rm(elsewhere, { recursive: true })
    }
  })
}

const sizes = {
  'processes alone': "import { spawn } from '@holster/process'\nspawn(() => {})",
  '`genServer` of `@holster/otp`': "import { genServer } from '@holster/otp'\nconsole.log(genServer.start)",
  'the client, with all of its protocols': "import { open } from '@holster/gun'\nopen('localhost', 80)",
}

for (const [name, contents] of Object.entries(sizes)) {
  test(`the size in the page is right within a tenth: ${name}`, async () => {
    const row = page.text.split('\n').find(line => line.startsWith(`| ${name} `))
    const told = Number(/(\d+) KB/.exec(row ?? '')?.[1])
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: join(root, 'test') },
      bundle: true,
      minify: true,
      platform: 'node',
      format: 'esm',
      write: false,
    })
    const kilobytes = (outputFiles[0]?.contents.length ?? 0) / 1024
    assert.ok(Math.abs(kilobytes / told - 1) < 0.1, `${kilobytes} KB`)
  })
}
