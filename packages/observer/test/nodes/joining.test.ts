// An observer is started before its program becomes a node, and looks at whatever nodes there are at the time of each look.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { spawnAt, startNode, stopNode, workers } from '@holster/node'
import { startObserver } from '@holster/observer'
import { createProcess } from '@holster/process'
import { countMessages } from '@holster/process/internal'
import type { ProcessRow, Table } from '../../src/words.ts'
import { ALL, Viewer } from '../support/viewer.ts'

const bodies = new URL('../support/waiter.mjs', import.meta.url)

/** Whether a message that comes now is counted. */
function isCounted(): boolean {
  const counted = () => {
    const count = countMessages()
    const { incoming } = count
    count.stop()
    return incoming
  }
  const process = createProcess<string>()
  const before = counted()
  process.send('one')
  process.exit()
  return counted() > before
}

test('a table that is looked at follows the nodes that come, go, and come back', async () => {
  const observer = await startObserver({ log: false })
  const viewer = await Viewer.open(observer)
  const nodes = viewer.watch({ name: 'nodes' })
  const id = viewer.watch({ name: 'processes', ...ALL, filter: ' waits' })
  const seen = (isWanted: (table: Table<ProcessRow>) => boolean) =>
    viewer.find(told => {
      if (told.type !== 'shown' || told.id !== id) return undefined
      const table = told.value as Table<ProcessRow>
      return isWanted(table) ? table : undefined
    })
  await seen(({ matching }) => matching === 0)
  await startNode({ name: 'main' })
  const self = createProcess<unknown>()
  const come = async (label: string) => {
    const threads = await workers(1)
    await spawnAt('main.1', bodies, 'waiter', label, self)
    await self.receive([{ type: 'waits' }])
    const { rows } = await seen(table => table.rows.some(row => row.label === `${label} waits`))
    assert.deepEqual(
      rows.map(({ node, label }) => [node, label]),
      [['main.1', `${label} waits`]],
    )
    await threads.stop()
  }
  await come('first')
  await come('second')
  await viewer.find(told => {
    if (told.type !== 'shown' || told.id !== nodes) return undefined
    return JSON.stringify(told.value).includes('"main"') ? told : undefined
  })
  assert.ok(isCounted())
  viewer.ask({ type: 'unwatch', id })
  viewer.ask({ type: 'unwatch', id: nodes })
  // The answer comes behind what was done for those before it, and needs no count.
  await viewer.see({ name: 'nodes' })
  viewer[Symbol.dispose]()
  while (isCounted()) await new Promise(resolve => setImmediate(resolve))
  await observer.stop()
  self.exit()
  await stopNode()
})
