// Runs of random tests: counted, not timed, and what has failed can be had again.

import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import fc from 'fast-check'
import { runs } from './runs.ts'

const names = ['FUZZ_RUNS', 'FUZZ_SEED', 'FUZZ_PATH', 'FUZZ_SHRINK'] as const
const given = names.map(name => [name, process.env[name]] as const)

beforeEach(() => {
  for (const name of names) delete process.env[name]
})
afterEach(() => {
  for (const [name, value] of given) if (value !== undefined) process.env[name] = value
})

test('a property runs as often as its test says, or as the environment does', () => {
  const count = (): number => {
    let ran = 0
    fc.assert(
      fc.property(fc.nat(), () => void ran++),
      runs(30),
    )
    return ran
  }
  assert.equal(count(), 30)
  process.env.FUZZ_RUNS = '70'
  assert.equal(count(), 70)
  process.env.FUZZ_RUNS = 'many'
  assert.throws(count, /FUZZ_RUNS must be a whole number, not many/)
})

test('a failure prints its seed and path, which repeat it', () => {
  const tried: number[] = []
  const fail = () =>
    fc.assert(
      fc.property(fc.nat(), n => {
        tried.push(n)
        return n < 1000
      }),
      runs(1000),
    )
  let text = ''
  assert.throws(fail, ({ message }: Error) => {
    text = message
    return true
  })
  const [, seed, path] = /seed: (-?\d+), path: "([\d:]+)"/.exec(text) ?? []
  const failed = tried.at(-1)
  tried.length = 0
  process.env.FUZZ_SEED = seed
  process.env.FUZZ_PATH = path
  assert.throws(fail)
  assert.deepEqual(tried, [failed])
})

test('a failure is made smaller only where that is asked for', () => {
  const tries = (): number => {
    let failed = 0
    const property = fc.property(fc.integer({ min: 1_000_000 }), () => {
      failed++
      return false
    })
    assert.throws(() => fc.assert(property, runs(1)))
    return failed
  }
  assert.equal(tries(), 1)
  process.env.FUZZ_SHRINK = '1'
  assert.ok(tries() > 1)
})
