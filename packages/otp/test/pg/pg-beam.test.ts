// Process groups behave as those of OTP, which runs the same random programs beside them where Erlang is installed.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { runs } from '../../../../test/support/runs.ts'
import { GROUPS, program, type Step, type View } from './pg-program.ts'
import { run } from './pg-run.ts'

/** The monitors of `pg` came with OTP 25.1. */
const hasErlang =
  spawnSync('erl', [
    '-noshell',
    '-eval',
    'pg:module_info(), halt(case erlang:function_exported(pg, monitor, 1) of true -> 0; _ -> 1 end).',
  ]).status === 0

function termOf(step: Step): string {
  switch (step.do) {
    case 'join':
    case 'leave':
      return `{${step.do},${GROUPS[step.group]},${JSON.stringify(step.pids)}}`
    case 'exit':
      return `{exit,${step.pid}}`
    case 'monitor':
      return `{monitor,${GROUPS[step.group]}}`
    case 'monitorScope':
      return 'monitor_scope'
    case 'demonitor':
      return `{demonitor,${step.monitor}}`
  }
}

/** Orders the changes by monitor: OTP tells several monitors in no particular order. */
function ordered(views: readonly View[]): View[] {
  return views.map(view => ({ ...view, changes: [...view.changes].sort(([a], [b]) => a - b) }))
}

test('programs of joins, leaves, ends and monitors look the same on the BEAM', {
  skip: hasErlang ? false : 'Erlang/OTP 25.1 or newer is not installed',
}, async () => {
  const beam = spawn('escript', [fileURLToPath(new URL('pg.escript', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const answers = createInterface({ input: beam.stdout })[Symbol.asyncIterator]()
  const ask = async (steps: readonly Step[]): Promise<View[]> => {
    beam.stdin.write(`[${steps.map(termOf).join()}]\n`)
    const { done, value } = await answers.next()
    assert.equal(done, false, 'the BEAM has ended')
    return JSON.parse(value)
  }
  try {
    await fc.assert(
      fc.asyncProperty(program(1), async steps => {
        assert.deepEqual(ordered(await run(steps)), ordered(await ask(steps)))
      }),
      runs(200),
    )
  } finally {
    beam.stdin.end()
    await once(beam, 'close')
  }
})
