/** A tick is one price of one symbol, with its number; text from the exchange is parsed here, and trusted nowhere. */

export interface Tick {
  readonly type: 'tick'
  readonly symbol: string
  /** Counts the ticks of a symbol from 1 on. */
  readonly seq: number
  /** In cents. */
  readonly price: number
}

/** The exchange sends nothing behind the tick with this number, as trading is over. */
export interface End {
  readonly type: 'end'
  readonly last: number
}

/** The requests of a client: all ticks from a number on, one after the other, or some of them again, all at once. */
export type Request =
  | { readonly type: 'subscribe'; readonly from: number }
  | { readonly type: 'replay'; readonly from: number; readonly to: number }

/** Throws an Error that shows the beginning of a text which is neither a tick of the symbol nor an end. */
export function parse(symbol: string, text: string): Tick | End {
  const value = fieldsOf(text)
  const { type, seq, price, last } = value
  if (type === 'tick' && value.symbol === symbol && isCount(seq) && isCount(price)) {
    return { type, symbol, seq, price }
  }
  if (type === 'end' && isCount(last)) return { type, last }
  throw new Error(`garbage from the exchange: ${text.slice(0, 40)}`)
}

function fieldsOf(text: string): Record<string, unknown> {
  try {
    return { ...JSON.parse(text) }
  } catch {
    return {}
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
