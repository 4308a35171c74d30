// Clocks that pass as the test says.

import { mock, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'

/** Mocks `setTimeout`. What it gives lets so many milliseconds pass, and a turn in which it is seen what has come by then. */
export function mockTimeouts(t: TestContext): (ms: number) => Promise<void> {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  return async ms => {
    t.mock.timers.tick(ms)
    await turn()
  }
}

/** A clock that has gone on by a millisecond at each look, however fast the machine is. */
export function slowClock(t: TestContext): void {
  let now = performance.now()
  const clock = mock.method(performance, 'now', () => ++now)
  t.after(() => clock.mock.restore())
}
