/** Tells other nodes of a connection here, and of its streams. */

import { type Call, type CallError, call, type Pid, reply as replyTo } from '@holster/process'
import { homeOf, NO_NODE, onExit } from '@holster/process/internal'
import { GunError } from '../errors.js'
import type { ConnPid, StreamRef } from '../handles.js'
import type { Info, RemoteInfo, RemoteStreamInfo, StreamInfo } from '../layer/info.js'
import type { AwayConnection } from './away.js'
import type { Connection } from './connection.js'
import { portable } from './facts.js'
import { infoOf, streamInfoOf } from './info.js'

type Answer = { readonly info: unknown } | { readonly error: GunError }

/** The call with which other nodes ask a connection for its facts. */
export type Question = Call<{ readonly streamRef?: StreamRef }, Answer>

/** Answers a question about a connection of this node. */
export function reply(connection: Connection, { from, request: { streamRef } }: Question): void {
  try {
    const info =
      streamRef === undefined ? remoteInfoOf(connection) : remoteStreamInfoOf(connection, streamRef)
    replyTo(from, { info })
  } catch (error) {
    replyTo(from, { error: error as GunError })
  }
}

/** Gives the facts about a connection of this node as other nodes get them. */
export function remoteInfoOf(connection: Connection): RemoteInfo {
  const { owner, socket: _, cookieStore: __, eventHandler: ___, ...facts }: Info = infoOf(connection)
  return { ...facts, owner: portable(owner), node: homeOf()?.name ?? NO_NODE }
}

/** Gives the facts about a stream as other nodes get them. */
export function remoteStreamInfoOf(
  connection: Connection,
  streamRef: StreamRef,
): RemoteStreamInfo | undefined {
  const info: StreamInfo | undefined = streamInfoOf(connection, streamRef)
  return info && { ...info, replyTo: portable(info.replyTo) }
}

/** Asks a connection of another node. Rejects with a GunError of kind `down` or `timeout`. */
export async function ask(
  { connPid, target }: AwayConnection & { readonly connPid: ConnPid },
  streamRef: StreamRef | undefined,
  timeout: number,
): Promise<unknown> {
  if (target === undefined) throw new GunError('down', 'down', `${connPid} has ended`)
  const callee = {
    send: (message: Question) => target.send(message),
    [onExit]: target[onExit].bind(target),
    toString: () => connPid.id,
  }
  const request = streamRef === undefined ? {} : { streamRef }
  const answer = await call(callee as Pid<Question>, request, timeout).catch((cause: CallError) => {
    const isLate = cause.reason === 'timeout'
    const text = isLate ? `${connPid} has not answered within ${timeout} ms` : `${connPid} has ended`
    throw new GunError(isLate ? 'timeout' : 'down', isLate ? 'timeout' : 'down', text, { cause })
  })
  if ('error' in answer) throw answer.error
  return answer.info
}
