// All ways through two proxies to an origin, as Gun's tunnel_SUITE has them, and what a connection says of each.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allWays, wayName } from '../support/tunnel-ways.ts'
import { checkWay } from './way.ts'

for (const kinds of allWays) {
  test(`a way leads through ${wayName(kinds)}, and is told of`, () => checkWay(kinds))
}

test('these are all of them', () => assert.equal(allWays.length, 216))
