// Runs every test, or those whose path contains one of the arguments: node test/run.mjs [part of a path…]
// It is its own second reporter, because a run in which no test ran has to fail, and node lets it pass; and every
// test file imports it, because from Node 24 --test-timeout no longer ends a file that something keeps alive.

import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'

const self = fileURLToPath(import.meta.url)
const root = resolve(self, '../..')
const timeout = 120_000

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
    `--test-timeout=${timeout}`,
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

function endWhenKeptAlive() {
  const end = () => {
    console.error(`Kept alive by ${process.getActiveResourcesInfo().join(', ') || 'nothing'}.`)
    process.exit(1)
  }
  // Later than the timeout of a test, which can say which test it was.
  setTimeout(end, timeout + 5_000).unref()
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === self) main(process.argv.slice(2))
else if (process.env.NODE_TEST_CONTEXT !== undefined && isMainThread) endWhenKeptAlive()
