// Whatever a server sends over HTTP/1.1 or as a WebSocket, and whatever the caller does meanwhile, each stream ends exactly once.

import { test } from 'node:test'
import { checks, fuzz, runsOf, seedOf } from '../support/fuzzed-streams.ts'

for (const what of checks.filter(({ isAlone }) => !isAlone)) {
  test(`${what.name}: each stream ends exactly once, whatever comes`, () => fuzz(what, seedOf(), runsOf()))
}
