// Whatever is asked of tasks in whatever order, the answers are those of a small model, and nothing is left behind.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createProcess, type Process, processes, processInfo, setExitHook } from '@holster/process'
import fc from 'fast-check'
import { runs } from '../../../../test/support/runs.ts'
import { turn } from '../../../process/test/support/turns.ts'
import { task } from '../../src/index.ts'

const TASKS = 4

type Step =
  | { readonly do: 'open' | 'yield' | 'await' | 'ignore' | 'noise'; readonly i: number }
  | { readonly do: 'shutdown'; readonly i: number; readonly how: 'brutal_kill' | number }
  | { readonly do: 'yieldMany' | 'awaitMany'; readonly of: readonly number[] }

const i = fc.nat(TASKS - 1)
const of = fc.uniqueArray(i, { minLength: 1 })

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('open' as const), i }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constantFrom('yield' as const, 'await', 'ignore', 'noise'), i }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('shutdown' as const),
      i,
      how: fc.constantFrom('brutal_kill' as const, 1000, Number.POSITIVE_INFINITY),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('yieldMany' as const, 'awaitMany'), of }) },
)

type Outcome = readonly ['ok' | 'exit', unknown]

/** A task, and what the model knows of it. */
interface Modelled {
  readonly task: task.Task<string>
  readonly open: () => void
  /** The outcome that the task has once it is opened. */
  readonly fate: Outcome
  /** The outcome that the task has by now. */
  outcome: Outcome | undefined
  isConcluded: boolean
}

const fates = fc.array(fc.constantFrom('ok' as const, 'crash' as const), {
  minLength: TASKS,
  maxLength: TASKS,
})

function begin(self: Process, kind: 'ok' | 'crash', isLinked: boolean, n: number): Modelled {
  let open!: () => void
  const gate = new Promise<void>(resolve => {
    open = resolve
  })
  const error = new Error(`crash ${n}`)
  const fn = async () => {
    await gate
    if (kind === 'crash') throw error
    return `result ${n}`
  }
  return {
    task: isLinked ? task.async(self, fn) : task.asyncNoLink(self, fn),
    open,
    fate: kind === 'ok' ? ['ok', `result ${n}`] : ['exit', error],
    outcome: undefined,
    isConcluded: false,
  }
}

/** Gives the result of the call, or the reason with which it rejects, or the word `'misuse'` if it throws at once. */
async function given(call: () => Promise<unknown>): Promise<unknown> {
  let promise: Promise<unknown>
  try {
    promise = call()
  } catch (error) {
    assert.match((error as Error).message, /already$/)
    return 'misuse'
  }
  return promise.then(
    value => ({ value }),
    ({ reason }) => ({ reason }),
  )
}

function awaited({ outcome }: Modelled): unknown {
  if (outcome === undefined) return { reason: 'timeout' }
  return outcome[0] === 'ok' ? { value: outcome[1] } : { reason: outcome[1] }
}

async function follow(self: Process, all: readonly Modelled[], step: Step): Promise<void> {
  const at = (i: number) => all[i] as Modelled
  switch (step.do) {
    case 'noise':
      return self.send(`noise ${step.i}`)
    case 'open': {
      const one = at(step.i)
      one.open()
      await turn()
      one.outcome ??= one.fate
      return
    }
    case 'yield':
    case 'await': {
      const one = at(step.i)
      const isYield = step.do === 'yield'
      const result = await given(() => (isYield ? task.yield(one.task, 0) : task.await(one.task, 0)))
      const wanted = isYield ? { value: one.outcome } : awaited(one)
      assert.deepEqual(result, one.isConcluded ? 'misuse' : wanted)
      if (!isYield || one.outcome !== undefined) one.isConcluded = true
      return
    }
    case 'ignore': {
      const one = at(step.i)
      assert.deepEqual(await task.ignore(one.task), one.isConcluded ? undefined : one.outcome)
      one.isConcluded = true
      return
    }
    case 'shutdown': {
      const one = at(step.i)
      const wanted = one.outcome === undefined || !one.isConcluded ? one.outcome : ['exit', 'noproc']
      assert.deepEqual(await task.shutdown(one.task, step.how), wanted)
      one.outcome ??= ['exit', 'noproc']
      one.isConcluded = true
      return
    }
    case 'yieldMany': {
      const some = step.of.map(at)
      const result = await given(() =>
        task.yieldMany(
          some.map(one => one.task),
          0,
        ),
      )
      if (some.some(one => one.isConcluded)) return assert.equal(result, 'misuse')
      assert.deepEqual(result, { value: some.map(one => [one.task, one.outcome]) })
      for (const one of some) if (one.outcome !== undefined) one.isConcluded = true
      return
    }
    case 'awaitMany': {
      const some = step.of.map(at)
      const result = await given(() =>
        task.awaitMany(
          some.map(one => one.task),
          0,
        ),
      )
      if (some.some(one => one.isConcluded)) return assert.equal(result, 'misuse')
      const crashes = some.filter(one => one.outcome?.[0] === 'exit').map(awaited)
      if (crashes.length > 0)
        assert.ok(
          crashes.some(
            crash => (crash as { reason: unknown }).reason === (result as { reason: unknown }).reason,
          ),
        )
      else if (some.some(one => one.outcome === undefined)) assert.deepEqual(result, { reason: 'timeout' })
      else assert.deepEqual(result, { value: some.map(one => one.outcome?.[1]) })
      for (const one of some) one.isConcluded = true
    }
  }
}

