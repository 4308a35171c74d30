// Connections, handles, warnings and crashes that a test leaves behind in the program.

import type { TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import * as testing from '@holster/testing'

/** The owners of connections in our tests are processes without a body, and left to the garbage collector. */
const owners = { ignore: /^#Process</ }

export const leftovers = (): (() => Promise<string[]>) => testing.leftovers(owners)

/** `await using _left = assertNothingLeft()` as a test's first line checks after everything else was disposed of. */
export const assertNothingLeft = (): AsyncDisposable => testing.assertNothingLeft(owners)

/** Checks behind the test, and behind all that the test has disposed of. */
export function assertNothingLeftAfter(t: TestContext): void {
  const left = assertNothingLeft()
  t.after(() => left[Symbol.asyncDispose]())
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
