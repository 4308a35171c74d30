/** Holster with a mailbox, and receive for each message, of whichever stream it is. */

import * as gun from '@holster/gun'
import { createProcess, type Process } from '@holster/process'
import { receivingConnection } from '../http/holster-client.ts'
import { type Client, WEBSOCKET_PATH, type WebSockets } from './contract.ts'
import { open } from './holster-open.ts'

class HolsterWebSockets implements WebSockets {
  readonly #self: Process<gun.GunMessage>
  readonly #connPid: gun.ConnPid
  readonly #streamRefs: readonly gun.StreamRef[]

  constructor(self: Process<gun.GunMessage>, connPid: gun.ConnPid, streamRefs: readonly gun.StreamRef[]) {
    this.#self = self
    this.#connPid = connPid
    this.#streamRefs = streamRefs
  }

  async echo(data: string, count: number): Promise<void> {
    const self = this.#self
    const connPid = this.#connPid
    const frame: gun.WsFrame = ['text', data]
    const inFlight = this.#streamRefs.length
    for (const streamRef of this.#streamRefs) gun.wsSend(connPid, streamRef, frame)
    for (let n = 0; n < count; n++) {
      const { streamRef } = await self.receive([{ type: 'gun_ws', connPid }])
      if (n + inFlight < count) gun.wsSend(connPid, streamRef, frame)
    }
  }
}

const holster: Client = {
  async connect(origin) {
    const self = createProcess<gun.GunMessage>()
    return receivingConnection(self, await open(origin, self))
  },

  async openWebSockets(origin, streams) {
    const self = createProcess<gun.GunMessage>()
    const connPid = await open(origin, self)
    const streamRefs = Array.from({ length: streams }, () => gun.wsUpgrade(connPid, WEBSOCKET_PATH))
    for (const streamRef of streamRefs) await self.receive([{ type: 'gun_upgrade', connPid, streamRef }])
    return new HolsterWebSockets(self, connPid, streamRefs)
  },
}

export default holster
