/**
 * One process owns many connections: all messages arrive in one mailbox, and a reference finds each answer.
 */

import * as gun from '@holster/gun'
import { spawn } from '@holster/process'
import { startServer } from './local-server.ts'

await using server = await startServer()
const count = 100

await spawn<gun.GunMessage>(async self => {
  const connections = Array.from({ length: count }, () => gun.open('127.0.0.1', server.port, { owner: self }))

  const echoes = await Promise.all(
    connections.map(async (connPid, i) => {
      await gun.awaitUp(connPid)
      const streamRef = gun.wsUpgrade(connPid, '/websocket')
      await self.receive([{ type: 'gun_upgrade', streamRef }], 5000)
      gun.wsSend(connPid, streamRef, ['text', `I am number ${i}`])
      const { frame } = await self.receive([{ type: 'gun_ws', streamRef }], 5000)
      return frame[1]
    }),
  )
  console.log(`${echoes.length} echoes, the last: ${echoes.at(-1)}`)

  for (const connPid of connections) {
    const ref = self.monitor(connPid)
    gun.shutdown(connPid)
    await self.receive([{ type: 'DOWN', ref }], 5000)
  }
  console.log('all connections have ended')
}).exited
