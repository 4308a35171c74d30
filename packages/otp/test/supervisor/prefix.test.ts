/** While a supervisor starts, restarts or ends, its children are a prefix of its list. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { createProcess, exit, processes } from '@holster/process'
import fc from 'fast-check'
import { runs } from '../../../../test/support/runs.ts'
import { supervisor } from '../../src/index.ts'
import { type Tree, tree } from '../support/tree.ts'

/** A child: how many turns of the event loop its start and its end take, and whether it can be started. */
const child = fc.record({
  start: fc.nat(2),
  end: fc.nat(2),
  fails: fc.oneof({ weight: 8, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
})

const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await turn()
}

/** Gives the children that run after each entry of a log. */
function livesOf(log: readonly string[]): string[][] {
  const lives: string[][] = []
  let living: string[] = []
  for (const entry of log) {
    const id = entry.slice(1).split(' ')[0] ?? ''
    living = entry.startsWith('+') ? [...living, id] : living.filter(other => other !== id)
    lives.push(living)
  }
  return lives
}

/**
 * Gives the specs of the children. No start that is pending when `isOver` says so goes on: its child would be none of the
 * supervisor's.
 */
function specsOf(
  it: Tree,
  children: readonly { start: number; end: number; fails: boolean }[],
  isOver = () => false,
) {
  return children.map(({ start, end, fails }, index) =>
    it.child(`c${index}`, {
      trapExit: end > 0,
      before: async () => {
        await turns(start)
        if (fails || isOver()) throw new Error('it fails')
      },
      ...(end > 0 && {
        body: async self => {
          await self.receive([{ type: 'EXIT' }])
          await turns(end)
          self.exit('shutdown')
        },
      }),
    }),
  )
}

test('the children that run are a prefix of the list, whenever the parent ends', async t => {
  const it = tree(t)
  const property = fc.asyncProperty(
    fc.array(child, { maxLength: 6 }),
    fc.nat(20),
    fc.constantFrom('one_for_one', 'one_for_all', 'rest_for_one'),
    async (children, after, strategy) => {
      it.taken()
      const before = processes().length
      let isOver = false
      const specs = specsOf(it, children, () => isOver)
      const parent = createProcess()
      const started = supervisor.startLink(parent, { strategy, children: specs }).catch(() => undefined)
      await turns(after)
      isOver = true
      parent.exit('shutdown')
      await (await started)?.exited
      const ids = children.map((_, index) => `c${index}`)
      for (const living of livesOf(it.log))
        assert.deepEqual(living, ids.slice(0, living.length), it.log.join())
      assert.equal(livesOf(it.log).at(-1)?.length ?? 0, 0)
      assert.equal(processes().length, before)
    },
  )
  await fc.assert(property, runs(200))
})

test('under one_for_all a crash leaves a prefix in each moment once the child has ended', async t => {
  const it = tree(t)
  const property = fc.asyncProperty(fc.integer({ min: 1, max: 6 }), fc.nat(5), async (count, place) => {
    const children = Array.from({ length: count }, () => ({ start: 1, end: 0, fails: false }))
    const sup = await supervisor.start({ strategy: 'one_for_all', children: specsOf(it, children) })
    const crashed = `c${place % count}`
    it.taken()
    it.pid(crashed).exit('boom')
    await supervisor.whichChildren(sup)
    const ids = children.map((_, index) => `c${index}`)
    const others = ids.filter(id => id !== crashed)
    const ended = others.toReversed().map(id => `-${id} shutdown`)
    assert.deepEqual(it.log, [`-${crashed} boom`, ...ended, ...ids.map(id => `+${id}`)])
    exit(sup, 'shutdown')
    await sup.exited
  })
  await fc.assert(property, runs(50))
})
