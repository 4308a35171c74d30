// A clock that passes as the test says.

import type { TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'

/** Mocks `setTimeout`. What it gives lets so many milliseconds pass, and a turn in which it is seen what has come by then. */
export function mockTimeouts(t: TestContext): (ms: number) => Promise<void> {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  return async ms => {
    t.mock.timers.tick(ms)
    await turn()
  }
}
