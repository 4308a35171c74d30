/** A connection as the public functions reach it, on this node or on another one. */

import { GunError } from '../errors.js'
import { type ConnPid, type Life, lifeOf, type StreamRef } from '../handles.js'
import type { Command } from '../layer/commands.js'
import type { Owner } from '../messages.js'
import type { Opts } from '../options/options.js'
import { Connection } from './connection.js'

export interface Callee extends Life {
  readonly owner: Owner
  readonly opts: Pick<Opts, 'wsOpts'>
  readonly commands: {
    /** Carries out a command now, later or never, and answers whether the caller may go on. */
    perform(command: Command): boolean
    cancel(streamRef: StreamRef): void
  }
  /** Whether the stream may still post something, as far as this node knows. */
  isOpen(streamRef: StreamRef): boolean
  /** Cancels the stream if it is open. */
  giveUp(streamRef: StreamRef): void
  setOwner(owner: Owner): void
}

/** Returns the connection behind a handle. Throws a TypeError that names the argument. */
export const calleeOf = lifeOf as (connPid: ConnPid) => Callee

/** Returns a connection of this node. Throws a GunError `badstate` that names the function to `use` for one of another node. */
export function connectionHere(connPid: ConnPid, use: string): Connection {
  const life: unknown = lifeOf(connPid)
  if (life instanceof Connection) return life
  const text = `${connPid} is on another node, and cannot answer at once: use await ${use}`
  throw new GunError('badstate', 'badstate', text)
}
