// Each step runs to its end: what is asked for within it is done behind it, in order, and before the next.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Steps } from '../../src/layer/steps.ts'

/** Steps are names; `within` says what a step asks for while it runs. */
function scene(within: (name: string, steps: Steps<string>) => void = () => {}) {
  const log: string[] = []
  const steps: Steps<string> = new Steps({
    perform(name) {
      log.push(`${name} begins`)
      within(name, steps)
      log.push(`${name} ends`)
    },
  })
  /** Takes what was noted since the last call. */
  return { steps, log, take: () => log.splice(0) }
}

describe('a step that is added', () => {
  test('while nothing is under way is done at once', () => {
    const { steps, take } = scene(() => assert.equal(steps.isBusy, true))
    steps.add('a')
    assert.deepEqual(take(), ['a begins', 'a ends'])
    assert.equal(steps.isBusy, false)
  })

  test('within another is done behind it, in the order of asking', () => {
    const { steps, take } = scene((name, steps) => {
      if (name === 'a') for (const next of ['b', 'c']) steps.add(next)
      if (name === 'b') steps.add('d')
    })
    steps.add('a')
    const order = ['a', 'b', 'c', 'd']
    assert.deepEqual(
      take(),
      order.flatMap(name => [`${name} begins`, `${name} ends`]),
    )
    assert.equal(steps.isBusy, false)
  })

  test('again and again does not fill the stack', () => {
    let left = 100_000
    const { steps, log } = scene((name, steps) => {
      if (left-- > 0) steps.add(name)
    })
    steps.add('a')
    assert.equal(log.length, 2 * 100_001)
  })
})

describe('a read', () => {
  test('of which each value is a step has done behind it what was asked for within it', () => {
    const { steps, log, take } = scene()
    assert.equal(steps.begin(), true)
    for (const value of [1, 2]) {
      log.push(`value ${value}`)
      steps.add(`asked within ${value}`)
      steps.settle()
    }
    steps.end(true)
    assert.deepEqual(take(), [
      'value 1',
      'asked within 1 begins',
      'asked within 1 ends',
      'value 2',
      'asked within 2 begins',
      'asked within 2 ends',
    ])
    assert.equal(steps.isBusy, false)
  })

  test('does what is left at its end', () => {
    const { steps, take } = scene()
    steps.begin()
    steps.add('a')
    assert.deepEqual(take(), [])
    steps.end(true)
    assert.deepEqual(take(), ['a begins', 'a ends'])
  })

  test('within a step does not end that step, and settles behind each of its own values', () => {
    const { steps, log, take } = scene((name, steps) => {
      if (name !== 'reads on') return
      assert.equal(steps.begin(), false)
      log.push('value')
      steps.add('asked')
      steps.settle()
      log.push('last value')
      steps.add('asked again')
      steps.end(false)
      assert.equal(steps.isBusy, true)
    })
    steps.add('reads on')
    assert.deepEqual(take(), [
      'reads on begins',
      'value',
      'asked begins',
      'asked ends',
      'last value',
      'asked again begins',
      'asked again ends',
      'reads on ends',
    ])
    assert.equal(steps.isBusy, false)
  })
})
