/** Makes Node's session of HTTP/2, and the options with which it begins a stream. */

import { type ClientHttp2Session, connect, type Settings } from 'node:http2'
import type { Host } from '../layer/contract.js'
import type { Http2Settings } from '../options/http.js'
import type { Pipe } from './pipe.js'

/** In MB. Beyond, Node refuses streams, though windows and high-water marks bound already how much may wait here. */
const MOST_MEMORY = 1024
/** In bytes. The header fields of a request are the caller's choice, and the peer has limits of its own. */
const MOST_HEADERS = 16 * 1024 * 1024
/** How many pings may wait for their answers; Node refuses the next one. */
const MOST_PINGS = 1000

/** How Node is told of the body of a request: all of it is there at the start, or parts and trailers follow. */
export type RequestBody = 'none' | 'whole' | 'streamed'

/** Makes a session on a pipe. Our preface and SETTINGS leave without waiting for the peer's. */
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
    // As many fields as fit in `maxHeaderListSize`, each of which counts at least 32 bytes.
    maxHeaderListPairs: Math.max(4, Math.ceil(opts.maxHeaderListSize / 32)),
  })
  session.setLocalWindowSize(opts.initialConnectionWindowSize)
  return session
}

type RequestOptions = Parameters<ClientHttp2Session['request']>[1]

/** The options of `session.request` for each kind of body; a streamed one may have trailers behind it. */
export const REQUEST_OPTIONS: Record<RequestBody, RequestOptions> = {
  none: requestOptions(true, false),
  whole: requestOptions(false, false),
  streamed: requestOptions(false, true),
}

/**
 * Gives the options with all names that Node 20 fills in: a name that is added to its copy takes V8 ten times as long. Later
 * versions of Node warn of these names.
 */
function requestOptions(endStream: boolean, waitForTrailers: boolean): RequestOptions {
  const unset = {
    weight: undefined,
    parent: undefined,
    exclusive: undefined,
    silent: undefined,
    signal: undefined,
  }
  const isFilledIn = process.versions.node.startsWith('20.')
  return { endStream, waitForTrailers, ...(isFilledIn ? unset : {}) } as unknown as RequestOptions
}
