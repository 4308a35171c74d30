// All looks together take at most a twenty-fifth of the time, however many look and however often they ask.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Budget } from '../../src/server/budget.ts'

test('many looks, each as soon as it may begin, take a twenty-fifth of the time', () => {
  let now = 1000
  let spent = 0
  const budget = new Budget(() => now)
  for (let i = 0; i < 10_000; i++) {
    now += budget.wait
    assert.equal(budget.wait, 0)
    const took = (i % 7) * 10
    now += took
    spent += took
    budget.spend(took)
  }
  const share = (spent - 200) / (now - 1000)
  assert.ok(share > 0.039 && share < 0.0405, String(share))
})

test('what was not spent is not saved up, but for a fifth of a second', () => {
  let now = 0
  const budget = new Budget(() => now)
  now = 1_000_000
  budget.spend(200)
  assert.equal(budget.wait, 0)
  budget.spend(1)
  assert.equal(budget.wait, 25)
  now += 24
  assert.equal(budget.wait, 1)
})
