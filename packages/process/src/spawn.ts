/** How processes begin: with a body that runs, or without one. */

import { thrown } from './exit-reason.js'
import type { ProcessOptions } from './options.js'
import { Process } from './process.js'

/**
 * Starts a process that runs `body`, and gives it at once; the body begins in a later microtask. When the body
 * returns the process exits `'normal'`. When it throws the process exits with the error; what is thrown and is no Error
 * becomes the cause of one. Source: `erlang:spawn/1`.
 */
export function spawn<M = unknown>(
  body: (self: Process<M>) => unknown,
  options?: ProcessOptions,
): Process<M> {
  if (typeof body !== 'function') throw new TypeError('body must be a function')
  const process = new Process<M>(options)
  // Not queueMicrotask: Node makes a resource of its own for each.
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
  // Whatever has a `then` is waited for.
  Promise.resolve(result).then(
    () => process.exit(),
    error => process.exit(thrown(error)),
  )
}

/** A process without a body: it lives until `exit()`. For scripts, tests and a REPL. */
export function createProcess<M = unknown>(options?: ProcessOptions): Process<M> {
  return new Process<M>(options)
}
