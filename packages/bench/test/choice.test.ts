/** The command line chooses benchmarks, rows and clients by their names, and refuses names that nothing has. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { choiceOf } from '../src/choice.ts'

const benchmarks = [
  {
    name: 'sums',
    tables: [{ title: '', digits: 0, clients: ['holster', 'ws'], rows: ['small', 'large'] }],
  },
  { name: 'products', tables: [{ title: '', digits: 0, clients: ['holster', 'bun'], rows: ['tiny'] }] },
] as const

const clients = ['holster', 'ws']

test('without arguments everything is measured but rows that are measured on demand, and nothing is recorded', () => {
  const choice = choiceOf([], benchmarks)
  assert.deepEqual(choice.names, ['sums', 'products'])
  assert.deepEqual(choice.clientsOf({ clients }), clients)
  assert.equal(choice.rounds, 7)
  assert.equal(choice.isWanted('small'), true)
  assert.equal(choice.isWanted('small', true), false)
  assert.equal(choice.isRecording || choice.isChecking || choice.isRecorded || choice.isListing, false)
})

test('parts of names choose rows, also those that are measured on demand', () => {
  const choice = choiceOf(['sma', 'ti'], benchmarks)
  assert.equal(choice.isWanted('small'), true)
  assert.equal(choice.isWanted('small', true), true)
  assert.equal(choice.isWanted('large'), false)
  assert.equal(choice.isWanted('tiny'), true)
})

test('benchmarks and clients are chosen by their names', () => {
  const choice = choiceOf(
    ['--benchmarks=sums', '--clients=ws', '--rounds=1', '--write', '--check'],
    benchmarks,
  )
  assert.deepEqual(choice.names, ['sums'])
  assert.deepEqual(choice.clientsOf({ clients }), ['ws'])
  assert.equal(choice.rounds, 1)
  assert.equal(choice.isRecording, true)
  assert.equal(choice.isChecking, true)
})

test('a name that nothing has is refused with those that there are', () => {
  const refuses = (args: readonly string[], message: RegExp) =>
    assert.throws(() => choiceOf(args, benchmarks), message)
  refuses(['--benchmarks=sum'], /^RangeError: --benchmarks must name sums, products, not sum$/)
  refuses(['--clients=holster,curl'], /^RangeError: --clients must name holster, ws, bun, not curl$/)
  refuses(['--benchmarks=sums', '--clients=bun'], /^RangeError: --clients must name holster, ws, not bun$/)
  refuses(['huge'], /^RangeError: no row of sums, products has a name with huge in it$/)
  refuses(['--benchmarks=sums', 'tiny'], /^RangeError: no row of sums has a name with tiny in it$/)
  refuses(['--cleartext'], /Unknown option/)
})

test('rounds are a whole number above 0', () => {
  for (const rounds of ['0', '-1', '1.5', 'many']) {
    assert.throws(() => choiceOf([`--rounds=${rounds}`], benchmarks), /^RangeError: --rounds must be/)
  }
})
