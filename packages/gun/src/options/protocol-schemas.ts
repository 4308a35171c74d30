/** The schemas of the options of HTTP/1.1, HTTP/2, WebSocket, one request, and one ping. */

import * as v from 'valibot'
import { StreamRef } from '../handles.js'
import { isToken } from '../headers.js'
import type { ContentHandler } from './content-handler.js'
import {
  count,
  duration,
  finiteDuration,
  flag,
  fun,
  integerBetween,
  isBag,
  isFunction,
  LARGEST_LIMIT,
  LARGEST_SETTING,
  limit,
  limitBetween,
  options,
  period,
  positiveCount,
  receiver,
} from './values.js'
import type { WsHandler } from './websocket.js'

const contentHandler = v.custom<ContentHandler>(
  value => isBag(value) && isFunction(value, 'init'),
  'must be a content handler: { init }',
)
const invalidRequestHeaders = v.picklist(['raise', 'ignore'], "must be 'raise' or 'ignore'")

export const httpOpts = options({
  cancelTimeout: v.optional(duration),
  closingTimeout: v.optional(duration),
  contentHandlers: v.optional(v.array(contentHandler, 'must be an array')),
  cookieIgnoreInformational: v.optional(flag),
  flow: v.optional(positiveCount),
  keepalive: v.optional(period),
  maxHeaderBlockSize: v.optional(limit),
  maxTrailerBlockSize: v.optional(limit),
  pipelining: v.optional(positiveCount),
  transformHeaderName: v.optional(fun),
  version: v.optional(v.picklist(['HTTP/1.0', 'HTTP/1.1'], "must be 'HTTP/1.0' or 'HTTP/1.1'")),
})

const window = integerBetween(0, LARGEST_LIMIT)

export const http2Opts = options({
  closingTimeout: v.optional(duration),
  contentHandlers: v.optional(v.array(contentHandler, 'must be an array')),
  cookieIgnoreInformational: v.optional(flag),
  enableConnectProtocol: v.optional(flag),
  enablePush: v.optional(flag),
  flow: v.optional(positiveCount),
  initialConnectionWindowSize: v.optional(integerBetween(65535, LARGEST_LIMIT)),
  initialStreamWindowSize: v.optional(integerBetween(0, LARGEST_LIMIT)),
  keepalive: v.optional(period),
  keepaliveTolerance: v.optional(positiveCount),
  maxConcurrentStreams: v.optional(limitBetween(0, LARGEST_SETTING)),
  maxDecodeTableSize: v.optional(integerBetween(0, LARGEST_SETTING)),
  maxEncodeTableSize: v.optional(integerBetween(0, LARGEST_SETTING)),
  maxFrameSizeReceived: v.optional(integerBetween(16384, 16777215)),
  maxHeaderListSize: v.optional(integerBetween(0, LARGEST_LIMIT)),
  notifySettingsChanged: v.optional(flag),
  prefaceTimeout: v.optional(duration),
  settingsTimeout: v.optional(duration),
  connectionWindowMarginSize: v.optional(window),
  connectionWindowUpdateThreshold: v.optional(window),
  maxConnectionWindowSize: v.optional(window),
  maxFragmentedHeaderBlockSize: v.optional(integerBetween(16384, LARGEST_LIMIT)),
  maxFrameSizeSent: v.optional(limitBetween(16384, 16777215)),
  maxStreamWindowSize: v.optional(window),
  streamWindowDataThreshold: v.optional(window),
  streamWindowMarginSize: v.optional(window),
  streamWindowUpdateThreshold: v.optional(window),
})

const compressOpts = options({
  serverNoContextTakeover: v.optional(flag),
  clientNoContextTakeover: v.optional(flag),
  serverMaxWindowBits: v.optional(integerBetween(8, 15)),
  clientMaxWindowBits: v.optional(integerBetween(8, 15)),
  threshold: v.optional(count),
  level: v.optional(integerBetween(0, 9)),
  memLevel: v.optional(integerBetween(1, 9)),
})
const compress = v.lazy(value => (typeof value === 'boolean' ? flag : compressOpts))

const handler = v.custom<WsHandler<unknown, never>>(
  value => isBag(value) && isFunction(value, 'init') && isFunction(value, 'handle'),
  'must be a handler: { init, handle }',
)
const subprotocols = v.pipe(
  v.array(
    v.strictTuple(
      [v.pipe(v.string('must be a string'), v.check(isToken, 'must be a token')), handler],
      'must be [name, handler]',
    ),
    'must be an array',
  ),
  v.check(
    pairs => new Set(pairs.map(([name]) => name)).size === pairs.length,
    'must name each subprotocol once',
  ),
)

const statuses = v.custom<readonly number[] | (() => boolean)>(
  value => typeof value === 'function' || (Array.isArray(value) && value.every(isRefusal)),
  'must be a function, or a list of statuses from 300 to 599',
)
const isRefusal = (status: unknown) =>
  Number.isInteger(status) && Number(status) >= 300 && Number(status) <= 599
const reupgradeOpts = options({
  statuses: v.optional(statuses),
  minDelay: v.optional(finiteDuration),
  maxDelay: v.optional(finiteDuration),
  attempts: v.optional(count),
})
const reupgrade = v.lazy(value => (isBag(value) ? reupgradeOpts : flag))

const tunnel = v.instance(StreamRef, 'must be a StreamRef, that of a tunnel')

export const wsOpts = options({
  closingTimeout: v.optional(duration),
  compress: v.optional(compress),
  defaultProtocol: v.optional(handler),
  flow: v.optional(positiveCount),
  invalidRequestHeaders: v.optional(invalidRequestHeaders),
  keepalive: v.optional(period),
  keepaliveTolerance: v.optional(positiveCount),
  maxPayload: v.optional(limit),
  maxFragments: v.optional(limit),
  protocols: v.optional(subprotocols),
  replyTo: v.optional(receiver),
  reupgrade: v.optional(reupgrade),
  sendHighWaterMark: v.optional(count),
  silencePings: v.optional(flag),
  tunnel: v.optional(tunnel),
  userOpts: v.optional(v.unknown()),
})

export const reqOpts = options({
  flow: v.optional(positiveCount),
  invalidRequestHeaders: v.optional(invalidRequestHeaders),
  replyTo: v.optional(receiver),
  sendHighWaterMark: v.optional(count),
  tunnel: v.optional(tunnel),
})

export const pingOpts = options({ replyTo: v.optional(receiver), tunnel: v.optional(tunnel) })
