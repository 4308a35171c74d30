/** Tells subscribers of `node:diagnostics_channel` of a request while its caller still calls, and takes header fields from them. */

import { channel } from 'node:diagnostics_channel'
import { connPidOf, type StreamRef, tunnelOf } from '../handles.js'
import { normalizeHeaders } from '../headers.js'
import { replyToOf } from '../messages.js'
import type { RequestCreateEvent } from '../options/events.js'
import type { Headers } from '../words.js'

const created = channel('holster:gun:requestCreate')

/** Fields that say where a message ends, whom it is for, or which protocol follows: those are the caller's and the protocol's. */
const OWN = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/**
 * Publishes a request that is asked for, and adds the fields that subscribers give to `headers`, which belong to this call.
 */
export function tellCreated(
  streamRef: StreamRef,
  how: RequestCreateEvent['function'],
  method: string,
  path: string,
  headers: Headers,
): void {
  if (!created.hasSubscribers) return
  const fields = headers as (readonly [string, string])[]
  let isOpen = true
  const event: RequestCreateEvent = {
    connPid: connPidOf(streamRef),
    streamRef,
    replyTo: replyToOf(streamRef),
    tunnel: tunnelOf(streamRef),
    function: how,
    method,
    path,
    headers,
    addHeader(name, value) {
      if (!isOpen)
        throw new Error('addHeader must be called while the event is told: the request was handed on')
      const [field] = normalizeHeaders([[name, value]])
      if (field === undefined) return
      if (OWN.has(field[0]) || field[0].startsWith('sec-websocket-')) {
        throw new TypeError(`addHeader: ${field[0]} is set by the caller or by the protocol alone`)
      }
      fields.push(field)
    },
  }
  created.publish(event)
  isOpen = false
}
