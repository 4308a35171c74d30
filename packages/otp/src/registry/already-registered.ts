/** A key of a registry with unique keys is taken. */

import { inspect } from 'node:util'
import type { Registrable } from '@holster/process'
import { makeErrorPortable } from '@holster/process/internal'

/**
 * Is thrown by `register` if the registry has unique keys and another process, or the same one, has the key. Source:
 * `{:error, {:already_registered, pid}}` of Elixir's `Registry.register/3`.
 */
export class AlreadyRegistered extends Error {
  /** `'AlreadyRegistered'`. */
  override readonly name = 'AlreadyRegistered'
  /** The key that is taken. */
  readonly key: unknown
  /** The process that has it. */
  readonly pid: Registrable

  /** @internal */
  constructor(key: unknown, pid: Registrable) {
    super(`key ${inspect(key, { depth: 2 })} is taken by ${inspect(pid, { depth: 0 })}`)
    this.key = key
    this.pid = pid
  }
}

makeErrorPortable(AlreadyRegistered, 'AlreadyRegistered')
