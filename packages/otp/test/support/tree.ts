/** A tree of supervisors in a test: what happens in it is one list of words, and nothing of it may be left. */

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { createProcess, type Process, processes, setExitHook } from '@holster/process'
import { watch } from '@holster/process/internal'
import {
  type ChildSpec,
  type Report,
  type Restart,
  type Shutdown,
  type SupervisorOptions,
  setReportHook,
  supervisor,
} from '../../src/index.ts'

export interface Tree {
  /** The parent of the supervisors that `start` starts; it traps exits. */
  readonly self: Process
  /** The starts and ends so far, in words: `+a`, `-a shutdown`. */
  readonly log: string[]
  /** The reports so far, but for those of progress. */
  readonly reports: Report[]
  start(options: SupervisorOptions): Promise<Process<never>>
  /** Gives the spec of a child that lives until it is ended. */
  child(id: string, options?: Options): ChildSpec
  /** Gives the last process of that id. */
  pid(id: string): Process<never>
  /** Takes the log. */
  taken(): string[]
}

interface Options {
  readonly restart?: Restart
  readonly shutdown?: Shutdown
  readonly significant?: boolean
  readonly backoff?: NonNullable<ChildSpec['backoff']>
  /** The body of the child, which by default waits. */
  readonly body?: (self: Process<never>) => unknown
  readonly trapExit?: boolean
  /** Called before each start, with its number; what it throws fails the start. */
  readonly before?: (attempt: number) => unknown
}

export function tree(t: TestContext): Tree {
  const log: string[] = []
  const reports: Report[] = []
  const pids = new Map<string, Process<never>>()
  const before = processes().length
  const self = createProcess({ trapExit: true })
  const exitHook = setExitHook(() => {})
  const reportHook = setReportHook(report => {
    if (report.type !== 'progress') reports.push(report)
  })
  t.after(async () => {
    self.exit('shutdown')
    for (let turns = 0; processes().length > before && turns < 1000; turns++) await turn()
    setReportHook(reportHook)
    setExitHook(exitHook)
    assert.equal(processes().length, before, 'a process is left')
  })
  return {
    self,
    log,
    reports,
    start: options => supervisor.startLink(self, options),
    child(id, { body = forever, trapExit = false, before, ...options } = {}) {
      let attempts = 0
      const spawn = (parent: Process<never>) => {
        const pid = parent.spawnLink<never>(body, { trapExit })
        pids.set(id, pid)
        log.push(`+${id}`)
        watch(pid, reason => log.push(`-${id} ${reason instanceof Error ? reason.message : String(reason)}`))
        return pid
      }
      const start = (parent: Process<never>) => {
        const ready = before?.(++attempts)
        return ready instanceof Promise ? ready.then(() => spawn(parent)) : spawn(parent)
      }
      return { id, start, ...options }
    },
    pid: id => pids.get(id) ?? assert.fail(`there was no ${id}`),
    taken: () => log.splice(0),
  }
}

function forever(self: Process<never>): Promise<unknown> {
  return self.receive([{ type: 'never' }] as never)
}

/** Ignores the order to end. */
export async function ignoreExits(self: Process<never>): Promise<void> {
  for (;;) await self.receive([{ type: 'EXIT' }])
}

/** Resolves once the supervisor has handled what it has been sent. */
export async function settled(pid: Process<never>): Promise<void> {
  for (;;) {
    const children = await supervisor.whichChildren(pid)
    if (children.every(({ pid }) => pid !== 'restarting')) return
  }
}

/** Gives the ids of the children that run, in the order of their starts. */
export async function running(pid: Process<never>): Promise<string[]> {
  const children = await supervisor.whichChildren(pid)
  return children.flatMap(({ id, pid }) => (typeof pid === 'object' ? [id] : [])).reverse()
}

/** Matches the rejection of a function of a supervisor. */
export function failsWith(code: string): (error: unknown) => boolean {
  return error => {
    assert.equal((error as { code?: unknown }).code, code)
    return true
  }
}
