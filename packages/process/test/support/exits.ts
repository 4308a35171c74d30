/** Collects the reasons that reach the exit hook, and unhandled rejections. */

import type { TestContext } from 'node:test'
import { setExitHook } from '../../src/index.ts'

/** Collects the exit reasons that are reported while the test runs. */
export function collectExits(t: TestContext): { pid: unknown; reason: unknown }[] {
  const exits: { pid: unknown; reason: unknown }[] = []
  const previous = setExitHook((pid, reason) => {
    exits.push({ pid, reason })
  })
  t.after(() => {
    setExitHook(previous)
  })
  return exits
}

/** Collects the unhandled rejections while the test runs. */
export function collectUnhandled(t: TestContext): unknown[] {
  const unhandled: unknown[] = []
  const listener = (reason: unknown) => {
    unhandled.push(reason)
  }
  const others = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', listener)
  t.after(() => {
    process.off('unhandledRejection', listener)
    for (const other of others) process.on('unhandledRejection', other)
  })
  return unhandled
}

/** Collects the errors that xstate throws because they have no handler. */
export function collectUncaught(t: TestContext): unknown[] {
  const uncaught: unknown[] = []
  const listener = (error: unknown) => {
    uncaught.push(error)
  }
  const others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', listener)
  t.after(() => {
    process.off('uncaughtException', listener)
    for (const other of others) process.on('uncaughtException', other)
  })
  return uncaught
}
