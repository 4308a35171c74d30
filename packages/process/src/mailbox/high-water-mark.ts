/** How much may wait in a mailbox: up to the first mark at any time, and up to the second while a receive waits for something else. */

import { didYouMean } from '../suggestion.js'

/**
 * How much may wait in a mailbox before its sources, such as connections, are paused. They go on once half of it waits.
 * `Infinity` switches a measure off.
 */
export interface HighWaterMark {
  /** The most messages; 16,384 by default. */
  readonly messages?: number
  /** The most bytes, as the sources count what they deliver; 16 MiB by default. */
  readonly bytes?: number
}

/** A high-water mark with both of its measures. */
export type Mark = Required<HighWaterMark>

/** The marks of one mailbox. */
export interface Marks {
  /** More than this pauses the sources that no receive waits for. */
  readonly first: Mark
  /** Half the first mark, at which the sources go on. */
  readonly half: Mark
  /** More than this pauses a source that a receive waits for, or ends it. Never below the first mark. */
  readonly second: Mark
}

const MEASURES: readonly (keyof HighWaterMark)[] = ['messages', 'bytes']
const MIB = 1024 * 1024
const TIMES = 16
const FIRST: Mark = { messages: 16_384, bytes: 16 * MIB }
const SECOND: Mark = { messages: TIMES * FIRST.messages, bytes: TIMES * FIRST.bytes }
const DEFAULTS: Marks = { first: FIRST, half: halfOf(FIRST), second: SECOND }

/** Half as much of each measure. */
export function halfOf({ messages, bytes }: Mark): Mark {
  return { messages: messages / 2, bytes: bytes / 2 }
}

/** Gives the marks that the options of a process ask for. Throws a TypeError or RangeError that names the wrong option. */
export function marksOf(
  highWaterMark: HighWaterMark | undefined,
  waitingHighWaterMark: HighWaterMark | undefined,
): Marks {
  if (highWaterMark === undefined && waitingHighWaterMark === undefined) return DEFAULTS
  check('highWaterMark', highWaterMark)
  check('waitingHighWaterMark', waitingHighWaterMark)
  const first = withDefaults(highWaterMark, FIRST)
  const second = withDefaults(waitingHighWaterMark, {
    messages: Math.max(SECOND.messages, TIMES * first.messages),
    bytes: Math.max(SECOND.bytes, TIMES * first.bytes),
  })
  for (const key of MEASURES) {
    if (second[key] < first[key]) {
      throw new RangeError(
        `waitingHighWaterMark.${key} (${second[key]}) must not be below highWaterMark.${key} (${first[key]})`,
      )
    }
  }
  return { first, half: halfOf(first), second }
}

/** Fills in the defaults of the measures that `mark` leaves out or has as `undefined`. */
function withDefaults(mark: HighWaterMark | undefined, defaults: Mark): Mark {
  return { messages: mark?.messages ?? defaults.messages, bytes: mark?.bytes ?? defaults.bytes }
}

function check(name: string, mark: HighWaterMark | undefined): void {
  if (mark === undefined) return
  if (typeof mark !== 'object' || mark === null) throw new TypeError(`${name} must be an object`)
  for (const key of Object.keys(mark)) {
    if (MEASURES.some(measure => measure === key)) continue
    throw new TypeError(`${name}.${key} is not an option${didYouMean(key, MEASURES)}`)
  }
  for (const key of MEASURES) {
    const value = mark[key]
    if (value !== undefined && !(typeof value === 'number' && value >= 1)) {
      throw new RangeError(`${name}.${key} must be a number of at least 1, or Infinity, not ${value}`)
    }
  }
}
