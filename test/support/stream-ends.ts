// Every stream ends exactly once: watches what connections post, and says where that was not so.
//
// The rules, for each stream:
//   - it ends with a `gun_response` or `gun_data` that is 'fin', with `gun_trailers`, with the 'fin' of `gun_sse`, or with
//     one `gun_error`; and nothing of it comes behind that. A WebSocket ends in order without a message of its own: its
//     last one is a close frame, behind which no frame comes, and at most a `gun_error`. A tunnel begins with a response to
//     CONNECT, and ends with a `gun_error`, with the 'fin' of raw bytes, or with a connection that ends in order;
//   - its messages have an order: `gun_inform` before `gun_response`, that before `gun_data` and what follows, and each
//     head comes once;
//   - nothing comes behind `cancel`;
//   - `gun_down` comes once for each `gun_up`, and behind the ends of all streams that had begun, but for a WebSocket that
//     asks again with the next connection;
//   - nothing of a connection comes behind its `DOWN`, and no stream that has begun is without its end then.
// What answers a command of the caller's is not part of this: a `gun_error` with the code `badstate` may come at any time
// and ends nothing, so may `closed` behind DOWN where it says that the connection has ended, or where nothing was known of the stream; a drain may come behind a
// response while the body of its request is still being sent.
//
// To import this file is enough: it watches every message to every process of this program. What goes to a function or
// to another object is watched where it is wrapped: `replyTo: streamEnds.watch(message => …)`. The scenes call `assert`
// as they are disposed of; whatever nobody asks for fails the program as it exits. A test that expects faults, or that
// wants its own, makes one for itself: `new StreamEnds()`, which sees what is given to `see`.
//
// A stream has begun when the first message of it was seen, or with `began(streamRef)`, which makes sure that it does not
// end without any: say so of each request in a test that loses connections. That a
// stream was cancelled, that a response is over whose content handler posts no end, and that a connection has ended, is
// known from the channels of `node:diagnostics_channel`; who cancels what is not sent yet says so with `cancelled`.

import assert from 'node:assert/strict'
import { subscribe } from 'node:diagnostics_channel'
import type * as gun from '@holster/gun'
import { Process } from '@holster/process'
import { deliver } from '@holster/process/internal'

/** The streams that were asked for with `connect`: theirs go on behind a response that agrees. */
const tunnelsAskedFor = new WeakSet<gun.StreamRef>()

type Phase =
  /** The stream was asked for, or an interim response has come. */
  | 'asked'
  /** The head of its response has come. */
  | 'responding'
  /** The stream is a WebSocket. */
  | 'websocket'
  /** A proxy has agreed to lead the stream on, or the server has left HTTP: bytes may come. */
  | 'tunnel'
  /** A close frame of the peer's has come. */
  | 'closing'
  | 'cancelled'
  /** Its response is over, and no message has told so. */
  | 'silent'
  | 'ended'

interface Stream {
  phase: Phase
  /** What it has ended with. */
  end?: string
  /** A handler of a subprotocol gets its frames, so its close frame is not seen. */
  isHandled?: boolean
}

interface Connection {
  isUp: boolean
  isDown: boolean
  /** The streams that have begun and not ended. */
  readonly open: Set<gun.StreamRef>
}

/** What is said of a message. */
interface Named {
  readonly type: string
  readonly streamRef?: unknown
  readonly reason?: unknown
}

type StreamMessage = Extract<gun.GunMessage, { readonly streamRef?: unknown }>

/** Streams that need no end. */
const SETTLED: ReadonlySet<Phase> = new Set(['closing', 'cancelled', 'silent', 'ended'])

export class StreamEnds {
  readonly #connections = new WeakMap<gun.ConnPid, Connection>()
  readonly #streams = new WeakMap<gun.StreamRef, Stream>()
  #problems: string[] = []

  /** What was wrong so far, in words. */
  get problems(): readonly string[] {
    return this.#problems
  }

  /** Throws if anything was wrong since it was called last. */
  assert(): void {
    const problems = this.#problems
    this.#problems = []
    assert.deepEqual(problems, [], 'not every stream has ended exactly once')
  }

  /** Passes each message on to `replyTo`, seen. */
  watch(replyTo: gun.ReplyTo): gun.Receiver {
    return message => {
      this.see(message)
      if (typeof replyTo === 'function') replyTo(message)
      else replyTo.send(message)
    }
  }

  /** A stream was asked for; it must have ended when its connection has. */
  began(connPid: gun.ConnPid, streamRef: gun.StreamRef): void {
    this.#streamOf(this.#connectionOf(connPid), streamRef)
  }

