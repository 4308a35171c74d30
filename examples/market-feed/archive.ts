/** The archive is a slow reader: it asks for a whole history at once, and holds the exchange back while it stores tick after tick. */

import { setImmediate as turn } from 'node:timers/promises'
import * as gun from '@holster/gun'
import type { Process } from '@holster/process'
import { ask, checkError, connect } from './connection.ts'
import { parse, type Tick } from './tick.ts'

/** How many ticks may wait to be stored. */
const FLOW = 16

export interface ArchiveOptions {
  readonly port: number
  readonly symbol: string
  /** How many ticks the history has. */
  readonly length: number
  /** Resolves when the tick is stored. */
  readonly store?: (tick: Tick) => Promise<void>
}

/** Makes the body of the archive, which ends once the whole history is stored. */
export function archive(options: ArchiveOptions): (self: Process<gun.GunMessage>) => Promise<void> {
  const { port, symbol, length, store = () => turn() } = options
  return async self => {
    self.label = 'archive'
    const connection = connect(self, port, symbol, { flow: FLOW })
    const { connPid, streamRef } = connection
    let stored = 0
    let most = 0
    while (stored < length) {
      const message = await self.receive([{ connPid }])
      most = Math.max(most, self.messageQueueLength)
      switch (message.type) {
        case 'gun_upgrade':
          ask(connection, { type: 'replay', from: stored + 1, to: length })
          break
        case 'gun_ws': {
          const { frame } = message
          if (frame[0] !== 'text') break
          const tick = parse(symbol, frame[1])
          if (tick.type !== 'tick' || tick.seq !== stored + 1) throw new Error(`${frame[1]} is out of order`)
          await store(tick)
          stored++
          // Only now may another tick come.
          gun.updateFlow(connPid, streamRef, 1)
          break
        }
        case 'gun_response':
          throw new Error(`the exchange refuses the archive with ${message.status}`)
        case 'gun_error':
          checkError(message)
          break
      }
    }
    console.log(`the archive has ${stored} ticks in order, of which at most ${most} waited at once`)
  }
}
