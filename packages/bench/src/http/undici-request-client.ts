/** undici's function `request`, through an Agent that may have one connection. */

import { Agent, request } from 'undici'
import type { Client } from './contract.ts'
import { undiciConnection } from './undici-exchanges.ts'

const undiciRequest: Client = {
  async connect(origin, inFlight) {
    const dispatcher = new Agent({ connections: 1, pipelining: inFlight })
    return undiciConnection(({ path, ...options }) =>
      request(origin + path, { dispatcher, ...(options as object) }),
    )
  },
}

export default undiciRequest
