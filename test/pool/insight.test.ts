/** The pools of the program, each with its process. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pools } from '@holster/gun/internal'
import { poolScene } from '../support/pool-scene.ts'

test('each pool is listed with its process and its facts, until it has ended', async () => {
  {
    await using first = await poolScene({ size: 2 })
    await using second = await poolScene({ scope: 'other' })
    const all = pools()
    assert.deepEqual(
      all.map(({ pid }) => pid),
      [first.pool, second.pool],
    )
    assert.deepEqual({ ...all[0]?.info }, { ...first.info() })
    assert.equal(all[1]?.info.scope, 'other')
  }
  assert.deepEqual(pools(), [])
})