  /** A handler gets the frames of a WebSocket that is asked for, a close frame too: it may post none of them. */
  handled(streamRef: gun.StreamRef): void {
    this.#streams.set(streamRef, { phase: 'asked', isHandled: true })
  }

  /** A message, whatever it is, as it is posted. */
  see(message: unknown): void {
    if (!isMessage(message)) return
    const it = this.#connectionOf(message.connPid)
    const isNew = !('streamRef' in message) || !this.#streams.has(message.streamRef as gun.StreamRef)
    if (isAnswer(message, it.isDown, isNew)) return
    if (it.isDown) this.#wrong(message, 'comes behind DOWN')
    if (message.type === 'gun_up') return this.#up(it, message)
    if (message.type === 'gun_down') return this.#down(it, message)
    if (message.streamRef !== undefined) this.#advance(it, message, message.streamRef)
  }

  /** The caller has cancelled a stream. */
  cancelled(streamRef: gun.StreamRef): void {
    const stream = this.#streams.get(streamRef)
    if (stream !== undefined && stream.phase !== 'ended') stream.phase = 'cancelled'
    else this.#streams.set(streamRef, stream ?? { phase: 'cancelled' })
  }

  /** A response is over, whether its last message was seen or not. */
  finished(streamRef: gun.StreamRef): void {
    const stream = this.#streams.get(streamRef)
    if (stream?.phase === 'responding') stream.phase = 'silent'
  }

  /** A connection has ended; whoever monitors it is told at the same time. */
  terminated(connPid: gun.ConnPid): void {
    const it = this.#connectionOf(connPid)
    if (it.isDown) this.#wrong({ type: 'DOWN' }, 'comes twice')
    it.isDown = true
    this.#settle(it, { type: 'DOWN' }, undefined)
    it.open.clear()
  }

  #up(it: Connection, message: gun.GunUp): void {
    if (it.isUp) this.#wrong(message, 'comes behind another')
    it.isUp = true
  }

  #down(it: Connection, message: gun.GunDown): void {
    if (!it.isUp) this.#wrong(message, 'comes without a gun_up')
    it.isUp = false
    if (message.reason === 'normal') this.#closeTunnels(it)
    this.#settle(it, message, message.killedStreams)
  }

  /** The tunnels of a connection that ends in order end with it. */
  #closeTunnels(it: Connection): void {
    for (const streamRef of it.open) {
      const stream = this.#streams.get(streamRef)
      if (stream?.phase === 'tunnel') stream.phase = 'silent'
    }
  }

  /** The streams that need an end have one now; where there are `killed` ones the others may go on, if they can. */
  #settle(it: Connection, message: Named, killed: readonly gun.StreamRef[] | undefined): void {
    for (const streamRef of it.open) {
      const stream = this.#streams.get(streamRef)
      const isOver = stream === undefined || SETTLED.has(stream.phase) || stream.isHandled
      if (isOver) it.open.delete(streamRef)
      else if (killed !== undefined && mayGoOn(stream) && !killed.includes(streamRef)) continue
      else this.#wrong(message, `comes before the end of ${streamRef}, which is ${stream.phase}`)
    }
  }

  #advance(it: Connection, message: StreamMessage, streamRef: gun.StreamRef): void {
    const stream = this.#streamOf(it, streamRef)
    const { phase } = stream
    if (message.type === 'gun_notify') {
      // Room for more of a body whose response is over already.
      const isDrain = message.event === 'drain' && stream.end !== 'gun_error'
      if (phase === 'cancelled' || (phase === 'ended' && !isDrain)) this.#late(message, stream)
      if (message.event === 'ping_ack') this.#end(it, message, streamRef, stream)
      return
    }
    if (phase === 'ended' || phase === 'cancelled') return this.#late(message, stream)
    if (!allowed(phase, message)) this.#wrong(message, `comes for a stream that is ${phase}`)
    stream.phase = next(phase, message)
    if (message.type === 'gun_upgrade') {
      stream.isHandled ||= message.headers.some(([name]) => name === 'sec-websocket-protocol')
    }
    if (message.type === 'gun_push') this.#streamOf(it, message.newStreamRef)
    if (stream.phase === 'ended') this.#end(it, message, streamRef, stream)
  }

  #end(it: Connection, message: StreamMessage, streamRef: gun.StreamRef, stream: Stream): void {
    stream.phase = 'ended'
    stream.end = message.type
    it.open.delete(streamRef)
  }

  #late(message: StreamMessage, { phase, end }: Stream): void {
    this.#wrong(message, end === undefined ? `comes for a stream that is ${phase}` : `comes behind ${end}`)
  }

  #connectionOf(connPid: gun.ConnPid): Connection {
    const known = this.#connections.get(connPid)
    if (known !== undefined) return known
    const it: Connection = { isUp: false, isDown: false, open: new Set() }
    this.#connections.set(connPid, it)
    return it
  }

  #streamOf(it: Connection, streamRef: gun.StreamRef): Stream {
    let stream = this.#streams.get(streamRef)
    if (stream === undefined) {
      stream = { phase: 'asked' }
      this.#streams.set(streamRef, stream)
      it.open.add(streamRef)
    }
    return stream
  }

  #wrong(message: Named, what: string): void {
    const { type, streamRef, reason } = message
    const whose = streamRef === undefined ? '' : ` of ${streamRef}`
    const why = type === 'gun_error' ? ` (${reason})` : ''
    this.#problems.push(`${type}${whose}${why} ${what}`)
  }
}

