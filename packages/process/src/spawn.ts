/** A process begins with a body that runs, or without one. */

import { thrown } from './exit-reason.js'
import type { ProcessOptions } from './options.js'
import { Process } from './process.js'

/**
 * Starts a process that runs `body`, and gives the process at once; the body begins in a later microtask. When the body
 * returns, or the promise that it gives resolves, the process exits `'normal'`. When it throws or rejects, the process exits
 * with the error; a thrown value that is no Error becomes the cause of one. Throws a TypeError or RangeError if an argument
 * is wrong. Source: `erlang:spawn/1`.
 */
export function spawn<M = unknown>(
  body: (self: Process<M>) => unknown,
  options?: ProcessOptions,
): Process<M> {
  if (typeof body !== 'function') throw new TypeError('body must be a function')
  const process = new Process<M>(options)
  // A promise rather than queueMicrotask, for which Node makes an async resource each time.
  void started.then(() => run(process, body))
  return process
}

const started = Promise.resolve()

function run<M>(process: Process<M>, body: (self: Process<M>) => unknown): void {
  if (!process.isAlive) return
  let result: unknown
  try {
    result = body(process)
  } catch (error) {
    return process.exit(thrown(error))
  }
  if ((typeof result !== 'object' && typeof result !== 'function') || result === null) return process.exit()
  Promise.resolve(result).then(
    () => process.exit(),
    error => process.exit(thrown(error)),
  )
}

/**
 * Makes a process without a body, for scripts, tests and a REPL. It lives until `exit()`, or until it is sent an exit signal.
 * Throws a TypeError or RangeError if an option is wrong.
 */
export function createProcess<M = unknown>(options?: ProcessOptions): Process<M> {
  return new Process<M>(options)
}
