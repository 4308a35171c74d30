/** The functions of a supervisor: each is a call to its process. */

import { inspect } from 'node:util'
import {
  type Call,
  call,
  type ExitReason,
  type MonitorTarget,
  type Pid,
  Process,
  spawn,
  whereis,
} from '@holster/process'
import { checkNames, checkObject, isActorRef, onExit } from '@holster/process/internal'
import type { AutoShutdown, ChildSpec } from '../child-spec.js'
import { type CheckedChildSpec, checkSpec, checkSpecs } from './checked-spec.js'
import { isEndFor, SupervisorError } from './errors.js'
import { live, type Starter } from './life.js'
import type { Answer, Message, Request, Self } from './messages.js'
import { checkAutoShutdown, checkOptions, type NestedOptions, type SupervisorOptions } from './options.js'
import type { ChildCounts, RunningChild } from './requests.js'
import { noteStart } from './starting.js'

/** A supervisor, or the name of one. */
export type SupervisorRef = Process<never> | string

/** The process that takes the requests of a supervisor, or its name. */
type Callee = Pid<Call<Request, Answer>> | string

/** How a supervisor is started. */
export interface StartOptions {
  /** The name under which the supervisor is registered. Default: none. */
  readonly name?: string
}

/**
 * Starts a supervisor that is linked to `self`, its parent, and resolves to it once all its children have started, in order. When the
 * parent ends, the supervisor ends its children, the last one first, and then itself, for the reason of the parent.
 *
 * Rejects with a `SupervisorError`: `'failed_to_start_child'` if one of the children cannot be started, after those before it have been
 * ended in reverse; `'already_started'` if the name is taken; `'ended'` if the supervisor is ended meanwhile. Unlike in OTP the rejection is
 * all that the caller gets: no exit signal comes with it. Throws a TypeError or RangeError at once if an argument is wrong. Source:
 * `supervisor:start_link/2,3`.
 */
export function startLink<M>(
  self: Process<M>,
  options: SupervisorOptions,
  startOptions?: StartOptions,
): Promise<Process<never>> {
  if (!(self instanceof Process)) {
    throw new TypeError(
      `self must be a process, not ${inspect(self, { depth: 0 })}: main programs call start`,
    )
  }
  return begin(self as unknown as Process<never>, options, startOptions)
}

/**
 * Starts a supervisor without a parent, as main programs and tests need one. `exit(pid, reason)`, or `stop`, ends it in order. Otherwise as
 * `startLink`.
 */
export function start(options: SupervisorOptions, startOptions?: StartOptions): Promise<Process<never>> {
  return begin(undefined, options, startOptions)
}

function begin(
  parent: Process<never> | undefined,
  options: SupervisorOptions,
  startOptions: StartOptions = {},
): Promise<Process<never>> {
  const checked = checkOptions(options)
  const { name } = checkStartOptions(startOptions)
  const taken = name === undefined ? undefined : whereis(name)
  if (taken !== undefined) {
    return Promise.reject(
      new SupervisorError({ code: 'already_started', id: name, pid: taken as unknown as MonitorTarget }),
    )
  }
  let starter!: Starter
  const body = (self: Self) => live(self, parent, checked, starter)
  const process = name === undefined ? { trapExit: true } : { trapExit: true, name }
  const pid = parent === undefined ? spawn<Message>(body, process) : parent.spawnLink<Message>(body, process)
  pid.label = 'supervisor'
  const supervisor = pid as unknown as Process<never>
  const forget = parent === undefined ? undefined : noteStart(parent, supervisor)
  return new Promise<Process<never>>((resolve, reject) => {
    starter = { started: () => resolve(supervisor), failed: reject }
    pid.exited.then(reason => reject(new SupervisorError({ code: 'ended', id: undefined, reason })))
  }).finally(forget)
}

function checkStartOptions(options: StartOptions): StartOptions {
  checkNames(options, ['name'], 'the start of a supervisor', {}, 'startOptions')
  return options
}

/**
 * Ends a supervisor in order: its children, the last one first, and then itself, for `reason`, by default `'normal'`. Resolves once it has
 * ended. Rejects with a `CallError` after `timeout` milliseconds, by default never, and if the supervisor had ended before, or ends for
 * another reason. A start that is pending is not waited for. Source: `gen_server:stop/1,3`.
 */
export async function stop(
  supervisor: SupervisorRef,
  reason: ExitReason = 'normal',
  timeout: number = Number.POSITIVE_INFINITY,
): Promise<void> {
  try {
    await call(supervisor as unknown as Callee, { type: 'stop', reason }, timeout)
  } catch (error) {
    if (!isEndFor(error, reason)) throw error
  }
}

/**
 * Gives the child spec of a supervisor below another one. The type is `'supervisor'`, and the supervisor has all the time to end
 * that its children need. Throws a TypeError or RangeError if an option is wrong.
 *
 * ```ts
 * const workers = supervisor.childSpec({ id: 'workers', strategy: 'one_for_all', children: [reader, writer] })
 * await supervisor.start({ children: [log, workers] })
 * ```
 */
export function childSpec(options: NestedOptions): ChildSpec {
  checkObject(options)
  const { id, name, restart, shutdown, significant, ...others } = options
  const startOptions = name === undefined ? {} : { name }
  checkOptions(others)
  const given = { restart, shutdown, significant }
  const spec: ChildSpec = {
    id,
    start: parent => startLink(parent, others, startOptions),
    type: 'supervisor',
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  }
  checkSpec('options', spec, undefined)
  return spec
}

