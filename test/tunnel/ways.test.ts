// All ways through two proxies to an origin, as Gun's tunnel_SUITE has them, and what a connection says of each.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Kinds, proxyKinds } from '../support/tunnel-chains.ts'
import { originKinds } from '../support/tunnel-origins.ts'
import { wayName } from '../support/tunnel-ways.ts'
import { checkWay } from './way.ts'

const ways = proxyKinds.flatMap(first =>
  proxyKinds.flatMap(second => originKinds.map((origin): Kinds => [first, second, origin])),
)

for (const kinds of ways) {
  test(`a way leads through ${wayName(kinds)}, and is told of`, () => checkWay(kinds))
}

test('these are all of them', () => assert.equal(ways.length, 216))
