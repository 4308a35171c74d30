/** The process whose mailbox the await functions and `flush` read. */

import { Process } from '@holster/process'
import { isAway } from '../layer/mail.js'
import type { GunMessage, ReplyTo } from '../messages.js'

/** A process whose mailbox the await functions and `flush` read. */
export type Reader = Process<GunMessage>

/** Returns the process that is an owner or a replyTo. Throws a TypeError for any other kind of recipient. */
export function readerOf(to: ReplyTo, role: string): Reader {
  if (to instanceof Process) return to
  const why = isAway(to) ? 'on another node' : 'not a process'
  throw new TypeError(`there is no mailbox to read: ${role} is ${why}`)
}
