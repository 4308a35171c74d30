/** The table of connections. */

import { type ConnectionInfo, connections } from '@holster/gun'
import { lookInto } from '@holster/gun/internal'
import { nodeHere, refOf } from '../naming/refs.js'
import { originOf, textOfError } from '../naming/texts.js'
import type { ConnectionRow } from '../words.js'
import type { Looking, ViewOf } from './looking.js'
import { type Items, lookAtTable } from './window.js'

const items: Items<ConnectionInfo, ConnectionRow> = {
  list: connections,
  keys: {
    state: ({ stateName }) => stateName,
    origin: originOf,
    protocol: ({ protocol }) => protocol,
    openedAt: ({ connPid }) => lookInto(connPid).openedAt,
    attempts: ({ connPid }) => lookInto(connPid).attempts,
    failures: ({ connPid }) => lookInto(connPid).failures,
    streams: ({ streams }) => streams,
    bytesIn: ({ connPid }) => lookInto(connPid).bytesIn,
    bytesOut: ({ connPid }) => lookInto(connPid).bytesOut,
    framesIn: ({ connPid }) => lookInto(connPid).framesIn,
    framesOut: ({ connPid }) => lookInto(connPid).framesOut,
    unsent: ({ connPid }) => lookInto(connPid).unsent,
    isPaused: ({ connPid }) => lookInto(connPid).isPaused,
    owner: ({ owner }) => refOf(owner).text,
    lastError: ({ connPid }) => lookInto(connPid).lastError?.message,
  },
  textOf: info =>
    `${info.connPid} ${info.stateName} ${originOf(info)} ${info.protocol ?? ''} ${refOf(info.owner).text}`,
  rowOf: connectionRow,
}

/** Gives the row of a connection. */
export function connectionRow(info: ConnectionInfo): ConnectionRow {
  const { connPid, owner, protocol, stateName, streams } = info
  const insight = lookInto(connPid)
  const { openedAt, attempts, failures, bytesIn, bytesOut, framesIn, framesOut, unsent, isPaused } = insight
  return {
    node: nodeHere(),
    id: refOf(connPid).id,
    state: stateName,
    origin: originOf(info),
    protocol: protocol ?? '',
    openedAt,
    attempts,
    failures,
    // Gun counts the requests under way; a WebSocket is a stream too.
    streams: Math.max(streams, insight.streams.length),
    bytesIn,
    bytesOut,
    framesIn,
    framesOut,
    unsent,
    isPaused,
    owner: refOf(owner),
    lastError: textOfError(insight.lastError),
  }
}

/** Finds a connection that lives. Throws an Error if none does by that id. */
export function connectionOf(id: string): ConnectionInfo {
  const found = connections().find(({ connPid }) => refOf(connPid).id === id)
  if (found === undefined) throw new Error(`there is no ${id} any more`)
  return found
}

/** Opens the table. */
export function lookAtConnections(view: ViewOf<'connections'>): Looking<'connections'> {
  return lookAtTable(items, view)
}
