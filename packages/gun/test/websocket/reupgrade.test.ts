// How long a refused upgrade waits: whatever the options say, for a time that a timer can keep.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { delayAfter } from '../../src/websocket/reupgrade.ts'

const LONGEST = 2147483647

test('no delay is longer than a timer can be, however chance has it', () => {
  for (const headers of [[], [['retry-after', '999999999']]] as [string, string][][]) {
    for (let n = 0; n < 100; n++) {
      const delay = delayAfter({ maxDelay: LONGEST }, 503, headers, 40)
      assert.ok(delay !== undefined && delay <= LONGEST, `${delay} ms`)
    }
  }
})

test('no delay at all stays none after ever so many refusals', () => {
  assert.equal(delayAfter({ minDelay: 0 }, 503, [], 5000), 0)
})
