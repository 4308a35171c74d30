// Longer ways, chosen at random: what holds of two proxies holds of any number of them.

import { test } from 'node:test'
import fc from 'fast-check'
import { runs } from '../support/runs.ts'
import { type Kinds, proxyKinds } from '../support/tunnel-chains.ts'
import { originKinds } from '../support/tunnel-origins.ts'
import { checkWay } from './way.ts'

const proxy = fc.constantFrom(...proxyKinds)
const origin = fc.constantFrom(...originKinds)
const depths: readonly (readonly [depth: number, usual: number])[] = [
  [3, 12],
  [4, 5],
  [6, 2],
]

for (const [depth, usual] of depths) {
  test(`ways through ${depth} proxies, chosen at random, are as those through two`, async () => {
    const proxies = fc.array(proxy, { minLength: depth, maxLength: depth })
    const way = fc.tuple(proxies, origin).map(([hops, end]) => [...hops, end] as unknown as Kinds)
    await fc.assert(fc.asyncProperty(way, checkWay), runs(usual))
  })
}
