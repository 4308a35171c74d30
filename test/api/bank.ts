/** A process that the examples of nodes send instances of a class. */

import { type Call, type Process, reply } from '@holster/process'
import { Money } from './money.ts'

/** Doubles an amount. */
export async function doubler(self: Process<Call<{ type: 'double'; money: Money }, Money>>) {
  const { from, request } = await self.receive([{ type: 'call' }])
  reply(from, new Money(request.money.amount * 2, request.money.currency))
}
