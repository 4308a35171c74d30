// Runs every test, or those whose path contains one of the arguments: node test/run.mjs [part of a path…]
// The file has two more tasks. As a reporter it fails a run in which no test ran, which Node lets pass. Imported by every file of
// tests it bounds the time of each test and of whatever keeps the file alive behind its last one: Node bounds the time of files,
// and a file that has many tests takes long on a busy machine.

import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, relative, resolve, sep } from 'node:path'
import { after, afterEach, beforeEach } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'

const self = fileURLToPath(import.meta.url)
const root = resolve(self, '../..')
/** Milliseconds that only a test which hangs takes, also on a machine many times slower or busier than usual. */
const longestTest = 600_000
const longestEnd = 120_000

function testFiles(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return ['node_modules', 'dist'].includes(entry.name) ? [] : testFiles(path)
    return entry.name.endsWith('.test.ts') ? [relative(root, path)] : []
  })
}

export default async function* failWhenNothingRan(events) {
  let ran = 0
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue
    // Node 20 reports a file without tests as a test of that file's name.
    const isFile = data.file !== undefined && resolve(root, data.name) === data.file
    if (data.details?.type !== 'suite' && data.skip === undefined && !isFile) ran += 1
  }
  if (ran === 0) {
    process.exitCode = 1
    yield 'No test ran.\n'
  }
}

function main(filters) {
  const packages = readdirSync(join(root, 'packages')).map(name => join(root, 'packages', name, 'test'))
  const files = [...packages, join(root, 'test')]
    .flatMap(testFiles)
    .filter(file => filters.length === 0 || filters.some(part => file.split(sep).join('/').includes(part)))
    .sort()
  if (files.length === 0) {
    console.error(`No test file${filters.length > 0 ? ` matches ${filters.join(' or ')}` : ''}.`)
    process.exitCode = 1
    return
  }
  const args = [
    '--import=tsx',
    `--import=${import.meta.url}`,
    '--expose-gc',
    '--test',
    `--test-concurrency=${availableParallelism()}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${import.meta.url}`,
    '--test-reporter-destination=stderr',
    ...files,
  ]
  spawn(process.execPath, args, { cwd: root, stdio: 'inherit' }).on('exit', (code, signal) => {
    if (signal !== null) console.error(`The test runner was ended by ${signal}.`)
    process.exitCode = code ?? 1
  })
}

function endWhatHangs() {
  // A test may fake the clock.
  const { setTimeout, clearTimeout } = globalThis
  let timer
  const allow = (name, ms) => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      const active = process.getActiveResourcesInfo().join(', ') || 'nothing'
      console.error(`${name} has taken more than ${ms} ms; active: ${active}.`)
      process.exit(1)
    }, ms).unref()
  }
  allow('The beginning of the file', longestTest)
  beforeEach(({ name }) => allow(`The test "${name}"`, longestTest))
  afterEach(() => allow('The time between two tests', longestTest))
  after(() => allow('Something that the tests left behind', longestEnd))
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === self) main(process.argv.slice(2))
else if (process.env.NODE_TEST_CONTEXT !== undefined && isMainThread) endWhatHangs()
