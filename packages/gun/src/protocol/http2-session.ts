/** Node's HTTP/2 session over a connection: how it is made, what it is told, and what its errors mean. */

import { type ClientHttp2Session, connect, constants, type Settings } from 'node:http2'
import { GunError } from '../errors.js'
import type { Headers } from '../messages.js'
import type { HTTP2_DEFAULTS } from '../options.js'
import type { Pipe } from '../transport/pipe.js'
import type { Host } from './contract.js'

export type Http2Settings = typeof HTTP2_DEFAULTS

/** In MB. Beyond, Node refuses streams; what may wait here is bounded by windows and by high-water marks already. */
const MOST_MEMORY = 1024
/** In bytes. What a request has is the caller's; the peer has limits of its own. */
const MOST_HEADERS = 16 * 1024 * 1024
/** Node gives up on pings at so many without an answer; who sends as many finds out. */
export const MOST_PINGS = 1000

/** Begins HTTP/2: our preface and SETTINGS leave, whatever the peer says. */
export function createSession(pipe: Pipe, host: Host, opts: Http2Settings): ClientHttp2Session {
  const settings: Settings = {
    enablePush: opts.enablePush,
    initialWindowSize: opts.initialStreamWindowSize,
    maxConcurrentStreams: opts.maxConcurrentStreams,
    maxHeaderListSize: opts.maxHeaderListSize,
  }
  if (opts.maxDecodeTableSize !== 4096) settings.headerTableSize = opts.maxDecodeTableSize
  if (opts.maxFrameSizeReceived !== 16384) settings.maxFrameSize = opts.maxFrameSizeReceived
  if (opts.enableConnectProtocol !== undefined) settings.enableConnectProtocol = opts.enableConnectProtocol
  const session = connect(`${host.scheme}://${host.authority}`, {
    createConnection: () => pipe,
    settings,
    maxDeflateDynamicTableSize: opts.maxEncodeTableSize,
    maxOutstandingPings: MOST_PINGS,
    maxSendHeaderBlockLength: MOST_HEADERS,
    maxSessionMemory: MOST_MEMORY,
    // As many fields as fit in what the list may have.
    maxHeaderListPairs: Math.max(4, Math.ceil(opts.maxHeaderListSize / 32)),
  })
  session.setLocalWindowSize(opts.initialConnectionWindowSize)
  return session
}

/** RFC 9113 section 8.2.2: they concern one connection of HTTP/1.1. */
const OF_HTTP1 = new Set([
  'connection',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])
/** What Node's session would fail with as a whole, and what would end a string within it. */
const wrongName = /[^!#$%&'*+\-.^_`|~0-9a-z]/
const wrongValue = /[\0\u0100-\uffff]/

export type HeaderBlock = Record<string, string | string[]>

/** The header fields of a message as Node takes them. Throws a TypeError for what it cannot send, unless that was checked. */
export function headerBlock(pseudo: HeaderBlock, headers: Headers, isChecked: boolean): HeaderBlock {
  const block = pseudo
  if (!isChecked) for (const name in pseudo) checkValue(name, pseudo[name] as string)
  for (const [name, value] of headers) {
    if (OF_HTTP1.has(name) || (name === 'te' && value !== 'trailers')) continue
    if (!isChecked) checkField(name, value)
    // The names of Object's own are headers like any other.
    const before = Object.hasOwn(block, name) ? block[name] : undefined
    if (name === '__proto__') throw new TypeError('HTTP/2 cannot send the header "__proto__"')
    if (before === undefined) block[name] = value
    else if (typeof before === 'string') block[name] = [before, value]
    else before.push(value)
  }
  return block
}

function checkField(name: string, value: string): void {
  if (wrongName.test(name)) throw new TypeError(`HTTP/2 cannot send the header ${JSON.stringify(name)}`)
  checkValue(name, value)
}

function checkValue(name: string, value: string): void {
  if (wrongValue.test(value)) throw new TypeError(`HTTP/2 cannot send the value of ${name}`)
}

/** Header fields as Node gives them, but for those that HTTP/2 itself has added. */
export function headersOf(raw: readonly string[]): Headers {
  const headers: [string, string][] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string
    if (name.charCodeAt(0) !== 0x3a) headers.push([name, raw[i + 1] as string])
  }
  return headers
}

const NAMES = new Map(
  Object.entries(constants)
    .filter(([name]) =>
      /^NGHTTP2_(NO_ERROR|[A-Z0-9_]+_ERROR|SETTINGS_TIMEOUT|STREAM_CLOSED|REFUSED_STREAM|CANCEL|ENHANCE_YOUR_CALM|INADEQUATE_SECURITY|HTTP_1_1_REQUIRED)$/.test(
        name,
      ),
    )
    .map(([name, code]) => [code as number, name.slice('NGHTTP2_'.length)]),
)

/** What RFC 9113 section 7 calls the code. */
export function nameOf(code: number): string {
  return NAMES.get(code) ?? `code ${code}`
}

/** Why a stream has ended before it was complete; `isReset`: the peer has said so. */
export function streamError(code: number, isReset: boolean, cause: unknown): GunError {
  const details = cause === undefined ? {} : { cause }
  if (code === constants.NGHTTP2_REFUSED_STREAM) return refused('the peer has refused the request', details)
  if (isReset) {
    return new GunError('stream_reset', 'stream_error', `the peer reset the stream: ${nameOf(code)}`, details)
  }
  if (code === constants.NGHTTP2_ENHANCE_YOUR_CALM) {
    const text = 'the headers of the response exceed maxHeaderListSize'
    return new GunError('limit_reached', 'stream_error', text, details)
  }
  const text = `the stream broke the rules of HTTP/2 and was reset: ${nameOf(code)}`
  return new GunError('protocol_error', 'stream_error', text, details)
}

export function refused(what: string, details: { cause?: unknown } = {}): GunError {
  return new GunError('refused_stream', 'stream_error', `${what}; it is safe to ask again`, details)
}

/** Why a request, or its trailers, cannot be sent. */
export function unsendable(cause: unknown): GunError {
  const text = `the request cannot be sent over HTTP/2: ${cause instanceof Error ? cause.message : cause}`
  return new GunError('not_supported', 'stream_error', text, { cause })
}

/** Why Node's session has ended. */
export function sessionError(cause: unknown): GunError {
  const why = cause instanceof Error ? cause.message : 'it was closed'
  return new GunError('protocol_error', 'connection_error', `the peer broke the rules of HTTP/2: ${why}`, {
    cause,
  })
}

/** A GOAWAY frame (RFC 9113 section 6.8); `lastId` is the last stream of the peer's that was looked at. */
export function goawayFrame(code: number, lastId: number): Buffer {
  const bytes = Buffer.alloc(17)
  bytes.writeUIntBE(8, 0, 3)
  bytes[3] = 7
  bytes.writeUInt32BE(lastId, 9)
  bytes.writeUInt32BE(code, 13)
  return bytes
}
