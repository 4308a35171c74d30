/** Runs a program of process groups on this package. */

import assert from 'node:assert/strict'
import { createProcess, P, type Process, type Ref, type Registrable } from '@holster/process'
import { pg } from '../../src/index.ts'
import { isWatched } from '../support/watched.ts'
import { GROUPS, PIDS, type Step, type View } from './pg-program.ts'

let runs = 0

export async function run(steps: readonly Step[]): Promise<View[]> {
  const scope = `scope ${++runs}`
  const process = pg.start(scope)
  const pids = Array.from({ length: PIDS }, () => createProcess())
  const numbers = new Map<Registrable, number>(pids.map((pid, i) => [pid, i]))
  const self = createProcess<pg.Change>()
  const monitors: Ref[] = []
  const at = (i: number) => pids[i] as Process

  const perform = (step: Step): unknown => {
    switch (step.do) {
      case 'join':
        return pg.join(GROUPS[step.group], step.pids.map(at), scope)
      case 'leave':
        return pg.leave(GROUPS[step.group], step.pids.map(at), scope)
      case 'exit': {
        at(step.pid).exit('shutdown')
        const next = createProcess()
        pids[step.pid] = next
        numbers.set(next, step.pid)
        return undefined
      }
      case 'monitor':
        monitors.push(pg.monitor(self, GROUPS[step.group], scope).ref)
        return undefined
      case 'monitorScope':
        monitors.push(pg.monitorScope(self, scope).ref)
        return undefined
      case 'demonitor': {
        const ref = monitors[step.monitor]
        return ref !== undefined && pg.demonitor(self, ref, scope)
      }
    }
  }

  const views: View[] = []
  for (const step of steps) {
    const result = perform(step) ?? null
    const changes: View['changes'][number][] = []
    while (self.messageQueueLength > 0) {
      const { type, ref, group, pids } = (await self.receive([P._])) as pg.Change
      const who = pids.map(pid => numbers.get(pid) ?? -1)
      changes.push([monitors.indexOf(ref), type.slice(3), String(group), who])
    }
    const numbersOf = (group: string) =>
      pg
        .members(group, scope)
        .map(pid => numbers.get(pid) ?? -1)
        .sort()
    const members = Object.fromEntries(
      (pg.whichGroups(scope) as string[]).sort().map(group => [group, numbersOf(group)]),
    )
    views.push({ result, changes, members })
  }
  for (const [i, pid] of pids.entries()) {
    assert.equal(
      isWatched(pid),
      views.at(-1) !== undefined && isMember(views.at(-1) as View, i),
      `process ${i}`,
    )
  }
  for (const ref of monitors) pg.demonitor(self, ref, scope)
  assert.equal(isWatched(self), false)
  process.exit('shutdown')
  self.exit()
  for (const pid of pids) {
    assert.equal(isWatched(pid), false)
    pid.exit()
  }
  return views
}

function isMember({ members }: View, pid: number): boolean {
  return Object.values(members).some(pids => pids.includes(pid))
}
