/** Holster, with its option `proxy`. */

import * as gun from '@holster/gun'
import { createProcess } from '@holster/process'
import { receivingConnection } from '../http/holster-client.ts'
import { ca } from '../identity.ts'
import { HolsterWebSocket } from '../websocket/holster-client.ts'
import { BODY, type Client } from './contract.ts'

async function open(port: number, secure: boolean, proxy: string | undefined) {
  const self = createProcess<gun.GunMessage>()
  const connPid = gun.open('localhost', port, {
    owner: self,
    retry: 0,
    protocols: ['http'],
    ...(secure ? { transport: 'tls', tlsOpts: { ca } } : { transport: 'tcp' }),
    ...(proxy !== undefined && { proxy }),
  })
  await gun.awaitUp(connPid)
  return { self, connPid }
}

const holster: Client = {
  async get(port, secure, proxy, inFlight) {
    const { self, connPid } = await open(port, secure, proxy)
    const connection = receivingConnection(self, connPid)
    return count => connection.get(`/${BODY}`, { type: 'get', size: BODY, inFlight, count })
  },
  async echo(port, secure, proxy) {
    const { self, connPid } = await open(port, secure, proxy)
    const streamRef = gun.wsUpgrade(connPid, '/')
    await self.receive([{ type: 'gun_upgrade', connPid, streamRef }])
    const socket = new HolsterWebSocket(self, connPid, streamRef)
    return (data, count, inFlight) => socket.echo(data, count, inFlight)
  },
}

export default holster
