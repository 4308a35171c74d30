/** A subprotocol is requested with a plain header; the server's choice is in the headers of gun_upgrade. */

import * as gun from '@holster/gun'
import { spawn } from '@holster/process'
import { startServer } from './local-server.ts'

await using server = await startServer()

await spawn<gun.GunMessage>(async self => {
  await using connPid = gun.open('127.0.0.1', server.port, { owner: self })
  await gun.awaitUp(connPid)

  const streamRef = gun.wsUpgrade(connPid, '/websocket', { 'sec-websocket-protocol': 'xmpp, mqtt' })
  const { headers } = await self.receive([{ type: 'gun_upgrade', connPid, streamRef }], 5000)
  const [, chosen] = headers.find(([name]) => name === 'sec-websocket-protocol') ?? []
  console.log(`Asked for xmpp or mqtt, the server chose ${chosen}.`)
}).exited
