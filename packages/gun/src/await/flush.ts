/** Drops the waiting messages of a connection, or those of a stream that concern this stream alone. */

import { P } from '@holster/process'
import { calleeOf } from '../connection/callee.js'
import { type ConnPid, connPidOf, type StreamRef } from '../handles.js'
import { replyToOf } from '../messages.js'
import { type Reader, readerOf } from './reader.js'

/** Implements `flush` of a connection in functions. */
export function flushConnection(connPid: ConnPid): number {
  const reader = readerOf(calleeOf(connPid).owner, 'the owner')
  return reader.flush({ connPid }) + reader.flush({ type: 'DOWN', pid: connPid })
}

/** Implements `flush` of a stream in functions. */
export function flushStream(streamRef: StreamRef): number {
  const reader = readerOf(replyToOf(streamRef), "the stream's replyTo")
  const connection = calleeOf(connPidOf(streamRef))
  // Without its gun_push the receiver could not know a pushed stream, nor the request that it responds to.
  const isPast = (pushed: StreamRef) => !connection.isOpen(pushed) && !holdsAnyOf(reader, pushed)
  return (
    reader.flush({ streamRef, type: P.when(type => type !== 'gun_push') }) +
    reader.flush({ type: 'gun_push', streamRef, newStreamRef: P.when(isPast) })
  )
}

/** Whether the mailbox holds a message of the stream. Takes none. */
function holdsAnyOf(reader: Reader, wanted: StreamRef): boolean {
  let isFound = false
  const look = (streamRef: unknown) => {
    isFound ||= streamRef === wanted
    return false
  }
  reader.flush({ streamRef: P.when(look) })
  return isFound
}