/** Whether the stream waits for the next connection, or is asked for again. */
function mayGoOn({ phase }: Stream): boolean {
  return phase === 'asked' || phase === 'websocket'
}

function isMessage(message: unknown): message is gun.GunMessage {
  if (typeof message !== 'object' || message === null) return false
  const { type, connPid } = message as { type?: unknown; connPid?: unknown }
  return (
    typeof type === 'string' && type.startsWith('gun_') && typeof connPid === 'object' && connPid !== null
  )
}

/** Whether the error says that a command of the caller's cannot be carried out, and nothing of the stream itself. */
function isAnswer(message: gun.GunMessage, isDown: boolean, isNew: boolean): boolean {
  if (message.type !== 'gun_error') return false
  const { code, message: text } = message.reason
  // Behind a tunnel that is over nothing begins.
  if (code === 'badstate') return !text.includes('is no tunnel')
  return isDown && code === 'closed' && (isNew || text.endsWith('has ended'))
}

function allowed(phase: Phase, message: StreamMessage): boolean {
  switch (message.type) {
    case 'gun_inform':
    case 'gun_upgrade':
    case 'gun_response':
      // A stream that is asked for again, with the next connection, is a WebSocket already.
      return phase === 'asked' || phase === 'websocket' || phase === 'closing'
    case 'gun_tunnel_up':
      return phase === 'tunnel'
    case 'gun_data':
      return phase === 'responding' || phase === 'tunnel'
    case 'gun_trailers':
    case 'gun_sse':
      return phase === 'responding'
    case 'gun_ws':
      return phase === 'websocket'
    default:
      return phase !== 'silent'
  }
}

function next(phase: Phase, message: StreamMessage): Phase {
  switch (message.type) {
    case 'gun_error':
    case 'gun_trailers':
      return 'ended'
    case 'gun_response':
      if (message.status < 300 && tunnelsAskedFor.has(message.streamRef)) return 'tunnel'
      return message.isFin === 'fin' ? 'ended' : 'responding'
    case 'gun_data':
      if (message.isFin === 'fin') return 'ended'
      return phase === 'tunnel' ? 'tunnel' : 'responding'
    case 'gun_sse':
      return message.event === 'fin' ? 'ended' : 'responding'
    case 'gun_upgrade':
      return message.protocols[0] === 'websocket' ? 'websocket' : 'tunnel'
    case 'gun_ws': {
      const { frame } = message
      return frame === 'close' || frame[0] === 'close' ? 'closing' : 'websocket'
    }
    default:
      return phase
  }
}

/** Sees all that is posted to processes. */
export const streamEnds = new StreamEnds()

const post = Process.prototype[deliver]
Process.prototype[deliver] = function (source, message, bytes) {
  streamEnds.see(message)
  post.call(this, source, message, bytes)
}

/** Says that a stream asks for a tunnel, where its connection is on another node. */
export function asksForTunnel(streamRef: gun.StreamRef): gun.StreamRef {
  tunnelsAskedFor.add(streamRef)
  return streamRef
}

subscribe('holster:gun:requestStart', event => {
  const { streamRef, function: asked } = event as gun.RequestEvent
  if (asked === 'connect') tunnelsAskedFor.add(streamRef)
})
subscribe('holster:gun:cancel', event => {
  const { streamRef, endpoint } = event as gun.CancelEvent
  if (endpoint === 'local') streamEnds.cancelled(streamRef)
})
subscribe('holster:gun:responseEnd', event => {
  streamEnds.finished((event as gun.StreamEvent).streamRef)
})

subscribe('holster:gun:terminate', event => {
  streamEnds.terminated((event as gun.ConnectionEvent).connPid)
})

process.on('exit', () => {
  if (streamEnds.problems.length === 0) return
  console.error(`Not every stream has ended exactly once:\n${streamEnds.problems.join('\n')}`)
  process.exitCode = 1
})
