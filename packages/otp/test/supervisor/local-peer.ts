/** Runs programs of supervisors as `supervisor_peer.erl` does, here. */

import { setImmediate as turn } from 'node:timers/promises'
import { createProcess, exit, type MonitorTarget, type Process, processInfo } from '@holster/process'
import { watch } from '@holster/process/internal'
import {
  type ChildSpec,
  type Report,
  SupervisorError,
  type SupervisorOptions,
  setReportHook,
  supervisor,
} from '../../src/index.ts'
import type { NodeSpec, Program, Reason, Step, SupervisorSpec, WorkerSpec } from './programs.ts'

type Walk =
  | 'dead'
  | readonly { readonly id: string; readonly pid: unknown; readonly below: Walk | undefined }[]

/** Runs a program, and gives its trace: an entry for each start, exit, report and reply. */
export async function runHere(program: Program): Promise<string[]> {
  const run = new Run()
  const previous = setReportHook(report => run.report(report))
  try {
    await run.run(program)
  } finally {
    setReportHook(previous)
  }
  return run.trace
}

/** Puts entries in order that have none: the ends of children that end at the same time. */
export function canonical(trace: readonly string[]): string[] {
  const runs: string[][] = []
  for (const entry of trace) {
    const last = runs.at(-1)
    if (last?.[0]?.startsWith('~') && entry.startsWith('~')) last.push(entry)
    else runs.push([entry])
  }
  return runs.flatMap(entries => entries.sort())
}

function text(reason: unknown): string {
  return Array.isArray(reason) ? `(${reason.map(text).join(' ')})` : String(reason)
}

class Run {
  readonly trace: string[] = []
  readonly #tries = new Map<string, number>()
  readonly #starts = new Map<string, number>()
  readonly #names = new Map<unknown, string>()
  readonly #living = new Map<string, Process<never>>()
  readonly #supervisors = new Map<unknown, SupervisorSpec>()
  readonly #templates = new Map<string, WorkerSpec>()
  readonly #driver = createProcess({ trapExit: true })

