/** The figures of this program at one moment, which every kind of metrics shows under names of its own. */

import { type ConnectionInfo, connections } from '@holster/gun'
import { pools } from '@holster/gun/internal'
import { processes } from '@holster/process'
import { lookAt, printShort } from '@holster/process/internal'

/** The figures of one moment. */
export interface Figures {
  readonly running: number
  readonly waiting: number
  /** Messages that wait in all mailboxes, and the bytes that they hold. */
  readonly messages: number
  readonly bytes: number
  /** Processes whose mailboxes are over their marks. */
  readonly overMark: number
  readonly connections: readonly ConnectionInfo[]
  readonly pools: readonly PoolFigures[]
}

/** The figures of one pool. */
export interface PoolFigures {
  readonly authority: string
  readonly scope: string
  /** How many connections there are in each state. */
  readonly states: ReadonlyMap<string, number>
  /** How many callers wait for a connection. */
  readonly waiting: number
}

/** Takes the figures of now. */
export function figuresNow(): Figures {
  const all = processes()
  let waiting = 0
  let messages = 0
  let bytes = 0
  let overMark = 0
  for (const process of all) {
    const look = lookAt(process)
    if (look.wait !== undefined) waiting++
    if (look.isOverMark) overMark++
    messages += look.messages
    bytes += look.bytes
  }
  const running = all.length - waiting
  return {
    running,
    waiting,
    messages,
    bytes,
    overMark,
    connections: connections(),
    pools: pools().map(figuresOf),
  }
}

/** Counts things by a text. */
export function countBy<T>(items: Iterable<T>, textOf: (item: T) => string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const item of items) {
    const text = textOf(item)
    counts.set(text, (counts.get(text) ?? 0) + 1)
  }
  return counts
}

function figuresOf({ info }: ReturnType<typeof pools>[number]): PoolFigures {
  const { authority, scope, conns, waiting } = info
  const states = countBy(conns.values(), ({ state }) => state)
  return { authority, scope: typeof scope === 'string' ? scope : printShort(scope), states, waiting }
}
