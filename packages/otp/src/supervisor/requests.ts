/** The answers of a supervisor to the functions that ask it. */

import { isAlive, type MonitorTarget } from '@holster/process'
import type { CheckedChildSpec } from './checked-spec.js'
import { type Child, noteEnd } from './children.js'
import { type Failure, isAlreadyStarted } from './errors.js'
import { type Answer, type Request, Stop } from './messages.js'
import type { Supervision } from './supervision.js'

/** A child, as `whichChildren` shows it. */
export interface RunningChild {
  /** The id of its spec. */
  readonly id: string
  /** The child; `'restarting'` if the supervisor is about to start it anew, `undefined` if it does not run. */
  readonly pid: MonitorTarget | 'restarting' | undefined
  /** Whether the child is itself a supervisor. */
  readonly type: 'worker' | 'supervisor'
}

/** How many children there are. */
export interface ChildCounts {
  /** All children, whether or not they run. */
  readonly specs: number
  /**
   * The children that run. A `'simple_one_for_one'`, which may have very many, does not look whether a child has just ended whose
   * end has not been taken yet.
   */
  readonly active: number
  /** The children that are supervisors, whether or not they run. */
  readonly supervisors: number
  /** All other children, whether or not they run. */
  readonly workers: number
}

/**
 * Does what is asked, and gives the answer; `undefined` where nothing like that can be asked. Rejects with a `Stop` if the supervisor is to
 * end.
 */
export async function answer(supervision: Supervision, request: Request): Promise<Answer | undefined> {
  switch (request?.type) {
    case 'start_child':
      return startChild(supervision, request.spec as CheckedChildSpec)
    case 'terminate_child':
      return terminateChild(supervision, request.id)
    case 'restart_child':
      return restartChild(supervision, request.id)
    case 'delete_child':
      return deleteChild(supervision, request.id)
    case 'get_childspec': {
      const child = find(supervision, request.id)
      return isFailure(child) ? child : { value: child?.spec }
    }
    case 'which_children':
      return { value: [...supervision.children].map(show).reverse() }
    case 'count_children':
      return { value: count([...supervision.children], supervision.isDynamic) }
    case 'stop':
      throw new Stop(request.reason)
    default:
      return undefined
  }
}

async function startChild(supervision: Supervision, spec: CheckedChildSpec): Promise<Answer> {
  const { id } = spec
  const { children, isDynamic, options } = supervision
  if (spec.significant && options.autoShutdown === 'never') return { code: 'bad_combination', id }
  const present = isDynamic ? undefined : children.byId(id)
  if (present !== undefined) {
    const { pid } = present
    return pid === undefined ? { code: 'already_present', id } : { code: 'already_started', id, pid }
  }
  if (children.size >= options.maxChildren) return { code: 'max_children', id }
  const outcome = await supervision.start(spec)
  if (!outcome.isStarted) return failure(id, outcome.reason)
  const { pid } = outcome
  const isKept = pid !== undefined || !(isDynamic || spec.restart === 'temporary')
  if (isKept) supervision.started(children.add(spec), pid)
  return { value: pid }
}

async function terminateChild(supervision: Supervision, id: string | MonitorTarget): Promise<Answer> {
  const child = find(supervision, id)
  // A dynamic child that has ended already is none any more.
  if (isFailure(child))
    return child.code === 'not_found' && typeof id !== 'string' && !isAlive(id) ? DONE : child
  await supervision.end(child)
  supervision.forget(child)
  return DONE
}

async function restartChild(supervision: Supervision, id: string): Promise<Answer> {
  const child = findIdle(supervision, id)
  if (isFailure(child)) return child
  const outcome = await supervision.start(child.spec, child)
  if (!outcome.isStarted) {
    noteEnd(child, outcome.reason)
    return failure(id, outcome.reason)
  }
  supervision.started(child, outcome.pid)
  return { value: outcome.pid }
}

function deleteChild(supervision: Supervision, id: string): Answer {
  const child = findIdle(supervision, id)
  if (isFailure(child)) return child
  supervision.children.remove(child)
  return DONE
}

const DONE: Answer = { value: undefined }

function failure(id: string, reason: unknown): Failure {
  if (isAlreadyStarted(reason)) return { code: 'already_started', id, pid: reason[1] }
  return { code: 'failed_to_start_child', id, reason }
}

function find({ children, isDynamic }: Supervision, id: string | MonitorTarget): Child | Failure {
  if (typeof id !== 'string') {
    const child = isDynamic ? children.byPid(id) : undefined
    return child ?? { code: 'not_found', pid: id }
  }
  if (isDynamic) return { code: 'simple_one_for_one', id }
  return children.byId(id) ?? { code: 'not_found', id }
}

/** Finds a child that does not run. */
function findIdle(supervision: Supervision, id: string): Child | Failure {
  const child = find(supervision, id)
  if (isFailure(child)) return child
  if (child.isRestarting) return { code: 'restarting', id }
  return child.pid === undefined ? child : { code: 'running', id }
}

function isFailure(found: Child | Failure): found is Failure {
  return 'code' in found
}

function show({ spec: { id, type }, pid, isRestarting }: Child): RunningChild {
  return { id, pid: isRestarting ? 'restarting' : pid, type }
}

function count(children: readonly Child[], isDynamic: boolean): ChildCounts {
  const active = children.filter(({ pid }) => pid !== undefined && (isDynamic || isAlive(pid))).length
  const supervisors = children.filter(({ spec }) => spec.type === 'supervisor').length
  return { specs: children.length, active, supervisors, workers: children.length - supervisors }
}
