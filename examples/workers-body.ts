/** A body that runs in worker threads: a client that has a server echo what it sends. */

import * as gun from '@holster/gun'
import type { PidAt } from '@holster/node'
import type { Pid, Process } from '@holster/process'

/** The message by which a client tells of its work. */
export interface Echoed {
  readonly type: 'echoed'
  readonly from: PidAt
  readonly frames: number
}

/** Has the server at `port` echo so many frames over one WebSocket, and tells `boss` when that is done. */
export async function echoes(
  self: Process<gun.GunMessage>,
  boss: Pid<Echoed>,
  port: number,
  frames: number,
): Promise<void> {
  await using connPid = gun.open('127.0.0.1', port, { owner: self })
  await gun.awaitUp(connPid)
  const streamRef = gun.wsUpgrade(connPid, '/websocket')
  await self.receive([{ type: 'gun_upgrade', connPid, streamRef }])
  for (let sent = 0; sent < frames; sent++) {
    gun.wsSend(connPid, streamRef, ['text', `frame ${sent}`])
    await self.receive([{ type: 'gun_ws', connPid, streamRef }])
  }
  boss.send({ type: 'echoed', from: self, frames })
}
