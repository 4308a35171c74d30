/** Node's stream of HTTP/2: tells its owner of each value as a step, until the owner disposes of it. */

import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2'
import type { Home } from '../layer/contract.js'
import type { Headers } from '../words.js'
import { headersOf } from './fields.js'

const OWNER = Symbol('owner')

/** In bytes. The data that Node has kept back comes as one, and is handed on in pieces of this size. */
const PIECE = 16 * 1024

/** A stream that knows its owner. */
export type Owned = ClientHttp2Stream & { [OWNER]?: Http2StreamOwner | undefined }

/** Has a stream, and is told what Node tells of it. */
export interface Http2StreamOwner {
  /** Takes an interim response. One that ends the stream, against the rules, comes as a final one. */
  onInform(status: number, headers: Headers): void
  onResponse(status: number, headers: Headers, isFin: boolean): void
  onData(data: Buffer): void
  onTrailers(headers: Headers): void
  /** The peer sends nothing more, or the stream is given up. */
  onEnd(): void
  /** The stream has broken with an error, or is over. May be told again. */
  onBroken(cause: unknown): void
  /** The request's body has been sent; its trailers are due. */
  sendTrailers(): void
  /** The owner threw, which is a defect of this package. */
  onDefect(cause: unknown): void
  /** The steps of the connection: each value that Node tells is one. */
  readonly steps: Home['steps']
}

/** Tells the owner of the stream from now on. `isPushed`: the server has begun the stream; `isSent`: the request has no body. */
export function listen(node: Owned, owner: Http2StreamOwner, isPushed: boolean, isSent: boolean): void {
  node[OWNER] = owner
  node.on('headers', onHead)
  node.on('response', onHead)
  if (isPushed) {
    // Node tells of the first head as `push`, interim or not, and of a final one behind it that ends the stream as trailers.
    node.on('push', onHead)
    node.on('trailers', onTrailers)
  }
  node.on('data', onData)
  node.on('error', onBroken)
  node.on('close', onBroken)
  if (!isSent) node.on('wantTrailers', onWantTrailers)
}

/** Tells of trailers and of the end as well, for a response whose data does not tell its end. */
export function listenForEnd(node: Owned, isPushed: boolean): void {
  if (!isPushed) node.on('trailers', onTrailers)
  node.on('end', onEnd)
}

/** Tells the owner nothing more. */
export function dispose(node: Owned): void {
  node[OWNER] = undefined
}

/** Takes the data that Node has kept back while the stream was paused. */
export function drain(node: Owned): void {
  const owner = node[OWNER]
  if (owner === undefined) return
  node.off('data', onData)
  for (;;) {
    const data: Buffer | null = node.read()
    if (data === null) return
    for (let at = 0; at < data.length; at += PIECE) owner.onData(data.subarray(at, at + PIECE))
  }
}

// All streams share these listeners: a closure for each stream and event would cost as much as the rest of the stream.

function onHead(this: Owned, headers: IncomingHttpHeaders, flags: number, raw?: readonly string[]): void {
  const isFin = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0
  const fields = headersOf(raw ?? [])
  const status = Number(headers[':status'])
  if (status < 200 && !isFin) tell(this, owner => owner.onInform(status, fields))
  else if (status > 0) tell(this, owner => owner.onResponse(status, fields, isFin))
}

function onTrailers(this: Owned, headers: IncomingHttpHeaders, flags: number, raw?: readonly string[]): void {
  if (headers[':status'] !== undefined) return onHead.call(this, headers, flags, raw)
  tell(this, owner => owner.onTrailers(headersOf(raw ?? [])))
}

function onData(this: Owned, data: Buffer): void {
  tell(this, owner => owner.onData(data))
}

function onEnd(this: Owned): void {
  tell(this, owner => owner.onEnd())
}

/** Listens to `close` as well, which comes without an error. */
function onBroken(this: Owned, error?: Error): void {
  tell(this, owner => owner.onBroken(error))
}

function onWantTrailers(this: Owned): void {
  if (this[OWNER] === undefined) this.sendTrailers({})
  else tell(this, owner => owner.sendTrailers())
}

/** Tells the owner, if there is one, as a step: a defect of ours must end one connection, not the program. */
function tell(node: Owned, say: (owner: Http2StreamOwner) => void): void {
  const owner = node[OWNER]
  if (owner === undefined) return
  const { steps } = owner
  const isOutermost = steps.begin()
  try {
    say(owner)
  } catch (cause) {
    owner.onDefect(cause)
  }
  steps.end(isOutermost)
}
