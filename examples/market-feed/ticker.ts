/** The ticker asks the book for one price after the other, as anybody may, and prints them. */

import type { Process } from '@holster/process'
import { findBook } from './book.ts'

/** The milliseconds between two prices. */
const PACE = 1000

/** Makes the body of the ticker, which goes on until it is ended. */
export function ticker(symbols: readonly string[]): (self: Process<'next'>) => Promise<void> {
  return async self => {
    self.label = 'ticker'
    for (;;) {
      for (const symbol of symbols) {
        self.sendAfter(PACE, 'next')
        await self.receive(['next'])
        const cents = await self.call(findBook(), { type: 'price', symbol })
        if (cents !== undefined) console.log(`${symbol} is at ${(cents / 100).toFixed(2)}`)
      }
    }
  }
}
