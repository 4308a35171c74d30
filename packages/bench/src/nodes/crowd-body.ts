/** A part of the crowd: WebSockets of one process, each of which has the server echo a text again and again. */

import * as gun from '@holster/gun'
import type { Pid, Process } from '@holster/process'

/** The message that has a part begin. */
export type CrowdOrder = { readonly type: 'echo'; readonly times: number }

/** The messages of a part. */
export type CrowdNews = { readonly type: 'ready' | 'done' }

/** How many WebSockets a part opens at a time: a server has a queue of so many. */
const TOGETHER = 100
const TEXT = 'x'.repeat(32)

type Message = gun.GunMessage | CrowdOrder

/** Opens so many WebSockets, and then has each echo as often as it is told. */
export async function crowd(
  self: Process<Message>,
  boss: Pid<CrowdNews>,
  url: string,
  connections: number,
): Promise<void> {
  const { hostname, port, pathname } = new URL(url)
  const sockets: (readonly [gun.ConnPid, gun.StreamRef])[] = []
  while (sockets.length < connections) {
    const opened = Array.from({ length: Math.min(TOGETHER, connections - sockets.length) }, () =>
      gun.open(hostname, Number(port), { owner: self }),
    )
    for (const connPid of opened) {
      await gun.awaitUp(connPid, 60_000)
      const streamRef = gun.wsUpgrade(connPid, pathname)
      await self.receive([{ type: 'gun_upgrade', connPid, streamRef }])
      sockets.push([connPid, streamRef])
    }
  }
  boss.send({ type: 'ready' })
  for (;;) {
    const { times } = await self.receive([{ type: 'echo' }])
    for (const [connPid, streamRef] of sockets) gun.wsSend(connPid, streamRef, ['text', TEXT])
    const left = new Map(sockets.map(([connPid]) => [connPid, times]))
    for (let echoes = connections * times; echoes > 0; echoes--) {
      const { connPid, streamRef } = await self.receive([{ type: 'gun_ws' }])
      const more = (left.get(connPid) ?? 0) - 1
      left.set(connPid, more)
      if (more > 0) gun.wsSend(connPid, streamRef, ['text', TEXT])
    }
    boss.send({ type: 'done' })
  }
}
