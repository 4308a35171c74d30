/**
 * Waits for the messages of a stream or a connection: one at a time, as gun:await does, or for a whole
 * response.
 */

import { setImmediate as turn } from 'node:timers/promises'
import { type Down, type MonitorRef, ProcessExit, ReceiveTimeout } from '@holster/process'
import { rejected, resolved, take } from '@holster/process/internal'
import { calleeOf } from '../connection/callee.js'
import { GunError } from '../errors.js'
import type { ConnPid, StreamRef } from '../handles.js'
import {
  type GunData,
  type GunErrorMessage,
  type GunMessage,
  type GunTrailers,
  type GunUp,
  type RawData,
  type RawDrainNotify,
  replyToOf,
  type SocksUp,
  type StreamReply,
} from '../messages.js'
import type { Headers, ProtocolName } from '../words.js'
import { flushStream } from './flush.js'
import { type Reader, readerOf } from './reader.js'
import { noBytes, notUp, silent } from './silence.js'

/** The result of `await`: any message of a stream except `gun_error`, which rejects instead. */
export type StreamMessage = Extract<GunMessage, StreamReply>

/** The result of `await` where no stream is named: a tunnel through SOCKS5, or what a connection that speaks raw posts. */
export type BareMessage = SocksUp | RawData | RawDrainNotify

/** A response's body, with its trailers if it had any. */
export interface Body {
  /** The whole body in one buffer. */
  readonly body: Buffer
  /** The trailer fields; absent if the response had none. */
  readonly trailers?: Headers
}

/** A whole response. */
export interface FullResponse extends Body {
  /** The status code, 200 or more (RFC 9110 section 15). */
  readonly status: number
  /** The header fields. */
  readonly headers: Headers
}

/** The limits of one await, with defaults filled in. */
export interface Limits {
  readonly timeout: number
  readonly monitorRef: MonitorRef | undefined
  readonly signal: AbortSignal | undefined
  readonly maxBodySize: number
}

/** Implements `await` in functions. */
export function awaitMessage(connPid: ConnPid, streamRef: StreamRef, limits: Limits): Promise<StreamMessage> {
  const reader = readerOfStream(streamRef)
  if (!limits.signal?.aborted) {
    // A message that waits already needs no monitor, which costs more than the rest.
    const message = reader[take]([{ streamRef }])
    if (message?.type === 'gun_error') return rejected(message.reason)
    if (message !== undefined) return resolved(message as StreamMessage)
  }
  return waitFor(reader, connPid, limits, {
    patterns: [{ streamRef }],
    late: () => silent(connPid, streamRef, `no message of ${streamRef} came`, limits.timeout),
    take(message) {
      if (message.type === 'gun_error') throw message.reason
      return message as StreamMessage
    },
  })
}

/** Implements `await` in functions where no stream is named. */
export function awaitBare(connPid: ConnPid, limits: Limits): Promise<BareMessage> {
  const connection = calleeOf(connPid)
  const reader = readerOf(connection.owner, 'the owner')
  return waitFor(reader, connPid, limits, {
    patterns: [
      { type: 'gun_tunnel_up', connPid, streamRef: undefined },
      { type: 'gun_data', connPid, streamRef: undefined },
      { type: 'gun_notify', event: 'drain', connPid, streamRef: undefined },
    ],
    late: () => noBytes(connPid, limits.timeout),
    take: message => message as BareMessage,
  })
}

