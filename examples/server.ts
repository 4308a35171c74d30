/**
 * A server is a process that answers calls: some at once, some later, and one as it stops.
 */

import { genServer } from '@holster/otp'
import { CallError, type From, spawn } from '@holster/process'

interface Shop {
  readonly stock: number
  /** Customers who wait until there is something to buy, in the order in which they came. */
  readonly queue: readonly From<string>[]
}

const shop = genServer.define({
  init: (stock: number) => ['ok', { stock, queue: [] } as Shop],
  handleCall: {
    stock: (_request, _from, state) => ['reply', state.stock, state],
    // A call that has no reply yet leaves the server free for others.
    buy: (_request, from: From<string>, { stock, queue }) =>
      stock > 0
        ? ['reply', 'the last one on the shelf', { stock: stock - 1, queue }]
        : ['noreply', { stock, queue: [...queue, from] }],
    close: (_request, _from, state) => ['stop', 'normal', `closed with ${state.stock} left`, state],
  },
  handleCast: {
    deliver: ({ boxes }: { boxes: number }, { stock, queue }) => {
      for (const from of queue.slice(0, boxes)) genServer.reply(from, 'one fresh from the box')
      return ['noreply', { stock: stock + Math.max(0, boxes - queue.length), queue: queue.slice(boxes) }]
    },
  },
  terminate: reason => console.log(`the shop ends: ${reason}`),
})

const pid = await genServer.start(shop, 1, { name: 'shop' })

await spawn(async self => {
  console.log(`bought ${await self.call(pid, { type: 'buy' })}`)

  // Now the shelf is empty, so that this call waits for a delivery.
  const bought = self.call(pid, { type: 'buy' })
  const stock: number = await self.call(pid, { type: 'stock' })
  console.log(`${stock} in stock`)
  genServer.cast(pid, { type: 'deliver', boxes: 3 })
  console.log(`bought ${await bought}`)

  // A name will do too. The compiler then knows nothing of the types.
  console.log(await self.call('shop', { type: 'close' }))
  try {
    await self.call(pid, { type: 'stock' })
  } catch (error) {
    if (error instanceof CallError) console.log(`nobody answers: ${error.reason}`)
  }
}).exited
