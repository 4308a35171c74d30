/** HTTP/1.1: requests go out in order, responses come back in the same order, one connection for all. */

import { asConnectionError, GunError } from '../errors.js'
import type { StreamInfo } from '../info.js'
import type { IsFin } from '../messages.js'
import type { HttpOpts } from '../options.js'
import { replyToOf, type StreamRef } from '../stream-ref.js'
import { handlerError } from '../ws/handler.js'
import { finishHandshake, type Handshake, startHandshake } from '../ws/handshake.js'
import type { Host, Protocol, RequestCommand, UpgradeCommand } from './contract.js'
import { type Framing, framingOf, LAST_CHUNK, writeChunk, writeHead } from './request.js'
import type { Parsed, ResponseEvent } from './response-event.js'
import { ResponseParser } from './response-parser.js'
import { Ws } from './ws.js'

/** One request and its response. */
interface Stream {
  readonly ref: StreamRef
  readonly method: string
  readonly head: Uint8Array
  readonly framing: Framing
  upgrade: { readonly handshake: Handshake; readonly command: UpgradeCommand } | undefined
  /** What was given of the body, while others are still writing. */
  readonly held: Uint8Array[]
  /** How many bytes of the body were given. */
  given: number
  /** The caller has given the whole body. */
  complete: boolean
}

/** The protocol of a connection that carries requests. */
export class Http implements Protocol {
  readonly name = 'http'
  readonly stateName = 'connected'
  readonly #host: Host
  readonly #opts: Required<HttpOpts>
  readonly #parser: ResponseParser
  /** Sent; their responses come in this order. */
  readonly #inFlight: Stream[] = []
  /** Not begun: an upgrade is being answered or waits itself, or somebody's body is still being sent. */
  readonly #waiting: Stream[] = []
  /** Whose body is being sent. */
  #writing: Stream | undefined
  /** Nothing is begun any more. */
  #closing = false
  /** The response that is being received is the last one. */
  #leaving = false
  /** An orderly end was asked for, while an upgrade may still succeed. */
  #asked = false
  #closed = false

  constructor(host: Host, opts: Required<HttpOpts>) {
    this.#host = host
    this.#opts = opts
    this.#parser = new ResponseParser(opts)
  }

