/** Holster with a mailbox, and receive for each message. */

import * as gun from '@holster/gun'
import { createProcess, type Process } from '@holster/process'
import type { Client } from './contract.ts'
import { HolsterConnection } from './holster-connection.ts'

export function receivingConnection(self: Process<gun.GunMessage>, connPid: gun.ConnPid): HolsterConnection {
  const drop = async (streamRef: gun.StreamRef) => {
    let size = 0
    for (;;) {
      const { data, isFin } = await self.receive([{ type: 'gun_data', connPid, streamRef }])
      size += data.length
      if (isFin === 'fin') return size
    }
  }
  const gather = async (streamRef: gun.StreamRef) => {
    const chunks: Buffer[] = []
    for (;;) {
      const { data, isFin } = await self.receive([{ type: 'gun_data', connPid, streamRef }])
      chunks.push(data)
      if (isFin === 'fin') return Buffer.concat(chunks).length
    }
  }
  return new HolsterConnection(connPid, async (streamRef, isLarge) => {
    await self.receive([{ type: 'gun_response', connPid, streamRef }])
    return isLarge ? drop(streamRef) : gather(streamRef)
  })
}

const holster: Client = {
  async connect(origin) {
    const { hostname, port } = new URL(origin)
    const self = createProcess<gun.GunMessage>()
    const connPid = gun.open(hostname, Number(port), { owner: self, retry: 0 })
    await gun.awaitUp(connPid)
    return receivingConnection(self, connPid)
  },
}

export default holster
