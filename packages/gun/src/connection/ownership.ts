/** Watches the owner of a connection, so that the connection ends with its owner. */

import type { ExitReason, MonitorTarget } from '@holster/process'
import { nodesMicrotask, type Source, Watch, watchBy } from '@holster/process/internal'
import { attachTo } from '../layer/mail.js'
import type { Owner } from '../messages.js'

/** The connection, as far as its owner concerns it. */
export interface OwnershipHome {
  readonly source: Source
  /** The owner has exited. */
  onOwnerExit(reason: ExitReason): void
}

export class Ownership extends Watch {
  readonly #home: OwnershipHome
  #owner!: Owner
  /** Whether the owner was made for the connection, so that its mailbox may have no reader. */
  isUnattended = false
  /** How often the owner has changed. */
  changes = -1

  constructor(home: OwnershipHome) {
    super()
    this.#home = home
  }

  /** Gives the connection, which is made by now, its first owner. */
  begin(owner: Owner, isUnattended: boolean): void {
    this.owner = owner
    this.isUnattended = isUnattended
  }

  get owner(): Owner {
    return this.#owner
  }

  set owner(owner: Owner) {
    this.stop()
    this.unwatch = undefined
    this.#owner = owner
    this.changes++
    this.isUnattended = false
    attachTo(this.#home.source, owner)
    if (watchBy(this, owner as MonitorTarget, 'monitor')) return
    // The owner has exited before, and the machine, which is still being made, takes no events yet.
    nodesMicrotask(() => {
      if (this.#owner === owner) this.told('noproc')
    })
  }

  told(reason: ExitReason): void {
    this.#home.onOwnerExit(reason)
  }
}
