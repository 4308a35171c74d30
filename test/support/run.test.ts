// The runner of the tests: it finds them in all folders, bounds the time of each test and not that of a file, and fails where
// nothing ran.

import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type Run, run } from './program.ts'

const runner = fileURLToPath(new URL('../run.mjs', import.meta.url))

/** A runner within a test that the runner has started would take itself for a file of tests. */
const env = { NODE_TEST_CONTEXT: undefined }

const runTests = (...parts: string[]): Promise<Run> => run(process.execPath, [runner, ...parts], { env })

/** Runs `code` as a file of tests, as the runner does, with a clock that stands still: `timers` has the milliseconds of each
 * timer that the runner has set, and `pass()` has the time of the last one pass. */
async function runFile(code: string): Promise<Run> {
  const clock = `
    const { setTimeout, clearTimeout } = globalThis
    const timers = globalThis.timers = []
    let last
    globalThis.setTimeout = (call, ms) => {
      timers.push(ms)
      last = call
      return { unref: () => last }
    }
    globalThis.clearTimeout = timer => {
      if (timer === last) last = undefined
    }
    globalThis.pass = () => last()
  `
  const folder = await mkdtemp(join(tmpdir(), 'holster-'))
  try {
    const file = join(folder, 'file.test.mjs')
    await writeFile(file, code)
    const args = [
      `--import=data:text/javascript,${encodeURIComponent(clock)}`,
      `--import=${pathToFileURL(runner)}`,
      '--test',
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      `--test-reporter=${pathToFileURL(runner)}`,
      '--test-reporter-destination=stderr',
      file,
    ]
    return await run(process.execPath, args, { env })
  } finally {
    await rm(folder, { recursive: true })
  }
}

test('files are found in every folder of tests, by any part of their paths', async () => {
  const { code, stdout } = await runTests('docs/types', 'packages/process/test/suggestion', 'support/runs')
  assert.equal(code, 0, stdout)
  const names = [
    'a pattern with a tag narrows to that message',
    'letters may be missing, added, wrong or swapped',
    'a property runs as often as its test says',
  ]
  for (const name of names) assert.ok(stdout.includes(name), `${name} is missing in:\n${stdout}`)
})

test('a part of a path that no file has is an error', async () => {
  const { code, stderr } = await runTests('no-such-file', 'nor-this')
  assert.equal(code, 1)
  assert.match(stderr, /^No test file matches no-such-file or nor-this\.$/m)
})

test('each test has the whole time, however many are in its file', async () => {
  const { code, stdout } = await runFile(`
    import assert from 'node:assert/strict'
    import { test } from 'node:test'
    for (let n = 1; n <= 5; n++) {
      test(String(n), () => {
        // One timer for the beginning of the file, and one for each test and for the time behind it.
        assert.equal(timers.length, 2 * n)
        assert.ok(timers.every(ms => ms === timers[0]))
      })
    }
  `)
  assert.equal(code, 0, stdout)
  assert.match(stdout, /pass 5$/m)
})

test('a test that hangs ends its file, and is named', async () => {
  const { code, stdout, stderr } = await runFile(`
    import { createServer } from 'node:net'
    import { test } from 'node:test'
    test('passes', () => {})
    test('hangs', async () => {
      createServer().listen(0, '127.0.0.1', pass)
      await new Promise(() => {})
    })
  `)
  assert.notEqual(code, 0)
  assert.match(stdout + stderr, /The test "hangs" has taken more than 600000 ms; active: .*TCPServerWrap/)
})

test('what keeps a file alive behind its last test ends it, and is named', async () => {
  const { code, stdout, stderr } = await runFile(`
    import { createServer } from 'node:net'
    import { after, test } from 'node:test'
    test('leaves a server behind', (_, done) => {
      createServer().listen(0, '127.0.0.1', done)
    })
    after(() => setImmediate(pass))
  `)
  assert.notEqual(code, 0)
  assert.match(
    stdout + stderr,
    /Something that the tests left behind has taken more than 120000 ms; active: .*TCPServerWrap/,
  )
})

test('a file in which no test runs fails', async () => {
  const { code, stderr } = await runFile(`
    import { test } from 'node:test'
    test('skipped', { skip: true }, () => {})
  `)
  assert.equal(code, 1)
  assert.match(stderr, /^No test ran\.$/m)
})
