/**
 * A server may refuse an upgrade: the answer is then a response, and the connection goes on serving requests.
 */

import * as gun from '@holster/gun'
import { spawn } from '@holster/process'
import { startServer } from './local-server.ts'

await using server = await startServer()

await spawn<gun.GunMessage>(async self => {
  await using connPid = gun.open('127.0.0.1', server.port, { owner: self })
  await gun.awaitUp(connPid)

  for (const path of ['/refused', '/websocket']) {
    const streamRef = gun.wsUpgrade(connPid, path, { authorization: 'Basic dXNlcm5hbWU6cGFzc3dvcmQ=' })
    const outcome = await self.receive(
      [
        self.on({ type: 'gun_upgrade', connPid, streamRef }, () => 'upgraded'),
        self.on({ type: 'gun_response', connPid, streamRef }, async ({ status }) => {
          const { body } = await gun.awaitBody(connPid, streamRef)
          return `refused with ${status}: ${body.toString().trim()}`
        }),
        self.on({ type: 'gun_error', connPid, streamRef }, ({ reason }) => `failed: ${reason.message}`),
      ],
      5000,
    )
    console.log(`${path}: ${outcome}`)
  }
}).exited
