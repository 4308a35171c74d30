/** The values that the engine makes of the peer's bytes. */

import type { Headers, PromisedRequest } from './head.js'
import type { PeerSettings } from './settings.js'
import type { EngineStream } from './stream.js'

export type Value<Owner> =
  /** The peer has stated its settings, or changed them. */
  | { readonly type: 'settings'; readonly settings: PeerSettings }
  /** The peer keeps to our settings from here on. */
  | { readonly type: 'acknowledged' }
  /** An interim response (RFC 9110 section 15.2). */
  | {
      readonly type: 'inform'
      readonly stream: EngineStream<Owner>
      readonly status: number
      readonly headers: Headers
    }
  /** The head of the final response. */
  | {
      readonly type: 'response'
      readonly stream: EngineStream<Owner>
      readonly status: number
      readonly headers: Headers
      readonly isFin: boolean
    }
  /** A part of the body, valid until the next value; with `isFin` the last one. Counts on its window until it is consumed. */
  | {
      readonly type: 'data'
      readonly stream: EngineStream<Owner>
      readonly data: Buffer
      readonly isFin: boolean
    }
  /** The trailers, which end the response. */
  | { readonly type: 'trailers'; readonly stream: EngineStream<Owner>; readonly headers: Headers }
  /**
   * The peer has reset the stream. `isWhole`: all of the response had come, and the peer wants no more of the request, or it
   * ends the response in this way, as Node's server does now and then (RFC 9113 section 8.1).
   */
  | {
      readonly type: 'reset'
      readonly stream: EngineStream<Owner>
      readonly code: number
      readonly isWhole: boolean
    }
  /** The peer has broken the rules on the stream, which was reset for it. */
  | {
      readonly type: 'broken'
      readonly stream: EngineStream<Owner>
      readonly code: number
      readonly text: string
      /** Whether a head broke them: an interim or final response that has come, and is not handed out. */
      readonly isHead: boolean
    }
  /** The peer ends the connection and has not looked at the stream. */
  | { readonly type: 'unseen'; readonly stream: EngineStream<Owner> }
  /** The server begins a stream of its own in answer to the request of another. */
  | {
      readonly type: 'push'
      readonly stream: EngineStream<Owner>
      readonly promised: EngineStream<Owner>
      readonly request: PromisedRequest
    }
  /** Bytes of the stream that waited have been written. */
  | { readonly type: 'sent'; readonly stream: EngineStream<Owner> }
  /** The peer has answered the ping of that number. */
  | { readonly type: 'ping_ack'; readonly ping: number }
  /** The peer ends the connection: it looks at no stream above `lastId`. */
  | { readonly type: 'goaway'; readonly code: number; readonly lastId: number }
  /** The peer has broken the rules of the connection, or gone over a limit (`isLimit`). It was told so, and nothing follows. */
  | { readonly type: 'failure'; readonly code: number; readonly isLimit: boolean; readonly text: string }
