/** Sets a connection up before the pool uses it, as the caller's function says. */

import { inspect } from 'node:util'
import { reportThrown } from '@holster/process/internal'
import { GunError, messageOf } from '../errors.js'
import type { GunMessage } from '../messages.js'
import type { PoolSettings, SetupMessage, SetupResult } from '../options/pool.js'
import type { Member } from './member.js'
import type { PoolPid } from './process.js'

const WANTED = "must give ['setup', state] or ['up', protocol, meta]"

/** Hands a message to the set-up. Gives whether the connection is up by that. A set-up that fails ends the connection. */
export function setUp(
  member: Member,
  message: GunMessage,
  setupFun: PoolSettings['setupFun'],
  pid: PoolPid,
): boolean {
  if (setupFun === undefined) {
    member.meta = {}
    return message.type === 'gun_up'
  }
  const [fun, first] = setupFun
  if (member.phase === 'connecting') {
    member.phase = 'setup'
    member.setupState = first
  }
  try {
    const result: SetupResult = fun(member.connPid, message as SetupMessage, member.setupState)
    if (!Array.isArray(result)) throw wrong(result)
    if (result[0] === 'setup') {
      member.setupState = result[1]
      return false
    }
    const [answer, protocol, meta] = result as unknown as readonly [
      unknown,
      Member['protocol'],
      Member['meta'],
    ]
    if (answer !== 'up' || typeof protocol !== 'string') throw wrong(result)
    member.protocol = protocol
    member.meta = meta ?? {}
    return true
  } catch (error) {
    reportThrown(pid, error)
    const text = `the set-up of a connection has thrown: ${messageOf(error)}`
    member.fault = new GunError('handler_error', 'connection_error', text, { cause: error })
    member.connection.close()
    return false
  }
}

function wrong(result: unknown): GunError {
  return new GunError('bad_option', 'options', `setupFun ${WANTED}, not ${inspect(result, { depth: 0 })}`)
}
