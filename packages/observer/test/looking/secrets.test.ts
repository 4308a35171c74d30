// What is shown leaves out secrets and is short, whatever the program gives as a reason, a label or a name.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ChildSpec, supervisor } from '@holster/otp'
import { createProcess, exit, register, setExitHook } from '@holster/process'
import { printReason } from '@holster/process/internal'
import type { Tree } from '../../src/words.ts'
import { ALL, observed } from '../support/viewer.ts'

const here = observed()
const node = 'nonode@nohost'

// The crashes are meant.
setExitHook(() => {})

const REASONS: readonly (readonly [what: string, reason: unknown])[] = [
  ['an object', { password: 'hunter2', step: 'login' }],
  ['the address of an error', new Error('no answer from https://joe:hunter2@login.example/?token=hunter2')],
  ['a header in a text', 'refused: Authorization: Bearer hunter2'],
  ['a cause of a shutdown', ['shut', { session: 'hunter2' }]],
]

for (const [what, reason] of REASONS) {
  test(`a secret in a reason is shown nowhere: ${what}`, async () => {
    const process = createProcess()
    const subject = { kind: 'process', node, id: process.id } as const
    const page = here.viewer.see({ name: 'process', ...subject }, ({ status }) => status === 'exited')
    const traced = here.viewer.watch({ name: 'trace', subject, filter: '', limit: 10 })
    await here.viewer.find(told => (told.type === 'shown' && told.id === traced ? told : undefined))
    exit(process as never, reason)
    const events = await here.viewer.find(told =>
      told.type === 'events' && told.id === traced ? told.events : undefined,
    )
    const { reports } = await here.viewer.see({ name: 'tree', node }, tree =>
      tree.reports.some(({ about }) => about?.id === process.id),
    )
    assert.doesNotMatch(JSON.stringify([await page, events, reports]), /hunter2/)
  })
}

test('a secret in the reason of a child is not shown in the tree', async () => {
  const start: ChildSpec['start'] = parent => parent.spawnLink(self => self.receive([{ type: 'never' }]))
  const top = await supervisor.start({ children: [{ id: 'leaky', start }] })
  const [child] = await supervisor.whichChildren(top)
  exit(child?.pid as never, { password: 'hunter2', step: 'login' })
  const rootOf = ({ roots }: Tree) => roots.find(({ ref }) => ref?.id === top.id)?.children[0]
  const tree = await here.viewer.see({ name: 'tree', node }, tree => rootOf(tree)?.restarts === 1)
  assert.equal(rootOf(tree)?.lastReason, '{ password: …, step: "login" }')
  await supervisor.stop(top)
})

test('reasons that cannot be printed harm nobody', () => {
  const reasons = [
    Object.defineProperty(new Error('x'), 'message', {
      get() {
        throw new Error('no')
      },
    }),
    Object.assign(new Error('x'), { message: Symbol('x') }),
    new Proxy({}, { ownKeys: () => assert.fail('no') }),
    Object.create(null, { a: { enumerable: true, get: () => assert.fail('no') } }),
  ]
  for (const reason of reasons) assert.equal(typeof printReason(reason, 100), 'string')
})

test('a label and a name of a megabyte are cut', async () => {
  const process = createProcess()
  process.label = 'l'.repeat(1_000_000)
  register(`n${'m'.repeat(1_000_000)}`, process)
  const monitor = createProcess()
  monitor.monitor(`n${'m'.repeat(1_000_000)}`)
  const table = await here.viewer.see({ name: 'processes', node, ...ALL })
  const page = await here.viewer.see({ name: 'process', kind: 'process', node, id: monitor.id } as never)
  assert.ok(JSON.stringify(table).length < 100_000)
  assert.ok(JSON.stringify(page).length < 100_000)
  process.exit()
  monitor.exit()
})
