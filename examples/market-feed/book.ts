/** The book is the server that has all prices: feeds hand them in, and anybody may ask for one. */

import { genServer } from '@holster/otp'
import { type Pid, type Process, whereis } from '@holster/process'
import type { Tick } from './tick.ts'

export interface Row {
  /** The last tick of the symbol. */
  readonly tick: Tick
  readonly lowest: number
  readonly highest: number
}

export interface Summary {
  readonly symbols: number
  readonly ticks: number
  /** The symbol that has moved most between its lowest and its highest price. */
  readonly widest: string | undefined
}

export const book = genServer.define({
  label: 'book',
  init: () => ['ok', new Map<string, Row>()],
  handleCall: {
    /** Takes ticks in their order, and replies the number of the tick that comes next. */
    take: ({ symbol, ticks }: { symbol: string; ticks: readonly Tick[] }, _from, rows) => {
      for (const tick of ticks)
        if (tick.seq === nextOf(rows, symbol)) rows.set(symbol, add(rows.get(symbol), tick))
      return ['reply', nextOf(rows, symbol), rows]
    },
    price: ({ symbol }: { symbol: string }, _from, rows) => ['reply', rows.get(symbol)?.tick.price, rows],
    summary: (_request, _from, rows) => ['reply', summarize(rows), rows],
  },
  terminate: (_reason, rows) => {
    const { symbols, ticks, widest } = summarize(rows)
    console.log(`the book has ${ticks} ticks of ${symbols} symbols in order; ${widest} has moved most`)
  },
})

export type Book = genServer.ServerPid<typeof book>
type MessageOf<P> = P extends Process<infer Message> ? Message : never

/** Gives the book that is up now. Throws if none is: the supervisor starts it ahead of all who need it. */
export function findBook(): Pid<MessageOf<Book>> {
  const pid = whereis<MessageOf<Book>>('book')
  if (pid === undefined) throw new Error('there is no book')
  return pid
}

/** Hands ticks to the book, waits until it has them, and gives the number of the tick that it wants next. */
export function take<M>(self: Process<M>, symbol: string, ticks: readonly Tick[]): Promise<number> {
  // However busy the book is, the feed waits, and is held back by its own full mailbox.
  return self.call(findBook(), { type: 'take', symbol, ticks }, Number.POSITIVE_INFINITY)
}

function nextOf(rows: ReadonlyMap<string, Row>, symbol: string): number {
  return (rows.get(symbol)?.tick.seq ?? 0) + 1
}

function add(row: Row | undefined, tick: Tick): Row {
  const { lowest = tick.price, highest = tick.price } = row ?? {}
  return { tick, lowest: Math.min(lowest, tick.price), highest: Math.max(highest, tick.price) }
}

function summarize(rows: ReadonlyMap<string, Row>): Summary {
  let ticks = 0
  let most = -1
  let widest: string | undefined
  for (const [symbol, { tick, lowest, highest }] of rows) {
    ticks += tick.seq
    if (highest - lowest <= most) continue
    most = highest - lowest
    widest = symbol
  }
  return { symbols: rows.size, ticks, widest }
}
