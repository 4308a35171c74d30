// A registry and a list of entries agree, whatever is registered, unregistered and ended.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createProcess, type Process } from '@holster/process'
import fc from 'fast-check'
import { runs } from '../../../../test/support/runs.ts'
import { registry } from '../../src/index.ts'
import { isWatched } from '../support/watched.ts'

const PIDS = 4

/** Keys made anew each time, so that arrays and objects are other ones; some differ only in their types. */
const keys: readonly (() => unknown)[] = [
  () => 'a',
  () => 1,
  () => '1',
  () => ['a', 1],
  () => [['a'], 1],
  () => ({ a: 1 }),
  () => ({ a: ['a', 1] }),
  () => undefined,
]

type Step =
  | {
      readonly do: 'register' | 'unregister' | 'update'
      readonly pid: number
      readonly key: number
      readonly value: number
    }
  | { readonly do: 'unregisterMatch'; readonly pid: number; readonly key: number; readonly value: number }
  | { readonly do: 'exit'; readonly pid: number }

const pid = fc.nat(PIDS - 1)
const key = fc.nat(keys.length - 1)
const value = fc.nat(2)

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constantFrom('register' as const, 'register', 'unregister', 'update', 'unregisterMatch'),
      pid,
      key,
      value,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('exit' as const), pid }) },
)

interface Entry {
  readonly key: number
  readonly pid: Process
  value: number
}

for (const kind of ['unique', 'duplicate'] as const) {
  test(`a registry of ${kind} keys agrees with a list of entries, and watches nobody who is not in it`, () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), steps => {
        const started = registry.start<unknown, number>({ keys: kind })
        const pids = Array.from({ length: PIDS }, () => createProcess())
        let model: Entry[] = []
        const named = (i: number) => keys[i]?.()
        const has = (entry: Entry, key: number, pid: Process) => entry.key === key && entry.pid === pid
        for (const step of steps) {
          const pid = pids[step.pid] as Process
          if (step.do === 'exit') {
            pid.exit('shutdown')
            model = model.filter(entry => entry.pid !== pid)
            pids[step.pid] = createProcess()
            continue
          }
          const { key, value } = step
          const own = model.filter(entry => has(entry, key, pid))
          switch (step.do) {
            case 'register': {
              const taken = kind === 'unique' ? model.find(entry => entry.key === key) : undefined
              const register = () => registry.register(started, named(key), pid, value)
              if (taken === undefined) {
                register()
                model.push({ key, pid, value })
              } else {
                assert.throws(register, { name: 'AlreadyRegistered', pid: taken.pid })
              }
              break
            }
            case 'unregister':
              assert.equal(registry.unregister(started, named(key), pid), own.length > 0)
              model = model.filter(entry => !has(entry, key, pid))
              break
            case 'unregisterMatch': {
              const some = own.some(entry => entry.value === value)
              assert.equal(registry.unregisterMatch(started, named(key), pid, value), some)
              model = model.filter(entry => !(has(entry, key, pid) && entry.value === value))
              break
            }
            case 'update': {
              if (kind === 'duplicate') break
              const [entry] = own
              const updated = registry.updateValue(started, named(key), pid, old => old + value)
              assert.deepEqual(updated, entry && [entry.value + value, entry.value])
              if (entry !== undefined) entry.value += value
            }
          }
          for (const key of keys.keys()) {
            const under = model.filter(entry => entry.key === key)
            const entries = under.map(({ pid, value }) => ({ pid, value }))
            assert.deepEqual(registry.lookup(started, named(key)), entries)
            assert.deepEqual(
              registry.match(started, named(key), 1),
              entries.filter(({ value }) => value === 1),
            )
            for (const pid of pids) {
              const values = under.filter(entry => entry.pid === pid).map(({ value }) => value)
              assert.deepEqual(registry.values(started, named(key), pid), values)
            }
          }
          for (const pid of pids) {
            const held = model.filter(entry => entry.pid === pid)
            assert.deepEqual(
              registry.keys(started, pid),
              held.map(({ key }) => named(key)),
            )
            assert.equal(isWatched(pid), held.length > 0)
          }
          assert.equal(registry.count(started), model.length)
          assert.equal(registry.select(started).length, model.length)
        }
        started.exit('shutdown')
        for (const pid of pids) {
          assert.equal(isWatched(pid), false)
          pid.exit()
        }
      }),
      runs(200),
    )
  })
}
