// Whatever a server sends over HTTP/2, each stream ends exactly once. Each check is a process of its own, since Node may abort
// over what a server sends: then one test fails, with its seed.

import { test } from 'node:test'
import { checks, USUAL_RUNS } from '../support/fuzzed-streams.ts'
import { runAlone } from '../support/program.ts'
import { runs } from '../support/runs.ts'

for (const { name } of checks.filter(({ isAlone }) => isAlone)) {
  test(`${name}: each stream ends exactly once, whatever comes, and the program lives on`, async t => {
    await runAlone('http2/stream-ends-fuzz.ts', [name, String(runs(USUAL_RUNS).seed)], t.signal)
  })
}