/**
 * Throws a TypeError or RangeError that names the first wrong option of child specs. Where `autoShutdown` is `'never'`, no child may be
 * significant. Source: `supervisor:check_childspecs/1,2`.
 */
export function checkChildspecs(specs: readonly ChildSpec[], autoShutdown?: AutoShutdown): void {
  if (autoShutdown !== undefined) checkAutoShutdown('autoShutdown', autoShutdown)
  checkSpecs('specs', specs, autoShutdown)
}

/**
 * Starts one more child, behind all others, and resolves to it; to `undefined` if its `ChildSpec.start` gave `'ignore'`, where the spec is kept
 * unless the child is temporary or the supervisor a `'simple_one_for_one'`. Rejects with a `SupervisorError`: `'already_started'`,
 * `'already_present'`, `'max_children'`, `'bad_combination'`, or `'failed_to_start_child'`, where the spec is not kept; and with a
 * `CallError` if the supervisor has ended. Throws a TypeError or RangeError at once if the spec is wrong.
 *
 * Under a `'simple_one_for_one'` children may differ. A function that gives a spec stands for the template of OTP, and its parameters
 * for the arguments. Source: `supervisor:start_child/2`.
 *
 * ```ts
 * const session = (user: string): ChildSpec => ({ id: user, restart: 'temporary', start: parent => openSession(parent, user) })
 * await supervisor.startChild(sessions, session('joe'))
 * ```
 */
export function startChild(supervisor: SupervisorRef, spec: ChildSpec): Promise<MonitorTarget | undefined> {
  const checked = checkSpec('spec', spec, undefined)
  return ask<MonitorTarget | undefined>(supervisor, { type: 'start_child', spec: checked })
}

/**
 * Ends a child, and resolves once it has ended. The spec is kept unless the child is temporary or the supervisor a
 * `'simple_one_for_one'`, whose children are named by their pids. A restart that is delayed is called off. Rejects with a
 * `SupervisorError`: `'not_found'`, `'simple_one_for_one'`; and with a `CallError` if the supervisor has ended. Source:
 * `supervisor:terminate_child/2`.
 */
export function terminateChild(supervisor: SupervisorRef, id: string | MonitorTarget): Promise<void> {
  return ask<void>(supervisor, { type: 'terminate_child', id: checkId(id) })
}

/**
 * Starts a child anew that does not run, and resolves to it; to `undefined` if its `ChildSpec.start` gave `'ignore'`. Rejects with a
 * `SupervisorError`: `'not_found'`, `'running'`, `'restarting'`, `'simple_one_for_one'`, `'failed_to_start_child'`; and with a `CallError`
 * if the supervisor has ended. Source: `supervisor:restart_child/2`.
 */
export function restartChild(supervisor: SupervisorRef, id: string): Promise<MonitorTarget | undefined> {
  return ask<MonitorTarget | undefined>(supervisor, { type: 'restart_child', id: checkStringId(id) })
}

/**
 * Removes the spec of a child that does not run. Rejects with a `SupervisorError`: `'not_found'`, `'running'`, `'restarting'`,
 * `'simple_one_for_one'`; and with a `CallError` if the supervisor has ended. Source: `supervisor:delete_child/2`.
 */
export function deleteChild(supervisor: SupervisorRef, id: string): Promise<void> {
  return ask<void>(supervisor, { type: 'delete_child', id: checkStringId(id) })
}

/**
 * Gives the children, the last one first, as OTP does. Rejects with a `CallError` if the supervisor has ended. Source:
 * `supervisor:which_children/1`.
 */
export function whichChildren(supervisor: SupervisorRef): Promise<readonly RunningChild[]> {
  return ask<readonly RunningChild[]>(supervisor, { type: 'which_children' })
}

/**
 * Counts the children. Rejects with a `CallError` if the supervisor has ended. Source: `supervisor:count_children/1`, whose `specs` of a
 * `simple_one_for_one` is 1.
 */
export function countChildren(supervisor: SupervisorRef): Promise<ChildCounts> {
  return ask<ChildCounts>(supervisor, { type: 'count_children' })
}

/**
 * Gives the spec of a child with its defaults; that of a `'simple_one_for_one'` is named by its pid. Rejects with a `SupervisorError`:
 * `'not_found'`, `'simple_one_for_one'`; and with a `CallError` if the supervisor has ended. Source: `supervisor:get_childspec/2`.
 */
export function getChildspec(
  supervisor: SupervisorRef,
  id: string | MonitorTarget,
): Promise<CheckedChildSpec> {
  return ask<CheckedChildSpec>(supervisor, { type: 'get_childspec', id: checkId(id) })
}

/** Asks a supervisor, for as long as it takes: the start and the end of children may be long. */
async function ask<R>(supervisor: SupervisorRef, request: Request): Promise<R> {
  const answer = await call(supervisor as unknown as Callee, request, Number.POSITIVE_INFINITY)
  if ('code' in answer) throw new SupervisorError(answer)
  return answer.value as R
}

function checkStringId(id: string): string {
  if (typeof id === 'string') return id
  throw new TypeError(`id must be a string, not ${inspect(id, { depth: 0 })}`)
}

function checkId(id: string | MonitorTarget): string | MonitorTarget {
  if (typeof id === 'string' || isActorRef(id)) return id
  if (typeof id === 'object' && id !== null && onExit in id) return id
  throw new TypeError(`id must be the id of a child or its pid, not ${inspect(id, { depth: 0 })}`)
}
