/**
 * With `reupgrade` the WebSocket comes back with the connection, and the owner goes on with the same
 * streamRef.
 */

import * as gun from '@holster/gun'
import { spawn } from '@holster/process'
import { startServer } from './local-server.ts'

await using server = await startServer()

await spawn<gun.GunMessage>(async self => {
  await using connPid = gun.open('127.0.0.1', server.port, { owner: self, retry: 3, retryTimeout: 100 })
  const streamRef = gun.wsUpgrade(connPid, '/websocket', {}, { reupgrade: true })
  for (let lost = 0; ; ) {
    const message = await self.receive(
      [
        { connPid, streamRef },
        { type: 'gun_down', connPid },
      ],
      5000,
    )
    if (message.type === 'gun_down')
      console.log(`down (${++lost}), ${message.killedStreams.length} streams lost`)
    if (message.type === 'gun_upgrade') gun.wsSend(connPid, streamRef, ['text', `hello again (${lost})`])
    if (message.type !== 'gun_ws') continue
    console.log(message.frame[1])
    if (lost === 2) return
    server.dropConnections()
  }
}).exited
