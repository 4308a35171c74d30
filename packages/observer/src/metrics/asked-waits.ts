/** How long messages wait is measured for whoever reads the metrics, from the first reading until none has come for a while. */

import { clearTimeout, setTimeout } from 'node:timers'
import { type MessageWaitMeasure, type MessageWaits, measureMessageWaits } from '@holster/process'

/** How long in milliseconds nobody may read: longer than Prometheus keeps a reading for that of now. */
const PATIENCE = 6 * 60_000

/** The waits of all messages since somebody has begun to read them. */
export class AskedWaits {
  readonly #patience: number
  #measure: MessageWaitMeasure | undefined
  #timer: NodeJS.Timeout | undefined

  /** Makes one that measures until nobody has read for so many milliseconds. */
  constructor(patience = PATIENCE) {
    this.#patience = patience
  }

  /** Gives the waits since the first reading. */
  read(): MessageWaits {
    this.#measure ??= measureMessageWaits()
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.stop(), this.#patience).unref()
    return this.#measure.waits
  }

  /** Measures no more until the next reading. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#measure?.stop()
    this.#measure = undefined
  }
}
