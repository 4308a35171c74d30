/** Makes events of the machine of what the connection's own layer tells, and judges whether the connection was of use. */

import type { Socket } from 'node:net'
import type { GunError } from '../errors.js'
import type { ConnectedState } from '../layer/contract.js'
import type { LayerUser } from '../layer/layer.js'
import type { Steps } from '../layer/steps.js'
import { type Opts, RETRY_DEFAULTS } from '../options/options.js'
import type { ConnectionEvent, Step } from './events.js'

/** The connection, as far as reports of its layer need it. */
export interface LayerReportsHome {
  readonly opts: Opts
  readonly steps: Pick<Steps<Step>, 'add'>
  readonly socket: Socket | undefined
  readonly stateName: string
  /** Gives the machine an event at once, within the step under way. */
  send(event: ConnectionEvent): void
}

export class LayerReports implements LayerUser {
  readonly #home: LayerReportsHome
  /** When the connection came up last, as `performance.now` says. */
  #upSince = 0
  /** Whether the peer has sent something of use since then. */
  #hasHeard = false

  constructor(home: LayerReportsHome) {
    this.#home = home
  }

  /** The connection is up, and has not been of use yet. */
  begin(): void {
    this.#upSince = performance.now()
    this.#hasHeard = false
  }

  onLost(reason: GunError | 'normal'): void {
    const { opts, steps } = this.#home
    const { retryTimeout = RETRY_DEFAULTS.retryTimeout } = opts
    const isFruitless = !this.#hasHeard && performance.now() - this.#upSince < retryTimeout
    steps.add({ type: 'lost', reason, isFruitless })
  }

  onClosing(timeout: number, isFinal: boolean): void {
    this.#home.steps.add({ type: 'closing', timeout, isFinal })
  }

  onRetired(): void {
    this.#home.steps.add({ type: 'retired' })
  }

  /** Tells the machine at once, so that whoever hears of the new protocol sees its state; no caller can come between. */
  onState(state: ConnectedState): void {
    const { socket, stateName } = this.#home
    if (state === stateName) return
    if (state !== 'connected') this.#home.send({ type: state })
    else if (socket !== undefined) this.#home.send({ type: 'connected', socket, protocol: undefined })
  }

  onHeard(): void {
    this.#hasHeard = true
  }
}