  async run({ root, steps }: Program): Promise<void> {
    const pid = await this.#startSupervisor(this.#driver as unknown as Process<never>, root).catch(error => {
      this.trace.push(`reply error ${text(error.reason)}`)
      return undefined
    })
    await this.#settle(pid)
    for (const step of steps) {
      this.trace.push(`step ${step[0]}`)
      await this.#step(step)
      await this.#settle(pid)
    }
    this.trace.push('end')
    if (pid !== undefined) {
      this.#driver.exit(pid, 'shutdown')
      await pid.exited
    }
    for (const orphan of this.#living.values()) exit(orphan, 'kill')
    this.#driver.exit()
  }

  report(report: Report): void {
    if (report.type === 'progress' || report.type === 'crash') return
    if (report.type === 'unexpected') return void this.trace.push(`unexpected ${text(report.message)}`)
    const { type, supervisor, id, reason } = report
    if (reason === 'significant_child') return
    const spec = this.#supervisors.get(supervisor)
    const isDynamic = spec?.strategy === 'simple_one_for_one'
    const mark = isDynamic && type === 'shutdown_error' ? '~' : ''
    this.trace.push(`${mark}${type} ${spec?.id} ${isDynamic ? 'dynamic' : id} ${text(reason)}`)
  }

  async #settle(pid: Process<never> | undefined): Promise<void> {
    if (pid === undefined) return
    for (;;) {
      const [first, second] = [await this.#walk(pid), await this.#walk(pid)]
      await turn()
      if (JSON.stringify(first) === JSON.stringify(second) && !isRestarting(first)) return
    }
  }

  async #walk(pid: Process<never>): Promise<Walk> {
    try {
      const children = await supervisor.whichChildren(pid)
      const walks = children.map(async ({ id, pid, type }) => {
        const isSupervisor = type === 'supervisor' && typeof pid === 'object'
        return { id, pid, below: isSupervisor ? await this.#walk(pid as Process<never>) : undefined }
      })
      return await Promise.all(walks)
    } catch {
      return 'dead'
    }
  }

  async #step(step: Step): Promise<void> {
    switch (step[0]) {
      case 'crash':
        return this.#crash(step[1], step[2])
      case 'crash_all':
        for (const id of this.#living.has(step[1]) ? step[2] : []) this.#crash(id, step[3])
        return
      case 'unlink': {
        const pid = this.#living.get(step[1])
        if (pid !== undefined) for (const link of processInfo(pid).links) pid.unlink(link)
        return
      }
      case 'terminate_dynamic': {
        const pid = this.#living.get(step[2])
        if (pid !== undefined)
          await this.#reply(step[1], above => supervisor.terminateChild(above, pid).then(done))
        return
      }
      case 'which_children':
      case 'count_children':
        return this.#show(step)
      default:
        return this.#reply(step[1], above => this.#ask(above, step))
    }
  }

  #ask(above: Process<never>, step: Step): Promise<MonitorTarget | undefined | 'done'> {
    switch (step[0]) {
      case 'start_child':
        return supervisor.startChild(above, this.#spec(step[2], this.#supervisors.get(above)))
      case 'start_dynamic': {
        const template = this.#templates.get(step[1])
        if (template === undefined) throw new Error(`${step[1]} has no template`)
        return supervisor.startChild(above, this.#workerSpec({ ...template, id: step[2] }, true))
      }
      case 'terminate_child':
        return supervisor.terminateChild(above, step[2]).then(done)
      case 'restart_child':
        return supervisor.restartChild(above, step[2])
      case 'delete_child':
        return supervisor.deleteChild(above, step[2]).then(done)
      default:
        throw new Error(`${step[0]} is not asked for`)
    }
  }

  async #reply(id: string, ask: (above: Process<never>) => Promise<unknown>): Promise<void> {
    this.trace.push(`reply ${await this.#replyOf(id, ask)}`)
  }

  async #replyOf(id: string, ask: (above: Process<never>) => Promise<unknown>): Promise<string> {
    const above = this.#living.get(id)
    if (above === undefined) return 'dead'
    try {
      const value = await ask(above)
      if (value === 'done') return 'ok'
      return `ok ${this.#nameOf(value)}`
    } catch (error) {
      if (!(error instanceof SupervisorError)) return 'dead'
      if (error.code === 'already_started') return `already_started ${this.#nameOf(error.pid)}`
      return error.code === 'failed_to_start_child' ? `failed ${text(error.reason)}` : error.code
    }
  }

  async #show(step: Step): Promise<void> {
    const above = this.#living.get(step[1])
    if (above === undefined) return void this.trace.push('reply dead')
    const isDynamic = this.#supervisors.get(above)?.strategy === 'simple_one_for_one'
    if (step[0] === 'count_children') {
      const { specs, active, supervisors, workers } = await supervisor.countChildren(above)
      return void this.trace.push(`count ${isDynamic ? 1 : specs} ${active} ${supervisors} ${workers}`)
    }
    const children = await supervisor.whichChildren(above)
    const shown = children.map(
      ({ id, pid, type }) =>
        `${isDynamic ? 'dynamic' : id} ${typeof pid === 'string' ? pid : this.#nameOf(pid)} ${type}`,
    )
    this.trace.push(`children ${(isDynamic ? shown.sort() : shown).join(', ')}`)
  }

  #crash(id: string, reason: Reason): void {
    const pid = this.#living.get(id)
    if (reason === 'kill') return pid === undefined ? undefined : exit(pid, 'kill')
    pid?.exit(reason)
  }

  async #startSupervisor(parent: Process<never>, spec: SupervisorSpec): Promise<Process<never>> {
    const { id, strategy, intensity, autoShutdown, children } = spec
    const isDynamic = strategy === 'simple_one_for_one'
    const [template] = children
    if (isDynamic && template?.type === 'worker') this.#templates.set(id, template)
    const options: SupervisorOptions = {
      strategy,
      intensity,
      autoShutdown,
      period: 100_000_000,
      children: isDynamic ? [] : children.map(child => this.#spec(child, spec)),
    }
    const pid = await supervisor.startLink(parent, options)
    this.#supervisors.set(pid, spec)
    this.#started(id, pid, false)
    return pid
  }

  #spec(spec: NodeSpec, above: SupervisorSpec | undefined): ChildSpec {
    if (spec.type === 'worker') return this.#workerSpec(spec, false, above)
    const start = (parent: Process<never>) => {
      if (above !== undefined) this.#supervisors.set(parent, above)
      return this.#startSupervisor(parent, spec)
    }
    return { ...optionsOf(spec), type: 'supervisor', start }
  }

  #workerSpec(spec: WorkerSpec, isDynamic: boolean, above?: SupervisorSpec): ChildSpec {
    const { id, manner, isAsync } = spec
    const start = (parent: Process<never>) => {
      if (above !== undefined) this.#supervisors.set(parent, above)
      const tries = this.#tries.get(id) ?? 0
      this.#tries.set(id, tries + 1)
      const outcome = spec.outcomes[tries] ?? 'ok'
      this.trace.push(`try ${id} ${outcome}`)
      if (outcome === 'ignore') return outcome
      if (outcome === 'error') return isAsync ? Promise.reject('no') : fail('no')
      const pid = parent.spawnLink<never>(body(manner), { trapExit: manner !== 'plain' })
      this.#started(id, pid, isDynamic)
      return isAsync ? turn().then(() => pid) : pid
    }
    return { ...optionsOf(spec), start }
  }

  #started(id: string, pid: Process<never>, isDynamic: boolean): void {
    const count = (this.#starts.get(id) ?? 0) + 1
    const name = `${id}#${count}`
    this.#starts.set(id, count)
    this.#names.set(pid, name)
    this.#living.set(id, pid)
    this.trace.push(`started ${name}`)
    watch(pid, reason => {
      this.trace.push(`${isDynamic ? '~' : ''}exit ${name} ${text(reason)}`)
      if (this.#living.get(id) === pid) this.#living.delete(id)
    })
  }

  #nameOf(pid: unknown): string {
    return pid === undefined ? 'undefined' : (this.#names.get(pid) ?? 'unknown')
  }
}

/** Stands for the answer of a function that gives nothing. */
function done(): 'done' {
  return 'done'
}

function fail(reason: string): never {
  throw reason
}

function isRestarting(walk: Walk | undefined): boolean {
  return Array.isArray(walk) && walk.some(({ pid, below }) => pid === 'restarting' || isRestarting(below))
}

function optionsOf({ id, restart, shutdown, significant }: NodeSpec): Omit<ChildSpec, 'start'> {
  return { id, restart, shutdown: shutdown === 'infinity' ? Number.POSITIVE_INFINITY : shutdown, significant }
}

function body(manner: WorkerSpec['manner']): (self: Process<never>) => Promise<void> {
  return async self => {
    for (;;) {
      await self.receive([{ type: 'EXIT' }])
      if (manner === 'normal') return
      if (manner === 'bad') return self.exit('bad')
    }
  }
}
