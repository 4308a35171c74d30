// The share of a turn for compression: who comes in time is served at once, and those who wait advance by turns.

import assert from 'node:assert/strict'
import { beforeEach, mock, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { runs } from '../../../../test/support/runs.ts'
import { add, begin, cancel, type Job } from '../../src/websocket/turn.ts'

const MIB = 1024 * 1024

let now = 0
mock.method(performance, 'now', () => now)
beforeEach(() => turn())

/** A job of so many pieces, each of which takes so many milliseconds, in eighths, and adds so many bytes. */
function job(name: string, log: string[], pieces: number, ms: number, bytes = 0): Job {
  let left = pieces
  return {
    step() {
      now += ms
      add(bytes)
      log.push(name)
      return --left === 0
    },
    report: () => log.push(`${name} is done`),
  }
}

test('a job that this turn has time for is done within the call, and not told of', async () => {
  const log: string[] = []
  assert.equal(begin(job('a', log, 3, 0.5)), true)
  await turn()
  assert.deepEqual(log, ['a', 'a', 'a'])
})

test('a turn goes on until 2 ms are over', async () => {
  const log: string[] = []
  assert.equal(begin(job('a', log, 1, 1.875)), true)
  assert.equal(begin(job('b', log, 1, 1)), true)
  assert.equal(begin(job('c', log, 1, 1)), false)
  assert.deepEqual(log, ['a', 'b'])
  await turn()
  assert.deepEqual(log, ['a', 'b', 'c', 'c is done'])
})

test('a turn goes on until a MiB was added', async () => {
  const log: string[] = []
  assert.equal(begin(job('a', log, 1, 0, MIB - 1)), true)
  assert.equal(begin(job('b', log, 1, 0, 1)), true)
  assert.equal(begin(job('c', log, 1, 0, 1)), false)
  await turn()
  assert.deepEqual(log, ['a', 'b', 'c', 'c is done'])
})

test('each turn has a share of its own', async () => {
  const log: string[] = []
  for (const name of ['a', 'b', 'c']) {
    assert.equal(begin(job(name, log, 1, 2)), true)
    await turn()
  }
})

test('those who wait advance by a piece, one after another, so that a long job holds nobody up', async () => {
  const log: string[] = []
  begin(job('long', log, 6, 1))
  begin(job('a', log, 1, 1))
  begin(job('b', log, 1, 1))
  assert.deepEqual(log.splice(0), ['long', 'long'])
  await turn()
  assert.deepEqual(log.splice(0), ['long', 'a', 'a is done'])
  await turn()
  assert.deepEqual(log.splice(0), ['b', 'b is done', 'long'])
  await turn()
  assert.deepEqual(log.splice(0), ['long', 'long', 'long is done'])
})

test('a job that is cancelled goes no further', async () => {
  const log: string[] = []
  const long = job('long', log, 9, 1)
  begin(long)
  begin(job('a', log, 1, 1))
  cancel(long)
  await turn()
  assert.deepEqual(log, ['long', 'long', 'a', 'a is done'])
})

test('a job may begin another, or cancel one, when it is told of', async () => {
  const log: string[] = []
  const other = job('other', log, 2, 1)
  const next = job('next', log, 1, 1)
  begin(job('first', log, 2, 1))
  begin({
    ...job('a', log, 1, 1),
    report() {
      cancel(other)
      log.push(String(begin(next)))
    },
  })
  begin(other)
  await turn()
  await turn()
  assert.deepEqual(log, ['first', 'first', 'a', 'next', 'true'])
})

test('whatever jobs there are, no turn takes longer than its share and a piece, and all are done', async () => {
  const jobs = fc.array(
    fc.record({ pieces: fc.integer({ min: 1, max: 8 }), ms: fc.constantFrom(0, 0.125, 0.75, 1, 3) }),
    { minLength: 1, maxLength: 12 },
  )
  await fc.assert(
    fc.asyncProperty(jobs, async given => {
      await turn()
      const log: string[] = []
      const longest = Math.max(...given.map(({ ms }) => ms))
      let start = now
      const done = new Set<number>()
      given.forEach(({ pieces, ms }, i) => {
        const each = job(String(i), log, pieces, ms)
        if (begin({ step: () => each.step(), report: () => done.add(i) })) done.add(i)
      })
      while (done.size < given.length) {
        assert.ok(now - start < 2 + longest, `a turn took ${now - start} ms`)
        start = now
        await turn()
      }
      for (const [i, { pieces }] of given.entries()) {
        assert.equal(log.filter(name => name === String(i)).length, pieces)
      }
    }),
    runs(200),
  )
})
