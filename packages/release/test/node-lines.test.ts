// The newest Node of long-term support is the newest whose program says so, among those that can be fetched.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type NodeProgram, newestLts } from '../src/node-lines.ts'

/** Gives programs as if they had been fetched; of other lines a sentence. */
function having(...lts: readonly (readonly [line: string, isLts: boolean])[]) {
  return async (line: string): Promise<NodeProgram | string> => {
    const [, isLts] = lts.find(([each]) => each === line) ?? []
    return isLts === undefined
      ? `Node ${line} cannot be fetched.`
      : { version: `v${line}.1.0`, path: line, isLts }
  }
}

test('a newer line that is not in its long-term support yet is passed over', async () => {
  const node = await newestLts(['20', '22', '24', '26'], having(['22', true], ['24', true], ['26', false]))
  assert.deepEqual(node, { version: 'v24.1.0', path: '24', isLts: true })
})

test('a line counts by its number, wherever it stands', async () => {
  const node = await newestLts(['24', '8', '22'], having(['8', true], ['22', true], ['24', true]))
  assert.deepEqual(node, { version: 'v24.1.0', path: '24', isLts: true })
})

test('without any there is a reason for each', async () => {
  assert.equal(
    await newestLts(['24', '26'], having(['26', false])),
    'Node v26.1.0 is not in its long-term support. Node 24 cannot be fetched.',
  )
})
