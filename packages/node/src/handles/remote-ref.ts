/** References of other nodes: equal to nothing but themselves, and through an alias messages reach the process that made it. */

import { type Pid, Ref } from '@holster/process'
import type { Remote } from '@holster/process/internal'

/** A reference that was made on another node. */
export class RemoteRef extends Ref {
  readonly #id: string

  /** @internal */
  constructor(id: string) {
    super()
    this.#id = id
  }

  /** `#Ref<12@worker.1>`. */
  override get id(): string {
    return this.#id
  }
}

/** A handle whose kind nothing here knows, as its package was not imported. It can be kept and handed on. */
export class OpaqueHandle extends RemoteRef {}

/** An alias that was made on another node, such as the return address of a call. */
export class RemoteAlias extends RemoteRef implements Pid<unknown> {
  readonly #remote: Remote | undefined

  /** @internal */
  constructor(id: string, remote: Remote | undefined) {
    super(id)
    this.#remote = remote
  }

  /** Sends a message to the process that made the alias, which drops it if the alias is not active any more. */
  send(message: unknown): void {
    this.#remote?.send(message)
  }
}
