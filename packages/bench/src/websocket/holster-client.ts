/** Holster, used as its README shows: a mailbox, and receive. */

import * as gun from '@holster/gun'
import { createProcess, type Process } from '@holster/process'
import { ca } from '../identity.ts'
import { NO_MARKS } from '../marks.ts'
import { BURST, type Client, type Connection, type Data } from './contract.ts'

export class HolsterWebSocket implements Connection {
  readonly #self: Process<gun.GunMessage>
  readonly #connPid: gun.ConnPid
  readonly #streamRef: gun.StreamRef

  constructor(self: Process<gun.GunMessage>, connPid: gun.ConnPid, streamRef: gun.StreamRef) {
    this.#self = self
    this.#connPid = connPid
    this.#streamRef = streamRef
  }

  async echo(data: Data, count: number, inFlight: number, marks = NO_MARKS): Promise<void> {
    const self = this.#self
    const connPid = this.#connPid
    const streamRef = this.#streamRef
    const frame: gun.WsFrame = typeof data === 'string' ? ['text', data] : ['binary', data]
    for (let n = 0; n < inFlight; n++) gun.wsSend(connPid, streamRef, frame)
    for (let n = 1; n <= count; n++) {
      await self.receive([{ type: 'gun_ws', connPid, streamRef }])
      if (n === marks.next) marks.pass()
      if (n + inFlight <= count) gun.wsSend(connPid, streamRef, frame)
    }
  }

  async receive(request: string, count: number, marks = NO_MARKS): Promise<void> {
    const self = this.#self
    const connPid = this.#connPid
    const streamRef = this.#streamRef
    gun.wsSend(connPid, streamRef, ['text', request])
    for (let n = 1; n <= count; n++) {
      await self.receive([{ type: 'gun_ws', connPid, streamRef }])
      if (n === marks.next) marks.pass()
    }
  }

  /** Receives as `receive` does, by patterns that are made once. */
  async receiveReusing(request: string, count: number): Promise<void> {
    const self = this.#self
    const patterns = [{ type: 'gun_ws', connPid: this.#connPid, streamRef: this.#streamRef }] as const
    gun.wsSend(this.#connPid, this.#streamRef, ['text', request])
    for (let n = 0; n < count; n++) await self.receive(patterns)
  }

  async send(data: Data, count: number): Promise<void> {
    const connPid = this.#connPid
    const streamRef = this.#streamRef
    const frame: gun.WsFrame = typeof data === 'string' ? ['text', data] : ['binary', data]
    for (let n = 0; n < count; n += BURST) {
      for (let i = 0; i < BURST; i++) gun.wsSend(connPid, streamRef, frame)
      await this.#self.receive([{ type: 'gun_ws', connPid, streamRef }])
    }
  }

  async close(): Promise<void> {
    const ref = this.#self.monitor(this.#connPid)
    gun.wsSend(this.#connPid, this.#streamRef, 'close')
    await this.#self.receive([{ type: 'DOWN', ref }])
    this.#self.exit()
  }
}

const holster = {
  async connect(url, compress) {
    const { protocol, hostname, port, pathname } = new URL(url)
    const self = createProcess<gun.GunMessage>()
    const connPid = gun.open(hostname, Number(port), {
      owner: self,
      retry: 0,
      protocols: ['http'],
      ...(protocol === 'wss:' && { transport: 'tls', tlsOpts: { ca } }),
    })
    await gun.awaitUp(connPid)
    const streamRef = gun.wsUpgrade(connPid, pathname, {}, compress ? { compress: true } : {})
    await self.receive([{ type: 'gun_upgrade', connPid, streamRef }])
    return new HolsterWebSocket(self, connPid, streamRef)
  },
} satisfies Client

export default holster
