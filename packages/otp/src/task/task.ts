/**
 * A task is a function that runs in a process of its own, and whose result its owner waits for. Elixir's `Task`.
 * @module
 */

import type { Process } from '@holster/process'
import { startTask, type Task, type TaskFunction } from './handle.js'

export { ignore, shutdown } from './ending.js'
export { type Outcome, Task, type TaskFunction, type TaskReply } from './handle.js'
export { asyncStream, asyncStreamNoLink, type StreamFunction, type StreamOptions } from './stream.js'
export { TaskError } from './task-error.js'
export {
  awaitMany,
  awaitTask as await,
  type Results,
  type YieldOptions,
  type Yields,
  yieldMany,
  yieldTask as yield,
} from './waiting.js'

/**
 * Starts a process that runs `fn`, linked to `self`, which owns the task. The result comes back through `await`, `awaitMany`, `yield` or
 * `yieldMany`. If `fn` throws, the owner ends with the same reason through the link, unless it traps exits. Throws a TypeError unless
 * `fn` is a function. Source: `Task.async/1`.
 */
export function async<T, M>(self: Process<M>, fn: TaskFunction<T>): Task<T> {
  return startTask(self, fn, true)
}

/**
 * Does as `async`, but without a link: a task that crashes tells its owner through `await` alone, and it outlives its owner. Source:
 * `Task.Supervisor.async_nolink/2`.
 */
export function asyncNoLink<T, M>(self: Process<M>, fn: TaskFunction<T>): Task<T> {
  return startTask(self, fn, false)
}
