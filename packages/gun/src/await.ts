/** Waiting for a stream's or a connection's messages, one after the other, as gun:await does. */

import { type Down, type MonitorRef, ProcessExit, ReceiveTimeout } from '@holster/process'
import { type ConnPid, connectionOf } from './conn-pid.js'
import { GunError } from './errors.js'
import type { GunMessage, Headers, ProtocolName, StreamReply } from './messages.js'
import { type Mailbox, mailboxOf } from './reply-to.js'
import { replyToOf, type StreamRef } from './stream-ref.js'

/** What `await` resolves to: the next message of the stream, unless it is an error. */
export type StreamMessage = Extract<GunMessage, StreamReply>

/** A response's body, with its trailers if it had any. */
export interface Body {
  /** All of it, in one piece. */
  readonly body: Buffer
  /** The trailer fields; absent where the response had none. */
  readonly trailers?: Headers
}

/** See `await` in index. */
export function awaitMessage(
  connPid: ConnPid,
  streamRef: StreamRef,
  timeout: number,
  monitorRef: MonitorRef | undefined,
): Promise<StreamMessage> {
  const mailbox = mailboxOf(replyToOf(streamRef), 'what the stream replies to')
  return withMonitor(mailbox, connPid, monitorRef, async ref => {
    const patterns = [{ streamRef }, { type: 'DOWN', ref, pid: connPid }] as const
    const message = await inTime(connPid, timeout, mailbox.receive(patterns, timeout))
    if (message.type === 'DOWN') throw downError(connPid, message)
    if (message.type === 'gun_error') throw message.reason
    return message as StreamMessage
  })
}

/** See `awaitBody` in index. */
export function awaitBody(
  connPid: ConnPid,
  streamRef: StreamRef,
  timeout: number,
  monitorRef: MonitorRef | undefined,
): Promise<Body> {
  const mailbox = mailboxOf(replyToOf(streamRef), 'what the stream replies to')
  return withMonitor(mailbox, connPid, monitorRef, async ref => {
    const patterns = [
      { type: 'gun_data', streamRef },
      { type: 'gun_trailers', streamRef },
      { type: 'gun_error', streamRef },
      { type: 'DOWN', ref, pid: connPid },
    ] as const
    const chunks: Buffer[] = []
    for (;;) {
      const message = await inTime(connPid, timeout, mailbox.receive(patterns, timeout))
      switch (message.type) {
        case 'gun_data':
          chunks.push(message.data)
          if (message.isFin === 'fin') return { body: Buffer.concat(chunks) }
          break
        case 'gun_trailers':
          return { body: Buffer.concat(chunks), trailers: message.headers }
        case 'gun_error':
          throw message.reason
        case 'DOWN':
          throw downError(connPid, message)
      }
    }
  })
}

/** See `awaitUp` in index. */
export function awaitUp(
  connPid: ConnPid,
  timeout: number,
  monitorRef: MonitorRef | undefined,
): Promise<ProtocolName> {
  const mailbox = mailboxOf(connectionOf(connPid).owner, 'the owner')
  return withMonitor(mailbox, connPid, monitorRef, async ref => {
    const patterns = [
      { type: 'gun_up', connPid },
      { type: 'DOWN', ref, pid: connPid },
    ] as const
    const message = await inTime(connPid, timeout, mailbox.receive(patterns, timeout))
    if (message.type === 'DOWN') throw downError(connPid, message)
    return message.protocol
  })
}

/** Runs with a monitor of the connection: the caller's, or one that is gone afterwards together with its DOWN. */
function withMonitor<T>(
  mailbox: Mailbox,
  connPid: ConnPid,
  given: MonitorRef | undefined,
  run: (ref: MonitorRef) => Promise<T>,
): Promise<T> {
  const ref = given ?? mailbox.monitor(connPid)
  const outcome = run(ref).finally(() => {
    if (given === undefined) mailbox.demonitor(ref)
  })
  const awaited = new Promise<T>((resolve, reject) => {
    outcome.then(resolve, error => {
      // As with receive: when the process exits, what nobody awaits any more is no unhandled rejection.
      if (error instanceof ProcessExit) awaited.catch(() => {})
      reject(error)
    })
  })
  return awaited
}

async function inTime<T>(connPid: ConnPid, timeout: number, received: Promise<T>): Promise<T> {
  try {
    return await received
  } catch (error) {
    if (!(error instanceof ReceiveTimeout)) throw error
    const { lastError } = connectionOf(connPid)
    throw new GunError('timeout', 'timeout', `${connPid} sent nothing within ${timeout} ms`, {
      cause: lastError,
    })
  }
}

function downError(connPid: ConnPid, { reason }: Down): GunError {
  const cause = Array.isArray(reason) && reason[0] === 'shutdown' ? reason[1] : reason
  const why = cause instanceof Error ? cause.message : String(cause)
  return new GunError('down', 'down', `${connPid} has ended: ${why}`, { cause })
}
