/** Watches the owner of a connection, so that the connection ends with its owner. */

import type { ExitReason, MonitorTarget } from '@holster/process'
import { type Source, watch } from '@holster/process/internal'
import { attachTo } from '../layer/mail.js'
import type { Owner } from '../messages.js'

export class Ownership {
  readonly #source: Source
  readonly #onExit: (reason: ExitReason) => void
  #owner!: Owner
  /** Whether the owner was made for the connection, so that its mailbox may have no reader. */
  isUnattended: boolean
  #unwatch: (() => void) | undefined

  constructor(owner: Owner, isUnattended: boolean, source: Source, onExit: (reason: ExitReason) => void) {
    this.#source = source
    this.#onExit = onExit
    this.owner = owner
    this.isUnattended = isUnattended
  }

  get owner(): Owner {
    return this.#owner
  }

  set owner(owner: Owner) {
    this.#unwatch?.()
    this.#owner = owner
    this.isUnattended = false
    attachTo(this.#source, owner)
    const exited = (reason: ExitReason) => {
      if (this.#owner === owner) this.#onExit(reason)
    }
    this.#unwatch = watch(owner as MonitorTarget, exited, 'owner')
    // The owner has exited before, and the machine, which is still being made, takes no events yet.
    if (this.#unwatch === undefined) queueMicrotask(() => exited('noproc'))
  }

  /** Stops watching: the owner's exit means nothing any more. */
  dispose(): void {
    this.#unwatch?.()
  }
}
