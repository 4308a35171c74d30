/** What a content handler is: it makes of a response's body what it likes, messages or another body. */

import type { Pid } from '@holster/process'
import type { ConnPid, StreamRef } from '../handles.js'
import type { Headers, IsFin } from '../words.js'

/** The response whose body is to be handled. */
export interface ContentResponse {
  /** The connection that has brought it. */
  readonly connPid: ConnPid
  /** Its stream. */
  readonly streamRef: StreamRef
  /** Its status, 200 to 599 as a rule. */
  readonly status: number
  /** Its header fields. */
  readonly headers: Headers
  /** Whom the stream replies to. Each message counts against the stream's `flow` and the mailbox's high-water mark. */
  readonly replyTo: Pid<unknown>
}

/**
 * Hands a part of the body on: to the next handler, or from the last one to the mailbox, as `gun_data`. Gives a promise
 * when there is no room for more until it resolves. Not to be called in `init`; after `'fin'` or `close` it does nothing.
 */
export type Next = (isFin: IsFin, data: Buffer) => void | Promise<void>

/**
 * Handles one body. What it throws, or a promise of it that rejects, ends the stream: with `handler_error`, unless it is
 * a GunError of kind `stream_error`.
 */
export interface ContentReader {
  /**
   * A part of the body has come; it may be empty, and `'fin'` comes once. `data` may be kept. While the promise that it
   * gives is pending nothing more is read.
   */
  handle(isFin: IsFin, data: Buffer): void | Promise<void>
  /**
   * The body is over, or will never be: the stream was cancelled, or the connection lost. Comes once. What it throws, or
   * rejects with, goes to the exit hook.
   */
  close?(): void
}

/**
 * Makes of bodies what it likes, as `httpOpts.contentHandlers` takes it: messages to `replyTo`, another body handed on
 * with `next`, or both. The first handler that wants a body gets it, and what that hands on goes to the next that wants it.
 * Source: `content_handlers` of Gun's `http_opts`.
 */
export interface ContentHandler {
  /** A response with a body has begun, and its `gun_response` was sent. Gives at once, not in a promise, what handles its body; `undefined`: it is not for this handler. */
  init(response: ContentResponse, next: Next): ContentReader | undefined
}
