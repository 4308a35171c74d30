/** A class with a codec, which the examples of nodes send: its region is shown beside those of the tests. */

// #region node/registerCodec, node/types/Codec
// money.ts, which both nodes import
import { registerCodec } from '@holster/node'

export class Money {
  readonly amount: number
  readonly currency: string
  constructor(amount: number, currency: string) {
    this.amount = amount
    this.currency = currency
  }
}

registerCodec({
  name: 'money',
  class: Money,
  encode: ({ amount, currency }) => [amount, currency] as const,
  decode: ([amount, currency]) => new Money(amount, currency),
})
// #endregion
