/** The await functions and `flush` read the mailbox of a process. */

import { Process } from '@holster/process'
import type { GunMessage, ReplyTo } from '../messages.js'

/** A process whose mailbox the await functions and `flush` read. */
export type Reader = Process<GunMessage>

/** Gives the process that an owner or a replyTo is. Throws a TypeError if it is another kind of receiver. */
export function readerOf(to: ReplyTo, role: string): Reader {
  if (to instanceof Process) return to
  throw new TypeError(`there is no mailbox to read: ${role} is not a process`)
}
