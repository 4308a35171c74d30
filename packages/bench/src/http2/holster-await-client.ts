/** Holster with await and awaitBody, which watch the connection and the clock as well. */

import type * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { awaitingConnection } from '../http/holster-await-client.ts'
import type { Client } from './contract.ts'
import { open } from './holster-open.ts'

const holsterAwait: Client = {
  async connect(origin) {
    return awaitingConnection(await open(origin, createProcess<gun.GunMessage>()))
  },
}

export default holsterAwait
