// A promise that a user's function returns to no awaiter is reported when it rejects.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createProcess } from '../../src/index.ts'
import { onRejection, reportRejection, watch } from '../../src/internal.ts'
import { collectExits, collectUnhandled } from '../support/exits.ts'
import { turn } from '../support/turns.ts'

type Fail = (reason: unknown) => void

const boom = new Error('boom')
const fail = () => {
  throw boom
}
const reject = (_: unknown, no: Fail) => no(boom)
const withThen = (value: object, then: PropertyDescriptor) => Object.defineProperty(value, 'then', then)
const unexpected: Fail = reason => assert.fail(String(reason))

describe('a result that is', () => {
  for (const [what, result] of [
    ['undefined', undefined],
    ['null', null],
    ['a number', 5],
    ['a string', 'then'],
    ['a function', () => {}],
    ['an object', {}],
    ['an object whose then is no function', withThen({}, { value: 5 })],
    ['an object without a prototype', withThen(Object.create(null), {})],
    ['an object whose then cannot be read', withThen({}, { get: fail })],
    ['a proxy that lets nothing be read', new Proxy({}, { get: fail })],
  ] as const) {
    test(`${what} is no promise`, () => {
      assert.equal(onRejection(result, unexpected), false)
    })
  }

  for (const [what, call] of [
    ['a promise that rejects', () => Promise.reject(boom)],
    ['an async function that throws', async () => fail()],
    ['an object that can be awaited', () => withThen({}, { value: reject })],
    ['an object whose then throws', () => withThen({}, { value: fail })],
    ['a function that can be awaited', () => withThen(() => {}, { value: reject })],
  ] as const) {
    test(`${what} is reported once, and never unhandled`, async t => {
      const unhandled = collectUnhandled(t)
      const reasons: unknown[] = []
      assert.equal(
        onRejection(call(), reason => reasons.push(reason)),
        true,
      )
      await turn()
      await turn()
      assert.deepEqual(reasons, [boom])
      assert.deepEqual(unhandled, [])
    })
  }

  for (const [what, result] of [
    ['a promise that resolves', Promise.resolve(1)],
    ['a promise that never settles', new Promise(() => {})],
  ] as const) {
    test(`${what} is a promise, and nothing is reported`, async () => {
      assert.equal(onRejection(result, unexpected), true)
      await turn()
    })
  }
})

test('a reported rejection goes to the exit hook as a thrown error does, also an orderly reason', async t => {
  const exits = collectExits(t)
  reportRejection('mine', Promise.reject(boom))
  reportRejection('mine', Promise.reject('normal'))
  reportRejection('mine', undefined)
  await turn()
  assert.deepEqual(
    exits.map(({ pid, reason }) => [pid, reason === boom || (reason as Error).cause]),
    [
      ['mine', true],
      ['mine', 'normal'],
    ],
  )
})

test('a listener of watch that is asynchronous and rejects is reported, and keeps nothing from the others', async t => {
  const exits = collectExits(t)
  const unhandled = collectUnhandled(t)
  const self = createProcess()
  const told: unknown[] = []
  watch(self, async () => fail())
  watch(self, reason => told.push(reason))
  self.exit()
  await turn()
  assert.deepEqual(told, ['normal'])
  assert.deepEqual(
    exits.map(({ reason }) => reason),
    [boom],
  )
  assert.deepEqual(unhandled, [])
})
