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
  queueMicrotask(() => void run(process, body))
  return process
}

async function run<M>(process: Process<M>, body: (self: Process<M>) => unknown): Promise<void> {
  if (!process.isAlive) return
  try {
    await body(process)
    process.exit()
  } catch (error) {
    process.exit(thrown(error))
  }
}

/** A process without a body: it lives until `exit()`. For scripts, tests and a REPL. */
export function createProcess<M = unknown>(options?: ProcessOptions): Process<M> {
  return new Process<M>(options)
}