/** Implements `awaitBody` in functions. */
export function awaitBody(connPid: ConnPid, streamRef: StreamRef, limits: Limits): Promise<Body> {
  const reader = readerOfStream(streamRef)
  const connection = calleeOf(connPid)
  const parts = new Parts(limits.maxBodySize)
  try {
    // The parts that wait already come before whatever else of the stream does, and need no monitor.
    for (let part = waiting(); part !== undefined; part = waiting()) {
      const body = add(part)
      if (body !== undefined) return resolved(body)
    }
  } catch (error) {
    return rejected(error)
  }
  return waitFor(reader, connPid, limits, {
    patterns: [
      { type: 'gun_data', streamRef },
      { type: 'gun_trailers', streamRef },
      { type: 'gun_error', streamRef },
    ],
    late: () => silent(connPid, streamRef, `nothing of the body of ${streamRef} came`, limits.timeout),
    take: message => add(message as GunData | GunTrailers | GunErrorMessage),
  })

  /** Takes a part of the body that has come already. */
  function waiting(): GunData | undefined {
    return limits.signal?.aborted ? undefined : reader[take]([{ type: 'gun_data', streamRef }])
  }

  /** Adds what a message brings, and gives the body once that is whole. */
  function add(message: GunData | GunTrailers | GunErrorMessage): Body | undefined {
    switch (message.type) {
      case 'gun_data':
        if (!parts.add(message.data)) {
          cancelAndFlush(connPid, streamRef)
          throw tooLarge(streamRef, limits.maxBodySize)
        }
        if (message.isFin === 'fin') return { body: parts.join() }
        connection.commands.perform({ type: 'flow', streamRef, increment: 1 })
        return undefined
      case 'gun_trailers':
        return { body: parts.join(), trailers: message.headers }
      case 'gun_error':
        throw message.reason
    }
  }
}

/** Implements `awaitResponse` in functions. */
export function awaitResponse(connPid: ConnPid, streamRef: StreamRef, limits: Limits): Promise<FullResponse> {
  const reader = readerOfStream(streamRef)
  const connection = calleeOf(connPid)
  const end = performance.now() + limits.timeout
  const parts = new Parts(limits.maxBodySize)
  let head: Pick<FullResponse, 'status' | 'headers'> | undefined
  let isWebSocket = false
  let spare: number | undefined
  return waitFor(reader, connPid, limits, {
    patterns: [
      { type: 'gun_inform', streamRef },
      { type: 'gun_response', streamRef },
      { type: 'gun_data', streamRef },
      { type: 'gun_trailers', streamRef },
      { type: 'gun_upgrade', streamRef },
      { type: 'gun_error', streamRef },
    ],
    left() {
      const left = Math.max(0, end - performance.now())
      if (left > 0) return left
      // Messages that arrived by now still count, but a peer that never stops must not put off the end.
      spare = spare === undefined ? reader.messageQueueLength : spare - 1
      if (spare < 0) throw this.late()
      return 0
    },
    late() {
      const missing = `the response of ${streamRef} was not complete`
      const size = head === undefined ? '' : `; its head and ${parts.size} bytes of its body had come`
      return silent(connPid, streamRef, missing, limits.timeout, size)
    },
    take,
    failed() {
      if (!isWebSocket) cancelAndFlush(connPid, streamRef)
    },
  })

  /** Takes a message of the response, and gives that once it is whole. */
  function take(message: GunMessage): FullResponse | undefined {
    switch (message.type) {
      case 'gun_response':
        head = { status: message.status, headers: message.headers }
        return message.isFin === 'fin' ? { ...head, body: parts.join() } : undefined
      case 'gun_data': {
        const { status, headers } = headOf(head)
        if (!parts.add(message.data)) throw tooLarge(streamRef, limits.maxBodySize)
        if (message.isFin === 'fin') return { status, headers, body: parts.join() }
        connection.commands.perform({ type: 'flow', streamRef, increment: 1 })
        return undefined
      }
      case 'gun_trailers':
        return { ...headOf(head), body: parts.join(), trailers: message.headers }
      case 'gun_upgrade': {
        isWebSocket = true
        const text = `${streamRef} is a WebSocket now and has no response: use await or receive`
        throw new GunError('badstate', 'badstate', text)
      }
      case 'gun_error':
        throw message.reason
      default:
        return undefined
    }
  }

  function headOf(
    head: Pick<FullResponse, 'status' | 'headers'> | undefined,
  ): Pick<FullResponse, 'status' | 'headers'> {
    if (head !== undefined) return head
    const text = `the head of the response of ${streamRef} was read already: the stream was given up, and the part of its body that had arrived is lost; after await use awaitBody`
    throw new GunError('badstate', 'badstate', text)
  }
}

/** Implements `awaitUp` in functions. */
export function awaitUp(connPid: ConnPid, limits: Limits): Promise<ProtocolName> {
  const reader = readerOf(calleeOf(connPid).owner, 'the owner')
  return waitFor(reader, connPid, limits, {
    patterns: [{ type: 'gun_up', connPid }],
    late: () => notUp(connPid, limits.timeout),
    take: message => (message as GunUp).protocol,
  })
}

