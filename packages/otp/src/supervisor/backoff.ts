/** A restart is delayed longer the more often the child has ended soon after its start. */

import type { Backoff } from '../child-spec.js'
import type { Child } from './children.js'

const FACTOR = 2
const JITTER = 0.5

/** Notes one more delay, and gives it in milliseconds. `now` is the time by the clock of `performance.now`. */
export function nextDelay(
  child: Child,
  { initial, max, factor = FACTOR, jitter = JITTER }: Backoff,
  now: number,
): number {
  if (child.pid !== undefined && now - child.startedAt >= max) child.delays = 0
  const whole = Math.min(max, initial * factor ** child.delays)
  child.delays++
  return whole * (1 - jitter * Math.random())
}
