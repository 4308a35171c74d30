// The same over HTTP/2, each in a process of its own: Node may abort over what comes, and then one test fails with its seed.

import { test } from 'node:test'
import { checks, runsOf, seedOf } from '../support/fuzzed-streams.ts'
import { runAlone } from '../support/program.ts'

for (const { name } of checks.filter(({ isAlone }) => isAlone)) {
  test(`${name}: each stream ends exactly once, whatever comes, and the program lives on`, async t => {
    await runAlone('http2/stream-ends-fuzz.ts', [name, String(seedOf()), String(runsOf())], t.signal)
  })
}
