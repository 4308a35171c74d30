/** A process begins with a body that runs, or without one. */

import { checkBody, startBody } from './lives/body.js'
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
  checkBody(body)
  const process = new Process<M>(options)
  startBody(process, body)
  return process
}

/**
 * Makes a process without a body, for scripts, tests and a REPL. It lives until `self.exit()`, or until it is sent an exit signal.
 * Throws a TypeError or RangeError if an option is wrong.
 */
export function createProcess<M = unknown>(options?: ProcessOptions): Process<M> {
  return new Process<M>(options)
}
