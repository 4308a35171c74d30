/** A clock that passes as the test says, for what is noted by the clock of `performance.now` and by the coarse clock. */

import { mock, type TestContext } from 'node:test'
import { coarseClock } from '../../src/host/coarse-clock.ts'

/** Stops the clock of `performance.now` as a second of the coarse clock begins. What it gives lets so many milliseconds pass. */
export function passingClock(t: TestContext): (ms: number) => void {
  // Whole milliseconds, so that differences are exact.
  let now = Math.ceil(performance.now())
  const clock = mock.method(performance, 'now', () => now)
  t.after(() => clock.mock.restore())
  const pass = (ms: number) => {
    now += ms
    coarseClock.tick()
  }
  t.after(coarseClock.wind())
  const { second } = coarseClock
  while (coarseClock.second === second) pass(1)
  return pass
}
