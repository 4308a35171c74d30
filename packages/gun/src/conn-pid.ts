/** The handle of a connection: opaque, printable, usable as a key, and never thenable. */

import {
  compareByIdentity,
  type ExitReason,
  type ExitRoute,
  exitSignal,
  type Monitorable,
  onExit,
  type WatchOrder,
} from '@holster/process'
import type { Connection } from './connection/connection.js'
import type { Owner } from './reply-to.js'

/** What tells handles apart. */
export declare const handle: unique symbol

let last = 0

/** The connection behind a handle. Throws a TypeError that names the argument. */
export let connectionOf: (connPid: ConnPid) => Connection

/** A connection. `open` gives one; everything is done with the functions of this package. */
export class ConnPid implements Monitorable, AsyncDisposable {
  /** @internal For the type checker, which would take one handle for another. There is no such property. */
  declare readonly [handle]: 'ConnPid'
  /** As `Ref.ref` of `@holster/process`. */
  private readonly conn: number = ++last
  readonly #connection: Connection

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection
  }

  static {
    connectionOf = connPid => {
      if (typeof connPid !== 'object' || connPid === null || !(#connection in connPid)) {
        throw new TypeError('connPid must be what open gave')
      }
      return connPid.#connection
    }
  }

  /** `#Conn<3>`; the number is unique within this program. */
  get id(): string {
    return `#Conn<${this.conn}>`
  }

  /** Who owns the connection now. */
  get owner(): Owner {
    return connectionOf(this).owner
  }

  /** Lets a process monitor the connection, or link to it. */
  [onExit](listener: (reason: ExitReason) => void, order?: WatchOrder): (() => void) | undefined {
    return connectionOf(this).watch(listener, order)
  }

  /** An exit signal shuts the connection down; `'kill'` closes it at once, unless it came through a link. */
  [exitSignal](_from: unknown, reason: ExitReason, route: ExitRoute): void {
    if (reason === 'normal') return
    if (reason === 'kill' && route === 'exit') connectionOf(this).close()
    else connectionOf(this).shutdown()
  }

  /** Shuts the connection down gracefully and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    const connection = connectionOf(this)
    await new Promise<void>(resolve => {
      if (connection.watch(() => resolve()) === undefined) resolve()
      else connection.shutdown()
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
