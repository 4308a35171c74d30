// An error about an unknown option suggests the names that are near.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createProcess, type ProcessOptions, type ReceiveOptions, spawn } from '../src/index.ts'
import { didYouMean } from '../src/internal.ts'
import { fromProcess } from '../src/xstate.ts'

const known = [
  'retry',
  'retryTimeout',
  'wsOpts',
  'connectTimeout',
  'tlsHandshakeTimeout',
  'tcpOpts',
  'wsOpts.compress',
]

test('snake case, other cases and hyphens are recognized', () => {
  for (const given of ['ws_opts', 'wsopts', 'WSOpts', 'ws-opts']) {
    assert.equal(didYouMean(given, known), ": did you mean 'wsOpts'?")
  }
  assert.equal(didYouMean('retry_timeout', known), ": did you mean 'retryTimeout'?")
})

test('an option that belongs to another object is named with that object, or with each of several', () => {
  assert.equal(didYouMean('compress', known), ": did you mean 'wsOpts.compress'?")
  const several = ['httpOpts.keepalive', 'http2Opts.keepalive', 'wsOpts.keepalive']
  assert.equal(
    didYouMean('keepAlive', several),
    ": did you mean 'httpOpts.keepalive', 'http2Opts.keepalive' or 'wsOpts.keepalive'?",
  )
})

test('a synonym suggests the first of its names that exists', () => {
  const synonyms = { after: ['timeout', 'retryTimeout'], lookup: ['tcpOpts.lookup'], jar: ['cookieStore'] }
  assert.equal(didYouMean('after', known, synonyms), ": did you mean 'retryTimeout'?")
  assert.equal(didYouMean('after', [...known, 'timeout'], synonyms), ": did you mean 'timeout'?")
  assert.equal(didYouMean('lookup', known, synonyms), ": did you mean 'tcpOpts.lookup'?")
  assert.equal(didYouMean('jar', known, synonyms), '')
})

test('letters may be missing, added, wrong or swapped, as long as most are right', () => {
  for (const given of [
    'conectTimeout',
    'connectTimeoutt',
    'connextTimeout',
    'connectTimeuot',
    'conecTimout',
  ]) {
    assert.equal(didYouMean(given, known), ": did you mean 'connectTimeout'?")
  }
  assert.equal(didYouMean('rerty', known), ": did you mean 'retry'?")
  assert.equal(didYouMean('xyzzy', known), '')
  assert.equal(didYouMean('cat', ['dog']), '')
})

test('a part of a name is enough, and the beginning of one that ends in Opts', () => {
  assert.equal(
    didYouMean('timeout', known),
    ": did you mean 'retryTimeout', 'connectTimeout' or 'tlsHandshakeTimeout'?",
  )
  assert.equal(didYouMean('ws', known), ": did you mean 'wsOpts'?")
  assert.equal(didYouMean('tcp', known), ": did you mean 'tcpOpts'?")
})

test('names of objects and very long names are no trouble', () => {
  for (const given of ['constructor', '__proto__', 'toString', '', 'x'.repeat(1_000_000)]) {
    assert.equal(didYouMean(given, known, {}), '')
  }
})

test('spawn, createProcess, fromProcess and receive tell what was meant', () => {
  const self = createProcess()
  const of = (options: object) => options as ProcessOptions
  const cases: [() => unknown, string][] = [
    [
      () => spawn(() => {}, of({ trap_exit: true })),
      "trap_exit is not an option of a process: did you mean 'trapExit'?",
    ],
    [() => createProcess(of({ nmae: 'x' })), "nmae is not an option of a process: did you mean 'name'?"],
    [
      () => fromProcess(() => {}, of({ high_water_mark: {} })),
      "high_water_mark is not an option of a process: did you mean 'highWaterMark'?",
    ],
    [
      () => self.receive([], { after: 5 } as ReceiveOptions),
      "after is not an option of receive: did you mean 'timeout'?",
    ],
    [
      () => self.receive([], { on_timeout: () => 1 } as ReceiveOptions),
      "on_timeout is not an option of receive: did you mean 'onTimeout'?",
    ],
    [() => createProcess(of({ xyzzy: 1 })), 'xyzzy is not an option of a process'],
  ]
  for (const [call, message] of cases)
    assert.throws(call, { name: 'TypeError', message: `options.${message}` })
  assert.throws(() => createProcess(of({ highWaterMark: { byte: 1 } })), {
    message: "highWaterMark.byte is not an option: did you mean 'bytes'?",
  })
})
