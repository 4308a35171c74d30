// Random conversations of a server, most of them changed, with a user who asks for things between the values. Whatever comes, the
// values keep to the lives of streams, and a reader that knows nothing of the engine finds what is written to be a client's.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../../../../test/support/runs.ts'
import type { EngineOptions } from '../../../src/http2/engine/settings.ts'
import { usual, windowOf } from '../../support/engine.ts'
import {
  type Act,
  act,
  type Change,
  change,
  changed,
  converse,
  type Move,
  move,
} from '../../support/engine-fuzz.ts'
import { EngineUser } from '../../support/engine-user.ts'

const options: readonly EngineOptions[] = [
  usual,
  { ...usual, connectionWindow: windowOf(65_535), streamWindow: windowOf(20_000) },
  { ...usual, streamWindow: windowOf(200), dataThreshold: 100, maxConcurrentStreams: 1 },
  { ...usual, enablePush: false, maxDecodeTableSize: 100, maxEncodeTableSize: 0 },
  {
    ...usual,
    maxHeaderListSize: 250,
    maxHeaderBlock: 300,
    maxFrameSizeReceived: 20_000,
    maxFrameSizeSent: 16_384,
  },
]

interface Script {
  readonly opts: number
  readonly streams: readonly number[]
  readonly moves: readonly Move[]
  readonly changes: readonly Change[]
  readonly acts: readonly Act[]
  readonly cuts: readonly number[]
}

const cut = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 30 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 3 }) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 20_000 }) },
)
const script: fc.Arbitrary<Script> = fc.record({
  opts: fc.nat(options.length - 1),
  streams: fc.array(fc.nat(9), { minLength: 1, maxLength: 5 }),
  moves: fc.array(move, { minLength: 5, maxLength: 50, size: 'max' }),
  changes: fc.oneof(
    { weight: 1, arbitrary: fc.constant([]) },
    { weight: 3, arbitrary: fc.array(change, { minLength: 1, maxLength: 3 }) },
  ),
  acts: fc.array(act, { minLength: 3, maxLength: 40, size: 'max' }),
  cuts: fc.array(cut, { minLength: 1, maxLength: 10 }),
})

const methods = ['GET', 'GET', 'POST', 'HEAD', 'CONNECT']

function run({ opts, streams, acts }: Script, pieces: readonly Buffer[], actsOnData: boolean): EngineUser {
  const user = new EngineUser(options[opts] ?? usual, acts, actsOnData)
  for (const each of streams) {
    const method = methods[each % methods.length] ?? 'GET'
    user.open(method, method !== 'CONNECT' && each < 4)
  }
  for (const piece of pieces) user.give(piece)
  user.end()
  return user
}

function bytesOf({ opts, moves, changes, streams }: Script): Buffer {
  const pushes = (options[opts] ?? usual).enablePush
  return Buffer.concat(changed(converse(moves, streams.length, pushes), changes))
}

function cutUp(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = cuts[i % cuts.length] ?? 1
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}

test('Whatever a server sends, streams keep to their lives, and a client writes what a client may', () => {
  fc.assert(
    fc.property(script, given => {
      run(given, cutUp(bytesOf(given), given.cuts), true)
    }),
    runs(1500),
  )
})

test('A server that is right breaks nothing', () => {
  fc.assert(
    fc.property(script, given => {
      // The server does not look at methods.
      const streams = given.streams.map(each => each % 3)
      const right = { ...given, opts: 0, streams, changes: [] }
      const { told } = run(right, cutUp(bytesOf(right), given.cuts), true)
      assert.deepEqual(
        told.filter(line => /^(broken|failure)/.test(line)),
        [],
      )
    }),
    runs(500),
  )
})

test('The same values come, and the same frames are written, whatever pieces the bytes come in', () => {
  fc.assert(
    fc.property(script, given => {
      const bytes = bytesOf(given)
      const whole = run(given, [bytes], false)
      for (const cuts of [given.cuts, ...(bytes.length < 2000 ? [[1]] : [])]) {
        const cut = run(given, cutUp(bytes, cuts), false)
        assert.deepEqual(cut.told, whole.told)
        assert.deepEqual(cut.client.told, whole.client.told)
      }
    }),
    runs(1000),
  )
})
