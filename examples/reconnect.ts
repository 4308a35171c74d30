/**
 * A lost connection is made again automatically, but not its WebSocket, so the owner upgrades again after
 * gun_up.
 */

import * as gun from '@holster/gun'
import { spawn } from '@holster/process'
import { startServer } from './local-server.ts'

await using server = await startServer()

await spawn<gun.GunMessage>(async self => {
  await using connPid = gun.open('127.0.0.1', server.port, { owner: self, retry: 3, retryTimeout: 100 })
  for (let connections = 0; connections < 3; ) {
    const message = await self.receive([{ connPid }], 5000)
    switch (message.type) {
      case 'gun_up':
        connections++
        console.log(`up (${connections})`)
        gun.wsUpgrade(connPid, '/websocket')
        break
      case 'gun_upgrade':
        console.log('upgraded')
        server.dropConnections()
        break
      case 'gun_error':
        console.log(`the WebSocket failed: ${message.reason.message}`)
        break
      case 'gun_down':
        console.log(`down, ${message.killedStreams.length} stream lost`)
        break
    }
  }
}).exited
