/** A connection as the child of a supervisor, which starts it anew when it ends. */

import { whereis } from '@holster/process'
import { connectionOf } from './connection/connection.js'
import { GunError } from './errors.js'
import { open } from './functions.js'
import type { ConnPid } from './handles.js'
import type { GunMessage, GunStarted, Owner } from './messages.js'
import type { ChildSpecOf, ChildSpecOpts } from './options/child-spec.js'
import { authorityOf } from './options/host.js'
import { connOptsIn } from './options/pool-checks.js'
import { destinationOf } from './transport/contract.js'

/** How long an orderly end may take unless the caller says otherwise, in milliseconds. Source: child_spec() of supervisor. */
const SHUTDOWN = 5000

/**
 * Returns a child spec for a supervisor of @holster/otp. Each start opens a connection that is not made again by itself
 * (`retry: 0`) and is linked to the supervisor, which starts another one when that ends. At each start the owner gets a
 * `gun_started` with the new connection, before any other message of the connection.
 *
 * `opts.owner` is required: a process or an actor; or the name of one, which is looked up at each start, so that the owner may be
 * a sibling that was started anew as well. A start throws a GunError `badstate` where no process has the name. Throws a TypeError
 * or RangeError for a wrong host or port, and a GunError `bad_option` for a wrong option.
 *
 * ```ts
 * const spec = gun.childSpec('example.org', 443, { owner: 'consumer' })
 * ```
 *
 * @param opts The options, the owner among them.
 */
export function childSpec(host: string, port: number, opts: ChildSpecOpts): ChildSpecOf<ConnPid> {
  const destination = destinationOf({ host, port })
  const rest = connOptsIn(opts)
  const authority = destination.path ?? authorityOf(destination, 'tcp')
  const { owner, shutdown = SHUTDOWN, id = `gun:${authority}` } = opts
  return {
    id,
    start(parent) {
      const to = typeof owner === 'string' ? named(owner) : owner
      const connPid = open(host, port, { ...rest, owner: to, retry: 0 })
      parent.link(connPid)
      const started: GunStarted = { type: 'gun_started', id, connPid }
      // The owner of a supervised connection expects this message beside those of every connection.
      connectionOf(connPid).tellOwner(started as unknown as GunMessage)
      return connPid
    },
    restart: 'permanent',
    shutdown,
    type: 'worker',
  }
}

function named(name: string): Owner {
  const owner = whereis<never>(name)
  if (owner !== undefined) return owner as Owner
  const text = `no process is registered as '${name}', the owner of the connection: start it first`
  throw new GunError('badstate', 'badstate', text)
}
