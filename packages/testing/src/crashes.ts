/** The crashes of a test: reasons that nobody has handled. */

import { inspect } from 'node:util'
import { type ExitHook, type ExitReason, setExitHook } from '@holster/process'
import { turn } from './turn.js'

/** A reason that nobody has handled. */
export interface Crash {
  /** The process, connection or actor that has ended, or the function of the caller's that has thrown. */
  readonly pid: unknown
  /** The reason, usually an Error. */
  readonly reason: ExitReason
}

/** The crashes since `collectCrashes`, and the check that there are no more than a test has taken. */
export interface Crashes extends AsyncDisposable {
  /** Waits a turn for crashes that are on their way, takes all out, and resolves to them, the oldest first. */
  take(): Promise<Crash[]>
}

/**
 * Collects the crashes of a test, in place of the exit hook that is set. `await using crashes = collectCrashes()` gives the hook back at the
 * end of the test and fails the test with an AggregateError if there are crashes that it has not taken. Tests that run at the same time in
 * one program share the hook.
 */
export function collectCrashes(): Crashes {
  let crashes: Crash[] = []
  const hook: ExitHook = (pid, reason) => {
    crashes.push({ pid, reason })
  }
  const before = setExitHook(hook)
  async function take(): Promise<Crash[]> {
    await turn()
    const taken = crashes
    crashes = []
    return taken
  }
  return {
    take,
    async [Symbol.asyncDispose]() {
      const left = await take()
      setExitHook(before)
      if (left.length === 0) return
      throw new AggregateError(
        left.map(({ reason }) => reason),
        left
          .map(({ pid, reason }) => `${inspect(pid, { depth: 0 })} has crashed: ${inspect(reason)}`)
          .join('\n'),
      )
    },
  }
}
