/** The page of one connection. */

import { type ConnectionInfo, connections, type StreamInfo, streamInfo } from '@holster/gun'
import { type ConnectionInsight, lookInto, recipientOf } from '@holster/gun/internal'
import { refOf } from '../naming/refs.js'
import type { ConnectionPage, StreamRow } from '../words.js'
import { listenTo } from './connection-events.js'
import { connectionOf, connectionRow } from './connections.js'
import { Ear } from './ear.js'
import { finite } from './finite.js'
import type { Looking, ViewOf } from './looking.js'
import { Timeline } from './timeline.js'

/** The most streams that are shown. */
const STREAMS = 200

/** The most events between two looks. */
const LIMITS = { kept: 200, heard: 200 }

/** Opens the page. Throws an Error if there is no such connection. */
export function lookAtConnection({ id }: ViewOf<'connection'>): Looking<'connection'> {
  let info = connectionOf(id)
  const { connPid } = info
  const ear = new Ear(listenTo(connPid), LIMITS)
  const timeline = new Timeline()
  timeline.lapse(Date.now(), info.stateName)
  return {
    show() {
      // A connection that has ended is shown as it last was.
      info = connections().find(other => other.connPid === connPid) ?? { ...info, stateName: 'terminated' }
      const { items, isSampled } = ear.take()
      for (const item of items) timeline.add(item)
      if (isSampled) timeline.lapse(Date.now(), info.stateName)
      return pageOf(info, timeline, isSampled)
    },
    close: () => ear.close(),
  }
}

function pageOf(info: ConnectionInfo, timeline: Timeline, isSampled: boolean): ConnectionPage {
  const insight = lookInto(info.connPid)
  const { states, retriesLeft, pressedBy } = insight
  return {
    ...connectionRow(info),
    states,
    via: info.intermediaries.map(
      ({ type, transport, host, port }) => `${type} ${transport}://${host}:${port}`,
    ),
    address: info.socket?.remoteAddress,
    retriesLeft: finite(retriesLeft),
    pressedBy: pressedBy.map(refOf),
    streamList: streamsOf(info, insight),
    timeline: timeline.spans,
    isSampled,
  }
}

function streamsOf({ connPid }: ConnectionInfo, { streams }: ConnectionInsight): readonly StreamRow[] {
  return streams.slice(0, STREAMS).flatMap(streamRef => {
    const known = askOf(() => streamInfo(connPid, streamRef))
    return [
      known === undefined ? postponed(String(streamRef), refOf(recipientOf(streamRef))) : streamRow(known),
    ]
  })
}

/** Gives what is known of a stream; `undefined` while the connection is not up. */
function askOf(ask: () => StreamInfo | undefined): StreamInfo | undefined {
  try {
    return ask()
  } catch {
    return undefined
  }
}

function postponed(id: string, replyTo: StreamRow['replyTo']): StreamRow {
  return { id, kind: 'request', text: '', state: 'waits for the connection', flow: null, unsent: 0, replyTo }
}

function streamRow({ ref, replyTo, request, state, tunnel, websocket }: StreamInfo): StreamRow {
  const base = { id: String(ref), replyTo: refOf(replyTo) }
  if (websocket !== undefined) {
    const { subprotocol, extensions, bufferedBytes, flow } = websocket
    const text = ['WebSocket', subprotocol, extensions].filter(part => part !== undefined).join(', ')
    return { ...base, kind: 'websocket', text, state, flow: finite(flow), unsent: bufferedBytes }
  }
  if (tunnel !== undefined) {
    const { originHost, originPort, protocol } = tunnel
    const text = `tunnel to ${originHost}:${originPort}${protocol === undefined ? '' : ` (${protocol})`}`
    return { ...base, kind: 'tunnel', text, state, flow: null, unsent: 0 }
  }
  if (request === undefined) return { ...base, kind: 'request', text: '', state, flow: null, unsent: 0 }
  const { behind, flow, isComplete, isPostponed, method, path, response } = request
  const parts = [
    `request ${isPostponed ? 'postponed' : request.state}${isComplete ? '' : ', body goes on'}`,
    `response ${response}`,
    ...(behind === undefined ? [] : [`behind ${behind}`]),
    ...(state === 'running' ? [] : [state]),
  ]
  // A path may hold secrets in its query.
  const text = `${method} ${path.split('?')[0]}${path.includes('?') ? '?…' : ''}`
  return { ...base, kind: 'request', text, state: parts.join('; '), flow: finite(flow), unsent: 0 }
}
