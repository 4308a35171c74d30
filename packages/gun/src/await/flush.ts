/** Dropping what waits in a mailbox: all of a connection, or of a stream what concerns that stream alone. */

import { P } from '@holster/process'
import { connectionOf } from '../connection/connection.js'
import { type ConnPid, connPidOf, type StreamRef } from '../handles.js'
import { replyToOf } from '../messages.js'
import { type Mailbox, mailboxOf } from './mailbox.js'

/** See `flush` in index. */
export function flushConnection(connPid: ConnPid): number {
  const mailbox = mailboxOf(connectionOf(connPid).owner, 'the owner')
  return mailbox.flush({ connPid }) + mailbox.flush({ type: 'DOWN', pid: connPid })
}

/** See `flush` in index. */
export function flushStream(streamRef: StreamRef): number {
  const mailbox = mailboxOf(replyToOf(streamRef), 'what the stream replies to')
  const connection = connectionOf(connPidOf(streamRef))
  // Without its gun_push nobody would know of a pushed stream, nor what it is the response to.
  const isPast = (pushed: StreamRef) => !connection.isOpen(pushed) && !holdsAnyOf(mailbox, pushed)
  return (
    mailbox.flush({ streamRef, type: P.when(type => type !== 'gun_push') }) +
    mailbox.flush({ type: 'gun_push', streamRef, newStreamRef: P.when(isPast) })
  )
}

/** Looks without taking. */
function holdsAnyOf(mailbox: Mailbox, wanted: StreamRef): boolean {
  let isFound = false
  const look = (streamRef: unknown) => {
    isFound ||= streamRef === wanted
    return false
  }
  mailbox.flush({ streamRef: P.when(look) })
  return isFound
}