  request(command: RequestCommand): void {
    const { streamRef, method, path, body } = command
    const headers = [...command.headers]
    if (!headers.some(([name]) => name === 'host')) headers.unshift(['host', this.#host.authority])
    let framing = framingOf(headers)
    if (framing === undefined && body === undefined) {
      if (this.#opts.version === 'HTTP/1.0') {
        return this.#host.fail(
          streamRef,
          notSupported('a body of unknown length needs HTTP/1.1; give a content-length'),
        )
      }
      headers.push(['transfer-encoding', 'chunked'])
      framing = { type: 'chunked' }
    } else if (framing === undefined && body !== undefined && (body.length > 0 || expectsBody(method))) {
      headers.push(['content-length', String(body.length)])
      framing = { type: 'length', length: body.length }
    }
    const stream: Stream = {
      ref: streamRef,
      method,
      head: writeHead(method, path, this.#opts.version, headers),
      framing: framing ?? { type: 'none' },
      upgrade: undefined,
      held: [],
      given: 0,
      complete: body !== undefined,
    }
    if (body !== undefined) this.#hold(stream, 'fin', body)
    this.#enqueue(stream)
  }

  data(streamRef: StreamRef, isFin: IsFin, chunk: Uint8Array): void {
    const writing = this.#writing?.ref === streamRef
    const stream = writing ? this.#writing : this.#waiting.find(({ ref }) => ref === streamRef)
    if (stream === undefined || stream.complete) {
      const reason = 'this stream takes no data: its body is complete, or it has ended'
      return this.#host.fail(streamRef, new GunError('badstate', 'badstate', reason))
    }
    const { framing } = stream
    const length = stream.given + chunk.length
    if (
      framing.type === 'length' &&
      (length > framing.length || (isFin === 'fin' && length < framing.length))
    ) {
      const problem = `the body has ${length} bytes, not the ${framing.length} that its content-length says`
      // A chunk too long is not sent; the stream waits for another. A body that has ended wrongly can't be mended.
      if (isFin === 'fin') return this.#abandon(stream, problem)
      return this.#host.fail(
        streamRef,
        new GunError('badstate', 'badstate', `${problem}; the last chunk was not sent`),
      )
    }
    this.#hold(stream, isFin, chunk)
    if (isFin === 'fin') stream.complete = true
    if (!writing) return
    this.#write(stream)
    if (stream.complete) {
      this.#writing = undefined
      this.#advance()
    }
  }

  wsUpgrade(command: UpgradeCommand): void {
    const { streamRef, path, headers, opts } = command
    if (this.#opts.version === 'HTTP/1.0') {
      return this.#host.fail(streamRef, notSupported('an upgrade to WebSocket needs HTTP/1.1'))
    }
    const handshake = startHandshake(headers, opts)
    const { connPid, events } = this.#host
    events.tell('wsUpgrade', { connPid, streamRef, replyTo: replyToOf(streamRef), opts })
    const fields = [...handshake.headers]
    if (!fields.some(([name]) => name === 'host')) fields.unshift(['host', this.#host.authority])
    this.#enqueue({
      ref: streamRef,
      method: 'GET',
      head: writeHead('GET', path, this.#opts.version, fields),
      framing: { type: 'none' },
      upgrade: { handshake, command },
      held: [],
      given: 0,
      complete: true,
    })
  }

  handle(chunk: Buffer): void {
    this.#process(this.#parser.execute(chunk))
  }

  end(reason: GunError | undefined): void {
    if (reason !== undefined) return this.#host.lost(reason)
    this.#process(this.#parser.finish())
    if (this.#closed) return
    this.#host.lost(new GunError('closed', 'connection_error', 'the peer closed the connection'))
  }

  streamInfo(streamRef: StreamRef): StreamInfo | undefined {
    const stream = [...this.#inFlight, ...this.#waiting].find(({ ref }) => ref === streamRef)
    if (stream === undefined) return undefined
    return { ref: streamRef, replyTo: replyToOf(streamRef), state: 'running', intermediaries: [] }
  }

  closing(): number {
    this.#closing = true
    this.#asked = true
    const refused = this.#waiting.splice(0)
    for (const { ref } of refused) {
      this.#host.fail(
        ref,
        new GunError('closing', 'stream_error', 'the connection is closing; the request was not sent'),
      )
    }
    return this.#inFlight.length === 0 ? 0 : this.#opts.closingTimeout
  }

  close(
    reason: GunError | 'normal',
    again: ((command: UpgradeCommand) => void) | undefined,
  ): readonly StreamRef[] {
    this.#closed = true
    this.#parser.free()
    const error =
      reason === 'normal'
        ? new GunError(
            'closed',
            'connection_error',
            'the connection was closed before the response was complete',
          )
        : asConnectionError(reason)
    const killed: StreamRef[] = []
    for (const { ref, upgrade } of [...this.#inFlight, ...this.#waiting]) {
      if (again !== undefined && upgrade?.command.isRepeated) again(upgrade.command)
      else killed.push(ref)
    }
    this.#inFlight.length = 0
    this.#waiting.length = 0
    for (const ref of killed) this.#host.fail(ref, error)
    return killed
  }

  #abandon(stream: Stream, problem: string): void {
    // The peer would take what comes next for the rest of this body.
    if (stream === this.#writing)
      return this.#host.lost(new GunError('badstate', 'connection_error', problem))
    this.#waiting.splice(this.#waiting.indexOf(stream), 1)
    this.#host.fail(stream.ref, new GunError('badstate', 'badstate', `${problem}; the request was not sent`))
  }

  /** Frames a part of the body and keeps it until it may be written. */
  #hold(stream: Stream, isFin: IsFin, chunk: Uint8Array): void {
    stream.given += chunk.length
    if (stream.framing.type === 'chunked') {
      stream.held.push(...writeChunk(chunk))
      if (isFin === 'fin') stream.held.push(LAST_CHUNK)
    } else if (chunk.length > 0) {
      stream.held.push(chunk)
    }
  }

  #enqueue(stream: Stream): void {
    this.#waiting.push(stream)
    this.#advance()
  }

  /** Begins what may begin. */
  #advance(): void {
    for (;;) {
      const [next] = this.#waiting
      if (next === undefined || this.#closing || this.#writing !== undefined || this.#isBlocked(next)) return
      this.#waiting.shift()
      this.#inFlight.push(next)
      this.#parser.expect(next.method, next.upgrade !== undefined)
      this.#host.outlet.write(next.head)
      this.#write(next)
      if (!next.complete) this.#writing = next
    }
  }

  /**
   * An upgrade is neither sent behind others nor followed by others: many servers switch as soon as they read it, and
   * what follows may be frames or requests. HTTP/1.0 has no pipelining.
   */
  #isBlocked(next: Stream): boolean {
    if (this.#inFlight.length === 0) return false
    if (next.upgrade !== undefined || this.#opts.version === 'HTTP/1.0') return true
    return this.#inFlight.some(({ upgrade }) => upgrade !== undefined)
  }

  #write(stream: Stream): void {
    for (const chunk of stream.held) this.#host.outlet.write(chunk)
    stream.held.length = 0
  }

  #process({ events, error }: Parsed): void {
    for (const event of events) {
      // A receiver of the message before may have closed the connection.
      if (this.#closed) return
      this.#respond(event)
    }
    if (error === undefined || this.#closed) return
    this.#host.lost(new GunError(error.code, 'connection_error', error.message, { cause: error }))
  }

  #respond(event: ResponseEvent): void {
    const [stream] = this.#inFlight
    // The parser refuses a response that nobody expects.
    if (stream === undefined) return
    const streamRef = stream.ref
    const { connPid } = this.#host
    switch (event.type) {
      case 'inform':
        return this.#host.deliver(streamRef, {
          type: 'gun_inform',
          connPid,
          streamRef,
          status: event.status,
          headers: event.headers,
        })
      case 'response': {
        const { status, headers, isFin, keepAlive } = event
        // Refused: what is left of it is a response like any other.
        stream.upgrade = undefined
        if (!keepAlive) this.#leave()
        this.#host.deliver(streamRef, {
          type: 'gun_response',
          connPid,
          streamRef,
          isFin: isFin ? 'fin' : 'nofin',
          status,
          headers,
        })
        if (isFin) this.#finish(stream)
        return
      }
      case 'data': {
        const { data, isFin } = event
        const message = {
          type: 'gun_data',
          connPid,
          streamRef,
          isFin: isFin ? 'fin' : 'nofin',
          data: Buffer.from(data),
        } as const
        this.#host.deliver(streamRef, message, data.length)
        if (isFin) this.#finish(stream)
        return
      }
      case 'trailers':
        this.#host.deliver(streamRef, { type: 'gun_trailers', connPid, streamRef, headers: event.headers })
        return this.#finish(stream)
      case 'upgrade':
        return this.#switch(stream, event)
    }
  }

  /** The peer closes after this response: what is asked for from now on is for the next connection. */
  #leave(): void {
    this.#closing = true
    this.#leaving = true
    this.#host.retire()
  }

  #finish(stream: Stream): void {
    // The receiver of the last message may have closed the connection, which ended the stream.
    if (this.#closed || this.#inFlight[0] !== stream) return
    this.#inFlight.shift()
    if (!this.#closing) return this.#advance()
    if (this.#leaving || this.#inFlight.length === 0) this.#host.lost('normal')
  }

  /** The server has agreed, but not to what can go on; the next connection does not ask again. */
  #refuse(stream: Stream, error: GunError): void {
    stream.upgrade = undefined
    this.#host.lost(error)
  }

  #switch(stream: Stream, { headers, rest }: ResponseEvent & { type: 'upgrade' }): void {
    const { upgrade, ref: streamRef } = stream
    if (upgrade === undefined) return
    const agreement = finishHandshake(upgrade.handshake, headers)
    if (agreement instanceof GunError) return this.#refuse(stream, agreement)
    // Before anybody hears of it: whoever does may answer with a frame at once.
    let ws: Ws
    try {
      ws = new Ws(this.#host, upgrade.command, agreement, headers)
    } catch (cause) {
      return this.#refuse(stream, handlerError(cause))
    }
    this.#inFlight.shift()
    const refused = this.#waiting.splice(0)
    this.#closed = true
    this.#parser.free()
    this.#host.switchTo(ws)
    this.#host.deliver(streamRef, {
      type: 'gun_upgrade',
      connPid: this.#host.connPid,
      streamRef,
      protocols: ['websocket'],
      headers,
    })
    for (const { ref } of refused) {
      const reason = 'the connection was upgraded to WebSocket before the request could be sent'
      this.#host.fail(ref, new GunError('badstate', 'badstate', reason))
    }
    if (rest.length > 0) this.#host.handle(rest)
    if (this.#asked) this.#host.closing(ws.closing(), true)
  }
}

function expectsBody(method: string): boolean {
  return method === 'POST' || method === 'PUT' || method === 'PATCH'
}

function notSupported(text: string): GunError {
  return new GunError('not_supported', 'stream_error', text)
}
