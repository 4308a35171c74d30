// Whatever a server sends over HTTP or as a WebSocket, and whatever the caller does meanwhile, each stream ends exactly once.

import { test } from 'node:test'
import { checks, fuzz, USUAL_RUNS } from '../support/fuzzed-streams.ts'
import { runs } from '../support/runs.ts'

for (const check of checks) {
  test(`${check.name}: each stream ends exactly once, whatever comes`, () => fuzz(check, runs(USUAL_RUNS)))
}
