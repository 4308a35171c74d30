/** Where a process was spawned is kept only when asked for, since a stack costs more than a process. */

let isRecording = false

/**
 * Has each process that is made from now on keep the stack of its birth, which `processInfo` shows; `false` ends that. A stack costs
 * several times what a process does. Throws a TypeError unless `on` is a boolean.
 */
export function recordSpawns(on: boolean): void {
  if (typeof on !== 'boolean') throw new TypeError('on must be a boolean')
  isRecording = on
}

/** Gives the stack behind the call of `maker`, without its first line; `undefined` unless stacks are recorded. */
export function birthplace(maker: abstract new (...args: never) => unknown): string | undefined {
  if (!isRecording) return undefined
  const holder: { stack?: string } = {}
  Error.captureStackTrace(holder, maker)
  return holder.stack?.split('\n').slice(1).join('\n')
}
