/** A feed is the process that keeps the WebSocket of one symbol alive, and hands its ticks to the book in order. */

import type * as gun from '@holster/gun'
import type { Process } from '@holster/process'
import { take } from './book.ts'
import { ask, checkError, connect } from './connection.ts'
import { type Gap, Sequence } from './sequence.ts'
import { parse } from './tick.ts'

/** Makes the body of a feed, which ends when trading does. At garbage it crashes, and its supervisor starts another. */
export function feed(port: number, symbol: string): (self: Process<gun.GunMessage>) => Promise<void> {
  return async self => {
    self.label = `feed ${symbol}`
    // The book has outlived the feed before this one, and knows how far that came.
    const sequence = new Sequence(await take(self, symbol, []))
    const connection = connect(self, port, symbol)
    const { connPid } = connection
    const repair = (gap: Gap | undefined) => {
      if (gap !== undefined) ask(connection, { type: 'replay', ...gap })
    }
    let last = Number.POSITIVE_INFINITY

    while (sequence.next <= last) {
      const message = await self.receive([{ connPid }, { type: 'EXIT' }])
      switch (message.type) {
        case 'gun_upgrade':
          sequence.restart()
          ask(connection, { type: 'subscribe', from: sequence.next })
          break
        case 'gun_ws': {
          const { frame } = message
          if (frame[0] !== 'text') break
          const heard = parse(symbol, frame[1])
          if (heard.type === 'end') {
            last = heard.last
            repair(sequence.reach(last + 1))
            break
          }
          repair(sequence.reach(heard.seq))
          const ready = sequence.take(heard)
          if (ready.length > 0) await take(self, symbol, ready)
          break
        }
        case 'gun_response':
          throw new Error(`the exchange refuses ${symbol} with ${message.status}`)
        case 'gun_error':
          checkError(message)
          break
        case 'EXIT':
          // Whatever had come before this message is in the book by now.
          return self.exit(message.reason)
      }
    }
  }
}
