/** The handles of a connection and of a stream: opaque, printable, usable as keys, and never thenable. */

import { compareByIdentity, type ExitReason, type Monitorable, type Pid } from '@holster/process'
import {
  type ExitRoute,
  exitSignal,
  homeOf,
  linked,
  NO_NODE,
  onExit,
  type WatchOrder,
} from '@holster/process/internal'

/** A type-level tag that keeps the type checker from accepting one kind of handle for another. */
export declare const handle: unique symbol

/** The part of a connection that its handle uses. */
export interface Life {
  readonly owner: Pid<never>
  /**
   * Registers a listener for the end of the connection. Returns a function that removes it, or `undefined` if
   * the connection has already ended.
   */
  watch(listener: (reason: ExitReason) => void, order?: WatchOrder): (() => void) | undefined
  shutdown(): void
  close(): void
  /** The node of a connection that is on another one. */
  readonly node?: string
  /** Takes an exit signal. Default: the connection is shut down or closed. */
  signal?(from: unknown, reason: ExitReason, route: ExitRoute): void
  /** Takes note that a process here was linked to the connection, or is no more. Default: the links here tell each other. */
  linked?(process: object, isTied: boolean): void
}

/** A replyTo as a StreamRef holds it; `replyToOf` in `messages` adds the type of its messages. */
type Recipient = Pid<never> | ((message: never) => void)

let lastConn = 0
let lastStream = 0

/** Returns the connection behind a handle. Throws a TypeError for a value that `open` did not return. */
export let lifeOf: (connPid: ConnPid) => Life

/** Gives the number by which other nodes know the handle of a connection of this program. */
export let connNumberOf: (connPid: ConnPid) => number

/** Gives the number by which other nodes know the handle of a stream that was made in this program. */
export let streamNumberOf: (streamRef: StreamRef) => number

/** Whether the handle of a stream was made in this program. */
export let isMadeHere: (streamRef: StreamRef) => boolean

/** Returns the connection that a stream belongs to. */
export let connPidOf: (streamRef: StreamRef) => ConnPid

/** Returns the recipient of a stream's messages. */
export let recipientOf: (streamRef: StreamRef) => Recipient

/**
 * Returns how many bytes of a request's body may wait to be sent before `data` returns `false`; `undefined`
 * means no limit.
 */
export let sendMarkOf: (streamRef: StreamRef) => number | undefined

/** Returns the layer that the stream has become; `undefined`: none. `layer/layer` knows its type. */
export let innerOf: (streamRef: StreamRef) => object | undefined

/** Remembers the layer that a stream has become. */
export let setLayer: (streamRef: StreamRef, layer: object | undefined) => void

/** Returns the stream of the tunnel that the stream was asked for through; `undefined`: none. */
export let tunnelOf: (streamRef: StreamRef) => StreamRef | undefined

/** Whether the stream asks for a tunnel: a response with which it succeeds does not end it. */
export let asksForTunnel: (streamRef: StreamRef) => boolean

/** Records that the caller cancelled the stream while it was open. */
export let noteCancelled: (streamRef: StreamRef) => void

/** Whether the caller cancelled the stream while it was open. */
export let wasCancelled: (streamRef: StreamRef) => boolean

/** Gives a stream that was made without one its connection, and its recipient where it has none. */
export let bindStream: (streamRef: StreamRef, connPid: ConnPid, recipient: Recipient) => void

/** Gives a stream of which nothing was posted yet another recipient. */
export let redirectStream: (streamRef: StreamRef, recipient: Recipient) => void

/** The handle of a connection, returned by `open`. Every operation on it is a function of this package. */
export class ConnPid implements Monitorable, AsyncDisposable {
  /** @internal Exists for the type checker alone; there is no such property at run time. */
  declare readonly [handle]: 'ConnPid'
  /** An own property, so that two handles differ under deep equality. */
  private readonly conn: number | string
  readonly #life: Life

  /** @internal `id` is that of the connection of another node for which the handle stands. */
  constructor(life: Life, id?: string) {
    this.conn = id ?? ++lastConn
    this.#life = life
  }

