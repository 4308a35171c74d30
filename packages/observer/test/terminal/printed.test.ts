// The program without a terminal: one table, JSON, help, and errors that say what to do.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startObserver } from '@holster/observer'
import { createProcess } from '@holster/process'
import { recordingServer } from '../support/recording-server.ts'

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs the program to its end. */
async function run(args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  const child = spawn(process.execPath, [CLI, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code, out, err }
}

test('prints one table without a terminal, and exits', async () => {
  await using observer = await startObserver({ log: false })
  const full = createProcess<number>()
  full.label = 'printed \x1b[31m'
  for (const message of [1, 2, 3]) full.send(message)
  for (const args of [[observer.url], ['--once', observer.url]]) {
    const { code, out, err } = await run(args)
    assert.equal(err, '')
    assert.equal(code, 0)
    const lines = out.split('\n')
    assert.match(lines[0] as string, /^nonode@nohost /)
    assert.match(out, /^ID +NAME +STATUS/m)
    assert.match(out, new RegExp(`^${full.id} +printed \\\\x1b\\[31m .*\\b3\\b`, 'm'))
    assert.ok(!out.includes('\x1b'))
  }
  full.exit()
})

test('prints the table that --view names', async () => {
  await using observer = await startObserver({ log: false })
  const { out } = await run(['--view', 'connections', observer.url])
  assert.match(out, /^ID↑? +STATE +ORIGIN/m)
})

test('prints the overview as JSON', async () => {
  await using observer = await startObserver({ log: false })
  const { code, out } = await run(['--json', observer.url])
  const overview = JSON.parse(out)
  assert.equal(code, 0)
  assert.equal(overview.pid, process.pid)
  assert.ok(Array.isArray(overview.samples))
})

test('knows the token from the URL, and from the environment', async () => {
  const token = 'a-token/of+its=own&more'
  await using observer = await startObserver({ log: false, token })
  assert.match(observer.url, /#token=/)
  assert.equal((await run(['--once', observer.url])).code, 0)
  const bare = `http://127.0.0.1:${observer.port}`
  assert.equal((await run(['--once', bare], { HOLSTER_OBSERVER_TOKEN: token })).code, 0)
  const { code, err } = await run(['--once', bare])
  assert.equal(code, 1)
  assert.match(err, /^holster-observer: .*token is missing or wrong/)
})

test('takes an address without a scheme, and a port of this machine', async () => {
  await using observer = await startObserver({ log: false })
  assert.equal((await run(['--once', `127.0.0.1:${observer.port}`])).code, 0)
  assert.equal((await run(['--once', `${observer.port}`])).code, 0)
})

for (const [what, args, message] of [
  ['no URL', [], /the URL of an observer is missing/],
  ['two URLs', ['http://a', 'http://b'], /one URL is enough/],
  ['an unknown option', ['--often', 'http://a'], /--often/],
  [
    'an unknown table',
    ['--view', 'trees', 'http://a'],
    /--view must be one of processes, connections, nodes, not trees/,
  ],
  ['another scheme', ['ftp://a'], /must begin with http/],
  ['no URL at all', ['http://'], /is no URL/],
] as const) {
  test(`says what is wrong with ${what}`, async () => {
    const { code, err, out } = await run(args)
    assert.equal(code, 1)
    assert.equal(out, '')
    assert.match(err, message)
    assert.match(err, /Try: holster-observer --help/)
  })
}

test('says what to do where nothing listens', async () => {
  const server = await recordingServer()
  const { port } = server
  await server[Symbol.asyncDispose]()
  const { code, err } = await run([`http://127.0.0.1:${port}`])
  assert.equal(code, 1)
  assert.match(err, new RegExp(`nothing listens at 127.0.0.1:${port}: is the program running`))
})

for (const [what, path, message] of [
  ['refuses', 'refused', /refuses with the status 403/],
  ['answers an upgrade wrongly', 'wrong', /cannot look at/],
  ['says something else', 'chat', /is no observer/],
] as const) {
  test(`says so where a server ${what}`, async () => {
    await using server = await recordingServer()
    const { code, err } = await run([`http://127.0.0.1:${server.port}/${path}`])
    assert.equal(code, 1)
    assert.match(err, /^holster-observer: .+/)
    assert.match(err, message)
  })
}

test('prints its help and its version', async () => {
  const help = await run(['--help'])
  assert.equal(help.code, 0)
  assert.match(help.out, /^Usage: holster-observer \[options\] URL/)
  const printed = await run(['--version'])
  assert.equal(printed.out, `${version}\n`)
})
