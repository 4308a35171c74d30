/** undici's Client: one connection, the least it has between a caller and the socket. */

import { Client as UndiciClient } from 'undici'
import type { Client } from './contract.ts'
import { undiciConnection } from './undici-exchanges.ts'

const undici: Client = {
  async connect(origin, inFlight) {
    const client = new UndiciClient(origin, { pipelining: inFlight })
    return undiciConnection(options => client.request(options as never))
  },
}

export default undici
