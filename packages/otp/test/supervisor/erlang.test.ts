/** A random program gives the same trace here and on OTP. */

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { setExitHook } from '@holster/process'
import fc from 'fast-check'
import { runs } from '../../../../test/support/runs.ts'
import { canonical, runHere } from './local-peer.ts'
import { programs, toErlang } from './programs.ts'

const source = fileURLToPath(new URL('supervisor_peer.erl', import.meta.url))
const hasErlang = spawnSync('erlc', ['+help'], { stdio: 'ignore' }).error === undefined
const skip = hasErlang ? false : 'Erlang is not installed: no erlc'

/** Starts OTP, which answers programs with traces. */
async function startErlang(): Promise<{ run(line: string): Promise<string[]> } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'holster-supervisor-'))
  const compiled = spawnSync('erlc', ['-o', folder, source], { encoding: 'utf8' })
  assert.equal(compiled.status, 0, compiled.stdout + compiled.stderr)
  // A single scheduler, so that signals arrive in the order in which they were sent.
  const child = spawn('erl', ['+S', '1:1', '-noshell', '-pa', folder, '-s', 'supervisor_peer', 'main'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    async run(line) {
      child.stdin.write(`${line}\n`)
      const { value, done } = await lines.next()
      assert.equal(done, false, `OTP ended at ${line}`)
      return String(value).split('|')
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      await exited
      await rm(folder, { recursive: true })
    },
  }
}

test('a random program of supervisors has the same starts, exits, reports and replies as on OTP', {
  skip,
}, async t => {
  await using erlang = await startErlang()
  const previous = setExitHook(() => {})
  t.after(() => {
    setExitHook(previous)
  })
  const property = fc.asyncProperty(programs, async program => {
    const line = toErlang(program)
    const there = canonical(await erlang.run(line))
    assert.deepEqual(canonical(await runHere(program)), there, line)
  })
  await fc.assert(property, { ...runs(300), includeErrorInReport: true })
})
