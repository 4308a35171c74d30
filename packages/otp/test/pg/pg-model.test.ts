// Groups agree with lists of numbers, whoever joins, leaves, ends and looks on.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../../../test/support/runs.ts'
import { GROUPS, PIDS, program, type Step, type View } from './pg-program.ts'
import { run } from './pg-run.ts'

/** Runs a program on plain lists: each process has the groups that it has joined, the newest first. */
function model(steps: readonly Step[]): View[] {
  const joined: string[][] = Array.from({ length: PIDS }, () => [])
  const monitors: { readonly group: string | undefined; isSet: boolean }[] = []
  let changes: View['changes'][number][] = []

  const tell = (type: string, group: string, pids: readonly number[]) => {
    const told = [...monitors.entries()].filter(([, { isSet }]) => isSet)
    const whole = told.filter(([, monitor]) => monitor.group === undefined)
    const own = told.filter(([, monitor]) => monitor.group === group)
    for (const [i] of [...whole, ...own]) changes.push([i, type, group, pids])
  }
  const leave = (pid: number, group: string): boolean => {
    const at = joined[pid]?.indexOf(group) ?? -1
    if (at >= 0) joined[pid]?.splice(at, 1)
    return at >= 0
  }
  const perform = (step: Step): unknown => {
    switch (step.do) {
      case 'join': {
        const group = GROUPS[step.group] as string
        for (const pid of step.pids) joined[pid]?.unshift(group)
        return tell('join', group, step.pids)
      }
      case 'leave': {
        const group = GROUPS[step.group] as string
        const left = step.pids.filter(pid => leave(pid, group))
        if (left.length > 0) tell('leave', group, left)
        return left.length > 0
      }
      case 'exit': {
        const groups = joined[step.pid] ?? []
        joined[step.pid] = []
        for (const group of groups) tell('leave', group, [step.pid])
        return undefined
      }
      case 'monitor':
        return void monitors.push({ group: GROUPS[step.group], isSet: true })
      case 'monitorScope':
        return void monitors.push({ group: undefined, isSet: true })
      case 'demonitor': {
        const monitor = monitors[step.monitor]
        const wasSet = monitor?.isSet ?? false
        if (monitor !== undefined) monitor.isSet = false
        return wasSet
      }
    }
  }
  return steps.map(step => {
    changes = []
    const result = perform(step) ?? null
    const members: Record<string, number[]> = {}
    for (const group of [...GROUPS].sort()) {
      const all = joined.flatMap((groups, pid) => groups.filter(each => each === group).map(() => pid))
      if (all.length > 0) members[group] = all
    }
    return { result, changes, members }
  })
}

test('groups agree with lists, and tell each change once to each monitor', async () => {
  await fc.assert(
    fc.asyncProperty(program(3), async steps => {
      assert.deepEqual(await run(steps), model(steps))
    }),
    runs(500),
  )
})
