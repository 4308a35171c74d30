/** Windows: how many bytes of DATA each side may still send (RFC 9113 section 5.2). */

import { LARGEST } from './codes.js'

/** When and how far a window is opened again. All sizes are in bytes. Source: the options of Gun's HTTP/2. */
export interface WindowRule {
  /** The size at the start. */
  readonly initial: number
  /** The window is opened again once no more than this is left of it. */
  readonly threshold: number
  /** How many bytes beyond `initial` it is opened then. */
  readonly margin: number
  /** The largest size. */
  readonly max: number
}

/** Counts what the peer may send. Bytes that were taken count again once they are consumed. */
export class ReceiveWindow {
  readonly #rule: WindowRule
  /** How many bytes the peer may still send. */
  left: number
  /** How many bytes have come and are not consumed yet. */
  #kept = 0

  constructor(rule: WindowRule, left: number = rule.initial) {
    this.#rule = rule
    this.left = left
  }

  /** Counts bytes that have come. Returns whether the peer was allowed to send them. */
  take(bytes: number): boolean {
    this.left -= bytes
    this.#kept += bytes
    return this.left >= 0
  }

  /** Counts bytes as consumed. Returns by how many bytes the window is to be opened, of which the peer has to be told; often 0. */
  consume(bytes: number): number {
    this.#kept -= bytes
    const { initial, threshold, margin, max } = this.#rule
    const granted = this.left + this.#kept
    if (granted > threshold || granted >= initial) return 0
    const increment = Math.min(initial + margin, max) - granted
    if (increment <= 0) return 0
    this.left += increment
    return increment
  }
}

/** Counts what we may send. A change of the peer's settings may make the count negative (RFC 9113 section 6.9.2). */
export class SendWindow {
  left: number

  constructor(left: number) {
    this.left = left
  }

  /** Opens the window, or closes it by a negative number. Returns whether it is no larger than a window may be. */
  open(bytes: number): boolean {
    this.left += bytes
    return this.left <= LARGEST
  }
}
