/** The mailbox that the await functions and `flush` read. */

import { Process } from '@holster/process'
import type { GunMessage, ReplyTo } from '../messages.js'

/** A process whose mailbox the await functions and `flush` read. */
export type Mailbox = Process<GunMessage>

/** The mailbox behind an owner or a replyTo. Throws a TypeError where there is none. */
export function mailboxOf(to: ReplyTo, role: string): Mailbox {
  if (to instanceof Process) return to
  throw new TypeError(`there is no mailbox to read: ${role} is not a process`)
}
