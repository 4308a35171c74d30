/** Holster with await and awaitBody, which watch the connection and the clock as well. */

import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import type { Client } from './contract.ts'
import { HolsterConnection } from './holster-connection.ts'

export function awaitingConnection(connPid: gun.ConnPid): HolsterConnection {
  return new HolsterConnection(connPid, async (streamRef, isLarge) => {
    await gun.await(connPid, streamRef)
    if (!isLarge) {
      const { body } = await gun.awaitBody(connPid, streamRef)
      return body.length
    }
    let size = 0
    for (;;) {
      const message = await gun.await(connPid, streamRef)
      if (message.type !== 'gun_data') continue
      size += message.data.length
      if (message.isFin === 'fin') return size
    }
  })
}

const holsterAwait: Client = {
  async connect(origin) {
    const { hostname, port } = new URL(origin)
    const owner = createProcess<gun.GunMessage>()
    const connPid = gun.open(hostname, Number(port), { owner, retry: 0 })
    await gun.awaitUp(connPid)
    return awaitingConnection(connPid)
  },
}

export default holsterAwait
