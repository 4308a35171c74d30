/** What is loaded is what the tarballs have, as ES modules and through `require`, and the observer starts as it is installed. */

import assert from 'node:assert/strict'
import { realpathSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { run } from '../program.ts'
import { websocketServer } from '../websocket-server.ts'

interface Installed {
  readonly name: string
  readonly version: string
}

const root = fileURLToPath(new URL('../../..', import.meta.url))
const packages: readonly Installed[] = JSON.parse(
  await readFile(new URL('tarballs.json', import.meta.url), 'utf8'),
)
const require = createRequire(import.meta.url)

/** Entries that do something when they are loaded: they are for threads, and for `--import`. */
const STARTS = /\/(worker|start)$/

for (const { name, version } of packages) {
  const folder = join(root, 'node_modules', name)

  test(`${name} is the package of the tarball`, async () => {
    assert.equal(realpathSync(folder), join(realpathSync(root), 'node_modules', name))
    assert.equal(JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')).version, version)
  })

  test(`each entry of ${name} loads by import and by require, as one module`, async () => {
    const { exports } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
    const entries = Object.keys(exports).map(entry => join(name, entry))
    for (const entry of entries.filter(each => !STARTS.test(each))) {
      const imported = await import(entry)
      assert.ok(Object.keys(imported).length > 0, entry)
      assert.deepEqual(Object.keys(require(entry)).sort(), Object.keys(imported).sort())
    }
  })
}

for (const program of ['main.mjs', 'main.cjs']) {
  test(`${program} asks over HTTP/1.1, and has a WebSocket echo`, async () => {
    await using server = await websocketServer({ ws: { perMessageDeflate: true } })
    const file = join(root, 'test/support/installed', program)
    const { code, stdout, stderr } = await run(process.execPath, [file, String(server.port)], { cwd: root })
    assert.equal(stdout, 'actor logic: function\nstatus: 200\ncompressed: true\nechoed: 7000\n', stderr)
    assert.equal(code, 0)
  })
}

test('the observer starts by a flag, and serves its page', async () => {
  const look = `
    import { startObserver } from '@holster/observer'
    const { url } = await startObserver({ log: false })
    console.log((await fetch(url)).status, (await fetch(new URL('app.js', url))).status)
  `
  const { code, stdout, stderr } = await run(
    process.execPath,
    ['--import', '@holster/observer/start', '--input-type=module', '--eval', look],
    { cwd: root, env: { HOLSTER_OBSERVER_PORT: '0' } },
  )
  assert.match(stderr, /^Holster observer: http:.*\n$/)
  assert.equal(stdout, '200 200\n')
  assert.equal(code, 0)
})
