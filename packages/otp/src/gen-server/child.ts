/** A server is a child of a supervisor by a spec that says how it is started. */

import { checkObject } from '@holster/process/internal'
import type { ChildSpec } from '../child-spec.js'
import type { Server } from './server.js'
import { checkServer, checkStartOptions, type StartOptions, startLinked } from './start.js'

/** Options of `childSpec`, which throws a TypeError or RangeError that names a wrong one: those of the child, and those of its start. */
export interface ChildOptions extends Partial<Omit<ChildSpec, 'start' | 'type'>>, StartOptions {}

/** The arguments behind the server: `args` may be left out where `init` takes none. */
export type ChildArgs<Args> = undefined extends Args
  ? [args?: Args, options?: ChildOptions]
  : [args: Args, options?: ChildOptions]

/**
 * Makes the spec of a server for a supervisor, which links itself to each process that it starts. The default of `id` is the name under
 * which the server is registered, or the label of the server; there must be one of them. Throws a TypeError or RangeError that names a wrong
 * argument. Source: `child_spec/1` of Elixir's `GenServer`.
 */
export function childSpec<Args>(
  server: Server<Args, unknown, unknown, unknown>,
  ...[args, options = {}]: ChildArgs<Args>
): ChildSpec {
  checkServer(server)
  checkObject(options)
  const {
    id = options.name ?? server.label,
    restart,
    shutdown,
    significant,
    backoff,
    ...startOptions
  } = options
  checkStartOptions(startOptions)
  if (typeof id !== 'string' || id === '') {
    throw new TypeError('options.id must be given, as the server has neither a name nor a label')
  }
  return {
    id,
    start: parent => startLinked(parent, server, args, startOptions),
    type: 'worker',
    ...(restart === undefined ? {} : { restart }),
    ...(shutdown === undefined ? {} : { shutdown }),
    ...(significant === undefined ? {} : { significant }),
    ...(backoff === undefined ? {} : { backoff }),
  }
}
