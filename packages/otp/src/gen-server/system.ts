/** A server can be looked at, changed, suspended and ended from outside, in its turn among its messages. */

import {
  CallError,
  call,
  isAlive,
  type MonitorTarget,
  type Pid,
  type ReplyTo,
  whereis,
} from '@holster/process'
import { Failure, SystemRequest, type SystemTask } from './system-request.js'

/** The longest wait in milliseconds, unless a call says otherwise. */
const DEFAULT_TIMEOUT = 5000

/** The type of the state of a server that takes messages of type `M`; `unknown` if its messages are not known. */
export type StateIn<M> = ReplyTo<M, SystemRequest>

function ask(pid: Pid<unknown> | string, task: SystemTask, timeout: number): Promise<unknown> {
  return call(pid as Pid<unknown>, new SystemRequest(task), timeout)
}

/**
 * Gives the state of a server, a process or the name of one, in its turn among the messages: what was sent before is done. Meant for
 * tests and a REPL. Rejects and throws as `call` does. Source: `sys:get_state/1,2`.
 */
export function getState<M>(pid: Pid<M> | string, timeout: number = DEFAULT_TIMEOUT): Promise<StateIn<M>> {
  return ask(pid, ['get_state'], timeout) as Promise<StateIn<M>>
}

/**
 * Gives a server the state that `replace` makes of the present one, and resolves to it. Rejects with what `replace` throws, and the
 * server goes on with the state that it has. Otherwise rejects and throws as `call` does. Source: `sys:replace_state/2,3`.
 */
export function replaceState<M>(
  pid: Pid<M> | string,
  replace: (state: StateIn<M>) => StateIn<M>,
  timeout: number = DEFAULT_TIMEOUT,
): Promise<StateIn<M>> {
  if (typeof replace !== 'function') throw new TypeError('replace must be a function')
  return ask(pid, ['replace_state', replace], timeout).then(state => {
    if (state instanceof Failure) throw state.error
    return state as StateIn<M>
  })
}

/**
 * Has a server take no messages but those of `getState`, `replaceState`, `resume` and `stop`, and the exit of its parent, until `resume`:
 * all others wait in its mailbox.
 * Rejects and throws as `call` does. Source: `sys:suspend/1,2`.
 */
export async function suspend(pid: Pid<never> | string, timeout: number = DEFAULT_TIMEOUT): Promise<void> {
  await ask(pid, ['suspend'], timeout)
}

/** Has a server go on that was suspended. Rejects and throws as `call` does. Source: `sys:resume/1,2`. */
export async function resume(pid: Pid<never> | string, timeout: number = DEFAULT_TIMEOUT): Promise<void> {
  await ask(pid, ['resume'], timeout)
}

/**
 * Ends a server for `reason`, `'normal'` by default, in its turn among the messages, and resolves when it has ended: `terminate` has run.
 * Rejects with a `CallError` whose `reason` is `'noproc'` if there is no such server, `'timeout'` after `timeout` milliseconds
 * (`Infinity` by default), or the reason for which the server ended instead. A server ends itself by an answer `['stop', …]`; one that
 * waited for its own `stop` would wait for ever. Throws as `call` does. Source: `gen_server:stop/1,3`.
 */
export function stop(
  pid: Pid<never> | string,
  reason: unknown = 'normal',
  timeout: number = Number.POSITIVE_INFINITY,
): Promise<void> {
  const target = typeof pid === 'string' ? whereis(pid) : pid
  return ask(pid, ['terminate', reason], timeout).then(
    () => undefined,
    error => {
      const hasEnded = target !== undefined && !isAlive(target as unknown as MonitorTarget)
      if (hasEnded && error instanceof CallError && error.reason === reason) return
      throw error
    },
  )
}