  static {
    connNumberOf = ({ conn }) => conn as number
    lifeOf = connPid => {
      if (typeof connPid !== 'object' || connPid === null || !(#life in connPid)) {
        throw new TypeError('connPid must be a handle that open returned')
      }
      return connPid.#life
    }
  }

  /** `#Conn<3>`, whose number is unique within this program; `#Conn<3@main.1>` for a connection of the node `main.1`. */
  get id(): string {
    return typeof this.conn === 'string' ? this.conn : `#Conn<${this.conn}>`
  }

  /** The name of the node on which the connection is: this program's; `'nonode@nohost'` if it is none. Source: `erlang:node/1`. */
  get node(): string {
    return this.#life.node || (homeOf()?.name ?? NO_NODE)
  }

  /** The process or actor that owns the connection now. `info` returns it with the type of its messages. */
  get owner(): Pid<never> {
    return this.#life.owner
  }

  /** Lets a process monitor the connection or link to it. */
  [onExit](listener: (reason: ExitReason) => void, order?: WatchOrder): (() => void) | undefined {
    return this.#life.watch(listener, order)
  }

  /**
   * Shuts the connection down on an exit signal. The reason `'kill'` closes it at once, unless the signal
   * came through a link; `'normal'` is ignored.
   */
  [exitSignal](from: unknown, reason: ExitReason, route: ExitRoute): void {
    if (this.#life.signal !== undefined) return this.#life.signal(from, reason, route)
    if (reason === 'normal') return
    if (reason === 'kill' && route === 'exit') this.#life.close()
    else this.#life.shutdown()
  }

  /** @internal */
  [linked](process: object, isTied: boolean): void {
    this.#life.linked?.(process, isTied)
  }

  /** Shuts the connection down gracefully and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    const life = this.#life
    await new Promise<void>(resolve => {
      if (life.watch(() => resolve()) === undefined) resolve()
      else life.shutdown()
    })
  }

  /** Returns `id`. */
  toString(): string {
    return this.id
  }

  /** Returns `id`. */
  toJSON(): string {
    return this.id
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}

compareByIdentity(ConnPid)

/**
 * The handle of a stream. It is opaque, and belongs to the same connection and replies to the same recipient
 * for good.
 */
export class StreamRef {
  /** @internal Exists for the type checker alone; there is no such property at run time. */
  declare readonly [handle]: 'StreamRef'
  /** An own property, so that two handles differ under deep equality. */
  private readonly stream: number | string
  #connPid: ConnPid
  #recipient: Recipient
  readonly #sendMark: number | undefined
  readonly #tunnel: StreamRef | undefined
  readonly #asksForTunnel: boolean
  #layer: object | undefined
  #isCancelled = false

  /** @internal `id` is that of the stream of another node for which the handle stands. */
  constructor(
    connPid: ConnPid,
    replyTo: Recipient,
    sendMark?: number,
    tunnel?: StreamRef,
    asksForTunnel = false,
    id?: string,
  ) {
    this.stream = id ?? ++lastStream
    this.#connPid = connPid
    this.#recipient = replyTo
    this.#sendMark = sendMark
    this.#tunnel = tunnel
    this.#asksForTunnel = asksForTunnel
  }

  static {
    streamNumberOf = ({ stream }) => stream as number
    isMadeHere = ({ stream }) => typeof stream === 'number'
    connPidOf = streamRef => streamRef.#connPid
    recipientOf = streamRef => streamRef.#recipient
    sendMarkOf = streamRef => streamRef.#sendMark
    innerOf = streamRef => streamRef.#layer
    tunnelOf = streamRef => streamRef.#tunnel
    asksForTunnel = streamRef => streamRef.#asksForTunnel
    setLayer = (streamRef, layer) => {
      streamRef.#layer = layer
    }
    noteCancelled = streamRef => {
      streamRef.#isCancelled = true
    }
    wasCancelled = streamRef => streamRef.#isCancelled
    bindStream = (streamRef, connPid, recipient) => {
      streamRef.#connPid = connPid
      streamRef.#recipient ??= recipient
    }
    redirectStream = (streamRef, recipient) => {
      streamRef.#recipient = recipient
    }
  }

  /** `#Stream<7>`, whose number is unique within this program; `#Stream<7@main.1>` for one that was made on the node `main.1`. */
  get id(): string {
    return typeof this.stream === 'string' ? this.stream : `#Stream<${this.stream}>`
  }

  /** Returns `id`. */
  toString(): string {
    return this.id
  }

  /** Returns `id`. */
  toJSON(): string {
    return this.id
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}

compareByIdentity(StreamRef)
