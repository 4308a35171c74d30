/** The contract of a content handler, which turns a response's body into messages or into another body. */

import type { Pid } from '@holster/process'
import type { ConnPid, StreamRef } from '../handles.js'
import type { Headers, IsFin } from '../words.js'

/** The response whose body is handled. */
export interface ContentResponse {
  /** The connection that the response arrived on. */
  readonly connPid: ConnPid
  /** The stream of the response. */
  readonly streamRef: StreamRef
  /** The status code, normally 200 to 599. */
  readonly status: number
  /** The header fields. */
  readonly headers: Headers
  /**
   * The recipient of the stream's messages. Each message sent to it counts against the stream's `flow` and
   * the mailbox's high-water mark.
   */
  readonly replyTo: Pid<unknown>
}

/**
 * Passes a part of the body on: to the next handler, or from the last handler to the mailbox as `gun_data`.
 * Returns a promise if there is no room for more until it resolves. Must not be called within `init`; after
 * `'fin'` or `close` it does nothing.
 */
export type Next = (isFin: IsFin, data: Buffer) => void | Promise<void>

/**
 * Handles one body. If `handle` throws, or its promise rejects, the stream ends: with that error if it is a
 * GunError of kind `stream_error`, else with `handler_error`.
 */
export interface ContentReader {
  /**
   * Takes a part of the body, which may be empty; `'fin'` comes once, with the last part. The reader may keep
   * `data`. While the returned promise is pending nothing more is read.
   */
  handle(isFin: IsFin, data: Buffer): void | Promise<void>
  /**
   * Called once, when the body is over or will never be complete because the stream was cancelled or the
   * connection lost. If it throws, or its promise rejects, the error goes to the exit hook.
   */
  close?(): void
}

/**
 * Turns bodies into messages to `replyTo`, into another body passed on with `next`, or both; given in
 * `httpOpts.contentHandlers`. The first handler that wants a body gets it, and the body it passes on goes to
 * the next handler that wants it. Source: `content_handlers` of Gun's `http_opts`.
 */
export interface ContentHandler {
  /**
   * Called when a response with a body has begun and its `gun_response` was posted. Returns the reader of the
   * body, at once and not in a promise, or `undefined` if the handler leaves the body alone.
   */
  init(response: ContentResponse, next: Next): ContentReader | undefined
}
