/** Takes the messages of connections to their owner, the pool: a set-up wants some of them, and nobody the others. */

import { reportThrown } from '@holster/process/internal'
import type { GunMessage } from '../messages.js'
import type { PoolSettings } from '../options/pool.js'
import type { Member } from './member.js'
import type { Places } from './places.js'
import type { PoolPid } from './process.js'
import { setUp } from './setup.js'

export function hear(
  message: GunMessage,
  places: Places,
  setupFun: PoolSettings['setupFun'],
  pid: PoolPid,
): void {
  const member = places.members.get(message.connPid)
  if (member === undefined || message.type === 'gun_down') return
  const isNew = member.phase === 'connecting' && message.type === 'gun_up'
  if (!isNew && member.phase !== 'setup') {
    if ('streamRef' in message && message.streamRef !== undefined) refuse(member, message, pid)
    return
  }
  if (message.type === 'gun_up') member.protocol = message.protocol
  if (!setUp(member, message, setupFun, pid)) return
  // Over HTTP/2 a connection has WebSockets beside requests.
  places.up(member, member.connection.protocol?.load === undefined || member.meta.ws !== undefined)
}

/** Says once that messages of a connection have come to the pool which are meant for nobody. */
function refuse(member: Member, { type, connPid }: GunMessage, pid: PoolPid): void {
  if (member.isRefused) return
  member.isRefused = true
  const text = `${type} of ${connPid} has come to the pool, which has no use for it: give the upgrade of a set-up a handler (defaultProtocol), and other streams a replyTo`
  reportThrown(pid, new Error(text))
}
