/**
 * Back-pressure in both directions: `flow` limits how many messages arrive, and `wsSend` returns `false` when
 * the sender should pause.
 */

import * as gun from '@holster/gun'
import { spawn } from '@holster/process'
import { startServer } from './local-server.ts'

await using server = await startServer()

await spawn<gun.GunMessage>(async self => {
  await using connPid = gun.open('127.0.0.1', server.port, { owner: self })
  await gun.awaitUp(connPid)
  const streamRef = gun.wsUpgrade(connPid, '/websocket', {}, { flow: 10, sendHighWaterMark: 64 * 1024 })
  await self.receive([{ type: 'gun_upgrade', connPid, streamRef }], 5000)

  const count = 100
  let sent = 0
  let received = 0
  let pauses = 0
  const send = () => {
    while (sent < count) {
      if (gun.wsSend(connPid, streamRef, ['binary', Buffer.alloc(8192, sent++)])) continue
      pauses++
      return
    }
  }
  send()
  while (received < count) {
    const message = await self.receive([{ connPid, streamRef }], 5000)
    if (message.type === 'gun_notify') send()
    if (message.type !== 'gun_ws') continue
    received++
    // All ten messages allowed by `flow` have arrived: allow ten more.
    if (received % 10 === 0) gun.updateFlow(connPid, streamRef, 10)
  }
  console.log(
    `${received} echoes of 8 KB, ten at a time; ${pauses > 0 ? 'sending paused in between' : 'no pause'}`,
  )
}).exited
