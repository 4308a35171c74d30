import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { runs } from '../../../../test/support/runs.ts'
import { Fifo } from '../../src/exchange/fifo.ts'

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ does: fc.constant('push' as const), item: fc.nat(20) }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('shift' as const) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('remove' as const), item: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('takeAll' as const) }) },
)

test('it does what an array does', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), steps => {
      const fifo = new Fifo<number>()
      const model: number[] = []
      for (const each of steps) {
        if (each.does === 'push') {
          fifo.push(each.item)
          model.push(each.item)
        } else if (each.does === 'shift') {
          assert.equal(fifo.shift(), model.shift())
        } else if (each.does === 'takeAll') {
          assert.deepEqual(fifo.takeAll(), model.splice(0))
        } else {
          const at = model.indexOf(each.item)
          if (at !== -1) model.splice(at, 1)
          assert.equal(fifo.remove(each.item), at !== -1)
          assert.equal(fifo.includes(each.item), model.includes(each.item))
        }
        assert.equal(fifo.length, model.length)
        assert.equal(fifo.first, model[0])
        assert.deepEqual([...fifo], model)
        assert.equal(
          fifo.find(item => item > 10),
          model.find(item => item > 10),
        )
      }
    }),
    runs(100),
  )
})

test('a million items are taken one by one, while others are added', () => {
  const fifo = new Fifo<number>()
  const many = 1_000_000
  for (let i = 0; i < many; i++) fifo.push(i)
  for (let i = 0; i < many; i++) {
    if (i % 2 === 0) fifo.push(many + i / 2)
    if (fifo.shift() !== i) assert.fail(`${i} was not the first`)
  }
  assert.equal(fifo.length, many / 2)
  assert.equal(fifo.first, many)
})
