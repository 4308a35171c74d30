// A way to another node that is full holds up the sources that feed it, and no longer than it is there.

import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { moduleAt, spawnAt, startNode, stopNode, type Workers, workers } from '@holster/node'
import { createProcess, type Pid } from '@holster/process'
import { deliver, Source } from '@holster/process/internal'
import type { Death } from './support/bodies.ts'

const bodies = moduleAt<typeof import('./support/bodies.ts')>(new URL('./support/bodies.ts', import.meta.url))
const preload = [new URL('./support/typescript.mjs', import.meta.url)]

let all: Workers | undefined

afterEach(async () => {
  await all?.stop()
  await stopNode()
})

/** A pid of another node, as sources deliver to it. */
interface Fed {
  [deliver](source: Source, message: unknown, bytes: number): void
}

/** Makes a source that notes whether it is paused. */
function tap(): { readonly source: Source; isPaused: boolean } {
  const made = {
    isPaused: false,
    source: new Source({
      pause: () => {
        made.isPaused = true
      },
      resume: () => {
        made.isPaused = false
      },
      carries: () => false,
      overflow: () => {},
    }),
  }
  return made
}

test('a source is read on the next connection though the one before has ended while it was full', async t => {
  await startNode({ name: 'main', tickTime: 300, window: 64 * 1024 })
  all = await workers(1, { preload })
  const self = createProcess<{ readonly type: 'nodeup' | 'nodedown' } | { readonly type: 'got' }>()
  t.after(() => self.exit())
  const pid = await spawnAt('main.1', bodies, 'servant', self as Pid<unknown>)
  self.monitorNode('main.1')
  const blocked = spawnAt('main.1', bodies, 'reaper', 'a busy loop' as Death).catch(() => {})
  const fed = pid as unknown as Fed
  const before = tap()
  const text = 'x'.repeat(100_000)
  for (let left = 20; left > 0; left--) fed[deliver](before.source, { type: 'filling', text }, text.length)
  assert.ok(before.isPaused)
  await self.receive([{ type: 'nodedown' }])
  assert.equal(before.isPaused, false)
  await self.receive([{ type: 'nodeup' }])
  await blocked
  const behind = tap()
  fed[deliver](behind.source, { type: 'behind' }, 1)
  await self.receive([{ type: 'got', message: { type: 'behind' } }] as never)
  assert.equal(behind.isPaused, false)
})
