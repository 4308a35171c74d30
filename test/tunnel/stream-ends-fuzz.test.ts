// Whatever a server sends through a tunnel, whatever becomes of the tunnel, and whatever the caller does meanwhile, each stream ends
// exactly once, tunnels too.

import { test } from 'node:test'
import { fuzz, tunnelChecks } from '../support/fuzzed-streams.ts'
import { runs } from '../support/runs.ts'

const USUAL_RUNS = 60

for (const check of tunnelChecks) {
  test(`${check.name}: each stream ends exactly once, whatever comes`, () => fuzz(check, runs(USUAL_RUNS)))
}
