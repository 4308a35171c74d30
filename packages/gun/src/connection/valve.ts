/** Pauses what a connection reads while a mailbox that it posts to is over its mark, on whatever layer there is. */

import type { Mark, Valve } from '@holster/process/internal'
import { type ConnPid, connPidOf, StreamRef } from '../handles.js'
import type { Layer } from '../layer/layer.js'

/** The connection, as far as its valve needs it. */
export interface ValveHome {
  readonly connPid: ConnPid
  readonly layer: Pick<Layer, 'pause' | 'resume' | 'isPausable' | 'overflow'> | undefined
}

export class ConnectionValve implements Valve {
  readonly #home: ValveHome
  /** Whether a mailbox is over its mark, so that a layer which comes up is paused from the start. */
  isPaused = false

  constructor(home: ValveHome) {
    this.#home = home
  }

  pause(): void {
    this.isPaused = true
    this.#home.layer?.pause()
  }

  resume(): void {
    this.isPaused = false
    this.#home.layer?.resume()
  }

  get whole(): ConnPid {
    return this.#home.connPid
  }

  get isPausable(): boolean {
    return this.#home.layer?.isPausable ?? true
  }

  overflow(mark: Mark): void {
    this.#home.layer?.overflow(mark)
  }

  carries(reference: object): boolean {
    const { connPid } = this.#home
    return reference === connPid || (reference instanceof StreamRef && connPidOf(reference) === connPid)
  }
}