test('tasks answer as the model does, and leave nothing in the mailbox of their owner', async t => {
  const hook = setExitHook(() => {})
  t.after(() => void setExitHook(hook))
  const before = processes().length
  await fc.assert(
    fc.asyncProperty(
      fates,
      fc.array(fc.boolean(), { minLength: TASKS, maxLength: TASKS }),
      fc.array(step, { maxLength: 25 }),
      async (kinds, links, steps) => {
        const self = createProcess({ trapExit: true })
        const all = kinds.map((kind, n) => begin(self, kind, links[n] ?? true, n))
        for (const step of steps) await follow(self, all, step)
        for (const one of all) await task.shutdown(one.task, 'brutal_kill')
        for (const one of all) one.open()
        await turn()
        const { messageQueueLength, monitors, links: linked, timers } = processInfo(self)
        const noise = steps.filter(step => step.do === 'noise').length
        assert.deepEqual(
          { messageQueueLength, monitors, linked, timers },
          { messageQueueLength: noise, monitors: [], linked: [], timers: [] },
        )
        self.exit()
        assert.equal(processes().length, before)
      },
    ),
    runs(300),
  )
})

/** The fate of an item: it takes some turns, and then gives a result or crashes. */
interface Fate {
  readonly turns: number
  readonly isCrash: boolean
}

const plan = fc.record({
  fates: fc.array(fc.record({ turns: fc.nat(4), isCrash: fc.boolean() }), { maxLength: 12 }),
  maxConcurrency: fc.integer({ min: 1, max: 5 }),
  ordered: fc.boolean(),
  isAsync: fc.boolean(),
  isLinked: fc.boolean(),
  /** The consumer leaves after so many results. */
  wanted: fc.option(fc.nat(12), { nil: Number.POSITIVE_INFINITY }),
  /** How many turns the consumer takes for each result. */
  slowness: fc.nat(2),
})

async function pause(turns: number): Promise<void> {
  for (let i = 0; i < turns; i++) await turn()
}

test('a stream gives what its items come to, in order, never too far ahead, and leaves nothing behind', async t => {
  const hook = setExitHook(() => {})
  t.after(() => void setExitHook(hook))
  const before = processes().length
  await fc.assert(
    fc.asyncProperty(
      plan,
      async ({ fates, maxConcurrency, ordered, isAsync, isLinked, wanted, slowness }) => {
        const self = createProcess({ trapExit: true })
        const outcomes = fates.map(({ isCrash }, n) =>
          isCrash ? (['exit', new Error(`crash ${n}`)] as const) : (['ok', n] as const),
        )
        let [taken, closed, delivered, running] = [0, 0, 0, 0]
        const look = () => {
          assert.ok(running <= maxConcurrency, `${running} run`)
          assert.ok(taken <= delivered + maxConcurrency, `${taken} taken, ${delivered} delivered`)
        }
        const source = function* () {
          try {
            for (const n of fates.keys()) {
              taken++
              look()
              yield n
            }
          } finally {
            closed++
          }
        }
        const slowSource = async function* () {
          try {
            for (const [n, { turns }] of fates.entries()) {
              await pause(turns % 2)
              taken++
              look()
              yield n
            }
          } finally {
            closed++
          }
        }
        const ended = new Set<unknown>()
        const fn = async (n: number): Promise<number> => {
          const { turns } = fates[n] as Fate
          running++
          look()
          await pause(turns)
          running--
          ended.add(n)
          const [kind, value] = outcomes[n] as Outcome
          if (kind === 'exit') throw value
          return n
        }
        const stream = (isLinked ? task.asyncStream : task.asyncStreamNoLink)(
          self,
          isAsync ? slowSource() : source(),
          fn,
          { maxConcurrency, ordered, timeout: Number.POSITIVE_INFINITY },
        )
        const given: unknown[] = []
        for await (const outcome of stream) {
          delivered++
          given.push(outcome)
          assert.ok(ended.has(outcomes.findIndex(([, value]) => value === outcome[1])))
          await pause(slowness)
          if (given.length > wanted) break
        }
        const isWhole = given.length === fates.length
        if (ordered) assert.deepEqual(given, outcomes.slice(0, given.length))
        else assert.equal(new Set(given.map(outcome => (outcome as Outcome)[1])).size, given.length)
        assert.equal(given.length, Math.min(fates.length, wanted + 1))
        // The end of a generator waits for what it was asked for before.
        await pause(3)
        if (taken > 0 || isWhole) assert.equal(closed, taken > 0 || fates.length === 0 ? 1 : 0)
        const { messageQueueLength, monitors, links, timers } = processInfo(self)
        assert.deepEqual(
          { messageQueueLength, monitors, links, timers },
          { messageQueueLength: 0, monitors: [], links: [], timers: [] },
        )
        assert.equal(processes().length, before + 1)
        self.exit()
        await pause(5)
      },
    ),
    runs(300),
  )
})
