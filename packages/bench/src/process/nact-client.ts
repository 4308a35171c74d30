/** The actors of nact. */

import { dispatch, query, type Ref, spawn, start, stop } from 'nact'
import type { Client } from './contract.ts'

const system = start()

const client: Client = {
  jobs: {
    turns: units => () =>
      new Promise<void>(resolve => {
        let left = units
        const other = spawn(system, (_state, { to }: { to: Ref<string> }) => dispatch(to, 'answer'))
        const self: Ref<string> = spawn(system, () => {
          if (--left === 0) {
            stop(other)
            stop(self)
            resolve()
          } else dispatch(other, { to: self })
        })
        dispatch(other, { to: self })
      }),
    call: units => async () => {
      const server = spawn(system, (_state, to: Ref<number>) => dispatch(to, 1))
      for (let n = 0; n < units; n++) await query(server, (to: Ref<number>) => to, 5000)
      stop(server)
    },
  },
}

export default client
