// A filter is a pattern in JSON5, in which handles are written as they print.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createProcess, makeRef } from '@holster/process'
import { filterOf } from '../../src/looking/filter.ts'

test('an empty filter lets everything pass', () => {
  assert.equal(filterOf('  ')({ type: 'any' }), true)
})

test('an object matches messages that have its fields, an array one of equal length', () => {
  const passes = filterOf("{ type: 'gun_ws', frame: ['text', 'hi'] }")
  assert.equal(passes({ type: 'gun_ws', connPid: 1, frame: ['text', 'hi'] }), true)
  assert.equal(passes({ type: 'gun_ws', frame: ['text', 'hi', 'ho'] }), false)
  assert.equal(passes({ type: 'gun_up' }), false)
  assert.equal(passes(undefined), false)
})

test('the print of a handle matches the handle, with its name or without', () => {
  const ref = makeRef()
  assert.equal(filterOf(`{ ref: '${ref}' }`)({ ref }), true)
  assert.equal(filterOf(`{ ref: '${ref}' }`)({ ref: makeRef() }), false)
  const process = createProcess({ name: 'filtered' })
  assert.equal(filterOf(`{ from: '${process.id}' }`)({ from: process }), true)
  assert.equal(filterOf(`{ from: '${process}' }`)({ from: process }), true)
  assert.equal(filterOf("{ from: '#Process<0>' }")({ from: '#Process<0>' }), true)
  process.exit()
})

test('text that is no JSON5 throws an Error that says how a pattern is written', () => {
  assert.throws(() => filterOf('{ type: P.string }'), /not JSON5: .*Write it like \{ type: 'gun_ws'/)
})

test('a message whose getter throws does not pass', () => {
  const message = Object.defineProperty({}, 'type', {
    get: () => {
      throw new Error('no')
    },
  })
  assert.equal(filterOf("{ type: 'a' }")(message), false)
})
