/** The handles of a connection and of a stream: opaque, printable, usable as keys, and never thenable. */

import { compareByIdentity, type ExitReason, type Monitorable, type Pid } from '@holster/process'
import { type ExitRoute, exitSignal, onExit, type WatchOrder } from '@holster/process/internal'

/** The mark by which the type checker tells one kind of handle from another. */
export declare const handle: unique symbol

/** The connection behind a ConnPid, as far as the handle itself needs it. */
export interface Life {
  readonly owner: Pid<never>
  /** Calls the listener once the connection has ended. Gives how to take it back; `undefined` when the connection has ended. */
  watch(listener: (reason: ExitReason) => void, order?: WatchOrder): (() => void) | undefined
  shutdown(): void
  close(): void
}

/** A replyTo as a StreamRef holds it; `replyToOf` in `messages` knows which messages it takes. */
type Recipient = Pid<never> | ((message: never) => void)

let lastConn = 0
let lastStream = 0

/** The connection behind a handle. Throws a TypeError that names the argument. */
export let lifeOf: (connPid: ConnPid) => Life

/** The connection that a stream belongs to. */
export let connPidOf: (streamRef: StreamRef) => ConnPid

/** Whom the stream replies to. */
export let recipientOf: (streamRef: StreamRef) => Recipient

/** How many bytes of a request's body may wait to be sent before `data` gives `false`; `undefined`: any number. */
export let sendMarkOf: (streamRef: StreamRef) => number | undefined

/** Remembers that the caller has cancelled a stream that was open. */
export let noteCancelled: (streamRef: StreamRef) => void

/** Whether the stream was cancelled while it was open. */
export let wasCancelled: (streamRef: StreamRef) => boolean

/** A connection. `open` gives one; everything is done with the functions of this package. */
export class ConnPid implements Monitorable, AsyncDisposable {
  /** @internal For the type checker, which would take one handle for another. There is no such property. */
  declare readonly [handle]: 'ConnPid'
  /** An own property, so that two handles differ under deep equality. */
  private readonly conn: number = ++lastConn
  readonly #life: Life

  /** @internal */
  constructor(life: Life) {
    this.#life = life
  }

  static {
    lifeOf = connPid => {
      if (typeof connPid !== 'object' || connPid === null || !(#life in connPid)) {
        throw new TypeError('connPid must be what open gave')
      }
      return connPid.#life
    }
  }

  /** `#Conn<3>`; the number is unique within this program. */
  get id(): string {
    return `#Conn<${this.conn}>`
  }

  /** The process or actor that owns the connection now; `info` gives it with the type of its messages. */
  get owner(): Pid<never> {
    return this.#life.owner
  }

  /** Lets a process monitor the connection, or link to it. */
  [onExit](listener: (reason: ExitReason) => void, order?: WatchOrder): (() => void) | undefined {
    return this.#life.watch(listener, order)
  }

  /** An exit signal shuts the connection down; `'kill'` closes it at once, unless it came through a link. */
  [exitSignal](_from: unknown, reason: ExitReason, route: ExitRoute): void {
    if (reason === 'normal') return
    if (reason === 'kill' && route === 'exit') this.#life.close()
    else this.#life.shutdown()
  }

  /** Shuts the connection down gracefully and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    const life = this.#life
    await new Promise<void>(resolve => {
      if (life.watch(() => resolve()) === undefined) resolve()
      else life.shutdown()
    })
  }

  /** As `id`. */
  toString(): string {
    return this.id
  }

  /** As `id`. */
  toJSON(): string {
    return this.id
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}

compareByIdentity(ConnPid)

/** A stream. Opaque; it remembers for good which connection it belongs to and to whom it replies. */
export class StreamRef {
  /** @internal For the type checker, which would take one handle for another. There is no such property. */
  declare readonly [handle]: 'StreamRef'
  /** An own property, so that two handles differ under deep equality. */
  private readonly stream: number = ++lastStream
  readonly #connPid: ConnPid
  readonly #recipient: Recipient
  readonly #sendMark: number | undefined
  #isCancelled = false

  /** @internal */
  constructor(connPid: ConnPid, replyTo: Recipient, sendMark?: number) {
    this.#connPid = connPid
    this.#recipient = replyTo
    this.#sendMark = sendMark
  }

  static {
    connPidOf = streamRef => streamRef.#connPid
    recipientOf = streamRef => streamRef.#recipient
    sendMarkOf = streamRef => streamRef.#sendMark
    noteCancelled = streamRef => {
      streamRef.#isCancelled = true
    }
    wasCancelled = streamRef => streamRef.#isCancelled
  }

  /** `#Stream<7>`; the number is unique within this program. */
  get id(): string {
    return `#Stream<${this.stream}>`
  }

  /** As `id`. */
  toString(): string {
    return this.id
  }

  /** As `id`. */
  toJSON(): string {
    return this.id
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}

compareByIdentity(StreamRef)