function readerOfStream(streamRef: StreamRef): Reader {
  return readerOf(replyToOf(streamRef), "the stream's replyTo")
}

/** A wait for messages until they give a result. */
interface Wait<T> {
  readonly patterns: readonly Partial<GunMessage>[]
  /** Gives how many milliseconds the next message may take. Default: the timeout. */
  left?(): number
  /** Makes the error of a message that does not come in time. */
  late(): GunError
  /** Takes a message that matches, and gives the result, if that is known by now. */
  take(message: GunMessage): T | undefined
  /** There will be no result. */
  failed?(): void
}

/**
 * Waits for one message after the other. The end of the connection brings none any more: it is known by the caller's monitor, or
 * by one that is removed afterwards together with its DOWN.
 */
function waitFor<T>(reader: Reader, connPid: ConnPid, limits: Limits, wait: Wait<T>): Promise<T> {
  const awaited = result()
  return awaited

  async function result(): Promise<T> {
    const ref = limits.monitorRef ?? reader.monitor(connPid)
    const patterns = [...wait.patterns, { type: 'DOWN', ref, pid: connPid }]
    try {
      for (;;) {
        const message = await next(reader, patterns, limits, wait)
        if (message.type === 'DOWN') throw downError(connPid, message)
        const result = wait.take(message)
        if (result !== undefined) return result
      }
    } catch (error) {
      wait.failed?.()
      // As with `receive`: a process that exits abandons its awaits, whose rejections must not count as
      // unhandled.
      if (error instanceof ProcessExit) awaited.catch(() => {})
      // A request may have the same signal, and its stream may have ended first.
      throw limits.signal?.aborted === true ? limits.signal.reason : error
    } finally {
      if (limits.monitorRef === undefined) reader.demonitor(ref)
    }
  }
}

/** Looks until the time has passed, then once more. */
function next(
  reader: Reader,
  patterns: readonly object[],
  limits: Limits,
  wait: Wait<unknown>,
): Promise<GunMessage | Down> {
  const timeout = wait.left?.() ?? limits.timeout
  const look = (ms: number): Promise<unknown> => reader.receive(patterns as never, within(ms, limits))
  const looked = look(timeout).catch(async error => {
    if (!(error instanceof ReceiveTimeout)) throw error
    try {
      // In a busy program the time is up before the sockets were read; messages that have arrived by then
      // count.
      if (timeout > 0) await turn()
      return await look(0)
    } catch (again) {
      throw again instanceof ReceiveTimeout ? wait.late() : again
    }
  })
  return looked as Promise<GunMessage | Down>
}

function within(timeout: number, { signal }: Limits): number | { timeout: number; signal: AbortSignal } {
  return signal === undefined ? timeout : { timeout, signal }
}

/** Cancels the stream if it is open, and drops its messages. */
function cancelAndFlush(connPid: ConnPid, streamRef: StreamRef): void {
  calleeOf(connPid).giveUp(streamRef)
  flushStream(streamRef)
}

/** Collects the parts of a body. */
export class Parts {
  readonly #most: number
  readonly #parts: Buffer[] = []
  size = 0

  constructor(most: number) {
    this.#most = most
  }

  /** Adds a part. Returns whether the size is still within the limit. */
  add(part: Buffer): boolean {
    this.size += part.length
    if (part.length > 0) this.#parts.push(part)
    return this.size <= this.#most
  }

  join(): Buffer {
    const [only] = this.#parts
    return only !== undefined && this.#parts.length === 1 ? only : Buffer.concat(this.#parts, this.size)
  }
}

/** Returns the error for a body of more bytes than the caller wants. */
export function tooLarge(streamRef: StreamRef, most: number): GunError {
  const text = `the body of ${streamRef} has more than the ${most} bytes of maxBodySize; the stream was cancelled`
  return new GunError('limit_reached', 'stream_error', text)
}

function downError(connPid: ConnPid, { reason }: Down): GunError {
  const cause = Array.isArray(reason) && reason[0] === 'shutdown' ? reason[1] : reason
  const why = cause instanceof Error ? cause.message : String(cause)
  const isPermanent = cause instanceof GunError && cause.isPermanent
  return new GunError('down', 'down', `${connPid} has ended: ${why}`, { cause, isPermanent })
}
