import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pauseOf } from '../../src/pool/backoff.ts'

const settings = { backoff: 1000, maxBackoff: 5000 }

/** Gives the pauses behind so many failures, where chance gives this. */
function pauses(chance: number, failures: readonly number[]): number[] {
  const { random } = Math
  Math.random = () => chance
  try {
    return failures.map(count => pauseOf(settings, count, false))
  } finally {
    Math.random = random
  }
}

test('the pause is doubled with each failure, half more or less, and never more than maxBackoff', () => {
  assert.deepEqual(pauses(0, [1, 2, 3, 4, 100]), [500, 1000, 2000, 2500, 2500])
  assert.deepEqual(pauses(0.5, [1, 2, 3, 4, 100]), [1000, 2000, 4000, 5000, 5000])
  assert.deepEqual(pauses(1, [1, 2, 3, 4, 100]), [1500, 3000, 5000, 5000, 5000])
})

test('a connection that was of use is made again soon, and at once where it ended in order', () => {
  assert.deepEqual(pauses(0.5, [0]), [500])
  assert.equal(pauseOf(settings, 0, true), 0)
})
