// Handles, warnings and crashes that a test leaves behind in the process.

import { setImmediate as turn } from 'node:timers/promises'

/** Bounds the wait by turns, not by time: some 50 ms for a test that fails, a few turns for one that does not. */
const maxTurns = 20_000

/** A turn's own immediate, and what a reporter has not yet written. */
const transient = new Set(['Immediate', 'WriteWrap'])

function resources(): string[] {
  return process.getActiveResourcesInfo().filter(name => !transient.has(name))
}

function surplus(baseline: readonly string[]): string[] {
  const known = [...baseline]
  return resources().filter(name => {
    const at = known.indexOf(name)
    if (at >= 0) known.splice(at, 1)
    return at < 0
  })
}

/** Remembers what is active now; the function it gives turns the event loop until nothing more than that is, and
 * gives the names of what stays, as `process.getActiveResourcesInfo()` has them. Unref'd handles do not count. */
export function leftovers(): () => Promise<string[]> {
  const baseline = resources()
  return async () => {
    for (let turns = 0; turns < maxTurns && surplus(baseline).length > 0; turns++) await turn()
    return surplus(baseline)
  }
}

/** `await using _left = assertNothingLeft()` as a test's first line checks after everything else was disposed of;
 * given the test's context, it checks in an `after` hook instead. */
export function assertNothingLeft(t?: { after(hook: () => Promise<void>): void }): AsyncDisposable {
  const remaining = leftovers()
  const check = async (): Promise<void> => {
    const left = await remaining()
    if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`)
  }
  t?.after(check)
  return { [Symbol.asyncDispose]: check }
}

export interface Collected extends AsyncDisposable {
  readonly warnings: Error[]
  readonly rejections: unknown[]
  readonly exceptions: unknown[]
  /** Lets what is on its way arrive, and rejects if there is anything. */
  assertNone(): Promise<void>
  /** Lets what is on its way arrive, and takes it out: what a test expects and has looked at. */
  take(): Promise<{ warnings: Error[]; rejections: unknown[]; exceptions: unknown[] }>
}

type Listener = (...args: unknown[]) => void

/** Takes the place of all listeners, the test runner's too, so that a test can look at what it provokes. Whatever
 * nobody has taken when it is disposed of fails the test: nothing is swallowed. */
export function collectWarnings(): Collected {
  const warnings: Error[] = []
  const rejections: unknown[] = []
  const exceptions: unknown[] = []
  const emitter: NodeJS.EventEmitter = process
  const replace = (event: string, listener: Listener): (() => void) => {
    const others = emitter.rawListeners(event)
    emitter.removeAllListeners(event)
    emitter.on(event, listener)
    return () => {
      emitter.off(event, listener)
      const added = emitter.rawListeners(event)
      emitter.removeAllListeners(event)
      for (const other of [...others, ...added]) emitter.on(event, other as Listener)
    }
  }
  const restores = [
    replace('warning', warning => warnings.push(warning as Error)),
    replace('unhandledRejection', reason => rejections.push(reason)),
    replace('uncaughtException', error => exceptions.push(error)),
  ]

  const arrive = async (): Promise<void> => {
    await turn()
    await turn()
  }
  const fail = (): void => {
    const all = [...warnings, ...rejections, ...exceptions]
    if (all.length === 0) return
    throw new AggregateError(all, `the process warned or crashed: ${all.map(String).join('; ')}`)
  }

  return {
    warnings,
    rejections,
    exceptions,
    async assertNone() {
      await arrive()
      fail()
    },
    async take() {
      await arrive()
      return {
        warnings: warnings.splice(0),
        rejections: rejections.splice(0),
        exceptions: exceptions.splice(0),
      }
    },
    async [Symbol.asyncDispose]() {
      await arrive()
      for (const restore of restores) restore()
      fail()
    },
  }
}
