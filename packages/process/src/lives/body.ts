/** The body of a process runs once, and its end is the exit of the process. */

import { type ExitReason, thrown } from '../exit-reason.js'

/** A process, as its body ends it. */
interface Running {
  readonly isAlive: boolean
  exit(reason?: ExitReason): void
}

const started = Promise.resolve()

/** Throws a TypeError unless `body` is a function. */
export function checkBody(body: unknown): void {
  if (typeof body !== 'function') throw new TypeError('body must be a function')
}

/** Runs `body` in a later microtask, unless the process has exited by then. */
export function startBody<P extends Running>(process: P, body: (self: P) => unknown): void {
  // A promise rather than queueMicrotask, for which Node makes an async resource each time.
  void started.then(() => run(process, body))
}

function run<P extends Running>(process: P, body: (self: P) => unknown): void {
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
