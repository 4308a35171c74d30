/**
 * One mailbox with many senders: each receive takes the message that it matches and leaves the others in
 * order.
 */

import { P, type Pid, spawn } from '@holster/process'

type Message =
  | { type: 'price'; item: string; amount: number }
  | { type: 'alarm'; text: string }
  | { type: 'stock'; from: Pid<unknown>; items: string[] }

const shop = spawn<Message>(async self => {
  // An alarm that is waiting goes first, however many prices are ahead of it; 0 looks without waiting.
  for (;;) {
    const message = await self.receive([{ type: 'alarm' }], {
      timeout: 0,
      onTimeout: () => self.receive([{ type: 'price', amount: P.number.gt(0) }, { type: 'alarm' }], 1000),
    })
    if (message.type === 'alarm') {
      console.log(`alarm: ${message.text} (${self.messageQueueLength} messages were passed over)`)
      return
    }
    console.log(`price: ${message.item} costs ${message.amount}`)
  }
})

shop.send({ type: 'price', item: 'tea', amount: 3 })
shop.send({ type: 'price', item: 'nothing', amount: 0 })
setTimeout(() => {
  shop.send({ type: 'price', item: 'coffee', amount: 4 })
  shop.send({ type: 'alarm', text: 'fire' })
}, 10)

console.log(`the shop exited: ${await shop.exited}`)
