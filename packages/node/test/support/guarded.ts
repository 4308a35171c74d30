// Programs that tests start, and that end with them however the test ends, also while they are paused.

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'

/** A program that a test has started. */
export interface Guarded {
  readonly child: ChildProcess
  /** Resolves to the exit code, or to the signal that has ended the program. */
  readonly ended: Promise<number | string>
  /** Kills the program, unless it has ended, and resolves once it has. */
  kill(): Promise<void>
}

/** Starts a program. */
export function guarded(command: string, args: readonly string[], options: SpawnOptions): Guarded {
  const child = spawn(command, args, options)
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string)
  // The pipe closes with the program of the test, whatever ends that.
  const script = `cat; kill -s KILL ${child.pid}`
  const guard = spawn('sh', ['-c', script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  const guardEnded = once(guard, 'exit')
  // The guard is no use any more, and must not end another program that gets the number.
  void ended.then(() => guard.kill('SIGKILL'))
  return {
    child,
    ended,
    async kill() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await ended
      await guardEnded
    },
  }
}
