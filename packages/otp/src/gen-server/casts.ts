/** A cast asks a server for something, and waits for no reply. */

import { inspect } from 'node:util'
import { createProcess, type Pid, type ReplyTo, type RequestOf, whereis } from '@holster/process'
import { checkCallee, checkDuration } from '@holster/process/internal'
import type { Cast, CastOf } from './callbacks.js'

/** Throws a TypeError unless messages can be sent to `pid`, or it is a name. */
function checkPid(pid: unknown, argument = 'pid'): void {
  if (typeof pid === 'string' || typeof (pid as Partial<Pid<never>> | null | undefined)?.send === 'function')
    return
  throw new TypeError(
    `${argument} must be a process, the name of one, or another pid, not ${inspect(pid, { depth: 0 })}`,
  )
}

/**
 * Sends `request` to a server, a process or the name of one, as a message `{ type: 'cast', request }`, which `handleCast` gets.
 * The caller is not told whether that happens: a server that has ended, or a name that nothing has, is no error. Throws a
 * TypeError unless `pid` is one of these. Source: `gen_server:cast/2`.
 */
export function cast<T, const Q extends CastOf<T>>(pid: Pid<T> | string, request: Q): void {
  checkPid(pid)
  const target = typeof pid === 'string' ? whereis<T>(pid) : pid
  const message: Cast<Q> = { type: 'cast', request }
  target?.send(message as T)
}

/** Casts `request` to each of `pids`, as `cast` does. Source: `gen_server:abcast/2`, whose names are here on one node. */
export function abcast<T, const Q extends CastOf<T>>(pids: readonly (Pid<T> | string)[], request: Q): void {
  checkPids(pids, checkPid)
  for (const pid of pids) cast<T, Q>(pid, request)
}

/** The result of `multiCall`. */
export interface MultiReplies<T, R> {
  /** The processes that have replied, with their replies, in the order in which the processes were given. */
  readonly replies: readonly (readonly [pid: Pid<T> | string, value: R])[]
  /** The processes that have not replied, as they ended before, or were too slow, or do not exist. */
  readonly bad: readonly (Pid<T> | string)[]
}

/**
 * Calls all of `pids` at once, and resolves when each has replied, ended, or been silent for `timeout` milliseconds (`Infinity` by
 * default). Never rejects. Throws a TypeError or RangeError at once if an argument is wrong. Source: `gen_server:multi_call/4`, whose
 * names are here on one node.
 */
export function multiCall<T, const Q extends RequestOf<T>>(
  pids: readonly (Pid<T> | string)[],
  request: Q,
  timeout: number = Number.POSITIVE_INFINITY,
): Promise<MultiReplies<T, ReplyTo<T, Q>>> {
  checkPids(pids, checkTarget)
  checkDuration('timeout', timeout, true)
  const caller = createProcess()
  const calls = pids.map(pid => caller.call<T, Q>(pid, request, timeout))
  return sort(pids, calls).finally(() => caller.exit())
}

async function sort<T, R>(
  pids: readonly (Pid<T> | string)[],
  calls: readonly Promise<R>[],
): Promise<MultiReplies<T, R>> {
  const replies: [Pid<T> | string, R][] = []
  const bad: (Pid<T> | string)[] = []
  for (const [i, result] of (await Promise.allSettled(calls)).entries()) {
    const pid = pids[i] as Pid<T> | string
    if ('value' in result) replies.push([pid, result.value])
    else bad.push(pid)
  }
  return { replies, bad }
}

/** Throws a TypeError unless `pids` is an array, all of which pass `check`. */
function checkPids(pids: readonly unknown[], check: (pid: unknown, argument: string) => void): void {
  if (!Array.isArray(pids)) throw new TypeError(`pids must be an array, not ${inspect(pids, { depth: 0 })}`)
  for (const [i, pid] of pids.entries()) check(pid, `pids[${i}]`)
}

/** Throws a TypeError unless `pid` can be called, or is a name. */
function checkTarget(pid: unknown, argument: string): void {
  if (typeof pid !== 'string') checkCallee(pid, argument)
}
