// The tree shows supervisors and their children, restarts as they happen, and reports; nothing is asked of a supervisor.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type ChildSpec, supervisor } from '@holster/otp'
import { exit, P, type Process, setExitHook } from '@holster/process'
import type { Tree, TreeNode } from '../../src/words.ts'
import { observed } from '../support/viewer.ts'

const here = observed()
const hook = setExitHook(() => {})
after(() => {
  setExitHook(hook)
})

const worker = (id: string): ChildSpec => ({
  id,
  start: parent => parent.spawnLink(self => self.receive([P._])),
})

const rootOf = (tree: Tree, { id }: Process<never>): TreeNode | undefined =>
  tree.roots.find(({ ref }) => ref?.id === id)

test('supervisors stand above their children, with strategies', async () => {
  const top = await supervisor.start({
    strategy: 'rest_for_one',
    children: [
      worker('first'),
      supervisor.childSpec({ id: 'below', strategy: 'one_for_all', children: [worker('leaf')] }),
    ],
  })
  const root = rootOf(await here.viewer.see({ name: 'tree' }), top)
  assert.equal(root?.strategy, 'rest_for_one')
  const shape = ({ id, type, state, children }: TreeNode): unknown => [id, type, state, children.map(shape)]
  assert.deepEqual(root?.children.map(shape), [
    ['first', 'worker', 'running', []],
    ['below', 'supervisor', 'running', [['leaf', 'worker', 'running', []]]],
  ])
  await supervisor.stop(top)
})

test('a restart is counted, with its reason, and reported', async () => {
  const top = await supervisor.start({ children: [worker('fragile')] })
  const [child] = await supervisor.whichChildren(top)
  const seen = here.viewer.see({ name: 'tree' }, tree => rootOf(tree, top)?.children[0]?.restarts === 1)
  await here.viewer.see({ name: 'tree' })
  exit(child?.pid as never, new Error('broken on purpose'))
  const tree = await seen
  const [fragile] = rootOf(tree, top)?.children ?? []
  assert.match(fragile?.lastReason ?? '', /broken on purpose/)
  assert.ok((fragile?.restartedAt ?? 0) > 0)
  const report = tree.reports.find(
    ({ type, text }) => type === 'child_terminated' && text.includes("'fragile'"),
  )
  assert.match(report?.text ?? '', /broken on purpose/)
  const overview = await here.viewer.see({ name: 'overview' })
  assert.ok(overview.supervisors >= 1)
  await supervisor.stop(top)
})

test('a supervisor that is stuck in the start of a child is shown', async () => {
  let goOn = (): void => {}
  const slow = new Promise<void>(resolve => {
    goOn = resolve
  })
  const starting = supervisor.start({
    children: [
      {
        id: 'slow',
        start: async parent => {
          await slow
          return parent.spawnLink(self => self.receive([P._]))
        },
      },
    ],
  })
  const { roots } = await here.viewer.see({ name: 'tree' }, tree =>
    tree.roots.some(({ children }) => children[0]?.id === 'slow'),
  )
  assert.equal(roots.find(({ children }) => children[0]?.id === 'slow')?.children[0]?.state, 'restarting')
  goOn()
  await supervisor.stop(await starting)
})

test('very many children are cut, and the number of the others is told', async () => {
  const top = await supervisor.start({ strategy: 'simple_one_for_one', children: [] })
  for (let i = 0; i < 500; i++)
    await supervisor.startChild(top, { ...worker(`child ${i}`), restart: 'temporary' })
  const root = rootOf(await here.viewer.see({ name: 'tree' }), top)
  assert.deepEqual([root?.children.length, root?.omitted], [200, 300])
  await supervisor.stop(top)
})
