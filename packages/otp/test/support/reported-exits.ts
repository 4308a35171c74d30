/** Collects what reaches the exit hook. */

import type { TestContext } from 'node:test'
import { setExitHook } from '@holster/process'

/** Collects the exit reasons that are reported while the test runs. */
export function reportedExits(t: Pick<TestContext, 'after'>): unknown[] {
  const reasons: unknown[] = []
  const previous = setExitHook((_, reason) => {
    reasons.push(reason)
  })
  t.after(() => void setExitHook(previous))
  return reasons
}
