/** One message in a mailbox, with its place among the others. */

import type { Placement } from './reference-index.js'
import type { Feed } from './source.js'

export class Envelope {
  /** Of a class without instances V8 forgets the shape at the next collection, and all code that was made for it. */
  static readonly kept = new Envelope(undefined, 0, 0, undefined, undefined)

  message: unknown
  /** How many bytes the source of the message said it holds. */
  readonly bytes: number
  /** Where it is counted what of its source waits; `undefined`: it has none. */
  readonly feed: Feed | undefined
  /** Counts up with each message sent to the mailbox. */
  readonly order: number
  previous: Envelope | undefined
  next: Envelope | undefined = undefined
  taken = false
  /** The first of the places at which the index, if it has come so far, lists this envelope. */
  placement: Placement | undefined = undefined

  constructor(
    message: unknown,
    bytes: number,
    order: number,
    previous: Envelope | undefined,
    feed: Feed | undefined,
  ) {
    this.message = message
    this.bytes = bytes
    this.feed = feed
    this.order = order
    this.previous = previous
  }
}
