/**
 * A stopwatch measures how long some of the messages of one mailbox wait, and since when the oldest does. A sample of the messages is stamped
 * with the time of its coming: the first of each second, which stands for itself, as the first of a burst waits least; and of the others one
 * in so many, which stands for all of these.
 */

import { channel } from 'node:diagnostics_channel'
import { coarseClock } from '../host/coarse-clock.js'
import { nodesTime } from '../host/nodes-clock.js'
import type { Happening } from '../mailbox/happening.js'
import { type Listening, tally } from '../mailbox/listening.js'
import type { MessageQueue } from '../mailbox/message-queue.js'
import type { Envelope } from '../mailbox/reference-index.js'
import { Distribution } from './distribution.js'

/** A message in so many is stamped, at most and at least: fewer are where many stamped ones wait. */
const OFTEN = 64
const SELDOM = 4096
/** The most stamps of one mailbox. Where there were more, every second one is dropped. */
const MOST = 16

const NONE: readonly Stamp[] = []

/** The channel for those who want to know each wait that is measured. */
const measured = channel('holster:process:messageWait')

/** A message of which it is known when it came. */
class Stamp {
  /** Keeps an instance alive, as V8 forgets a class without any at a full collection, with the code made for it. */
  static readonly kept = new Stamp(undefined, 0, 0, 0)

  /** The message while it waits; `undefined` once it was taken: the stamp still tells how old those are that came behind it. */
  envelope: Envelope | undefined
  readonly order: number
  /** When the message came, by the clock of `performance.now`. */
  readonly at: number
  /** How many messages the stamp stands for. */
  messages: number

  constructor(envelope: Envelope | undefined, order: number, at: number, messages: number) {
    this.envelope = envelope
    this.order = order
    this.at = at
    this.messages = messages
  }
}

/** The stopwatch of one mailbox. */
export class Stopwatch implements Listening {
  // `private` rather than `#`: native private fields make an object slow to create.
  static readonly kept = new Stopwatch({}, new Distribution())

  /** The waits of the messages that were taken; `undefined`: none was yet. */
  waits: Distribution | undefined = undefined
  /** The waits of all mailboxes, which this one adds to. */
  readonly all: Distribution
  /** The process to which the mailbox belongs. */
  private readonly owner: object
  /** In the order of their coming; made with the first. */
  private stamps: Stamp[] | undefined = undefined
  /** How many of the stamps are of messages that wait. */
  private waiting = 0
  // Most messages are taken in order: then two comparisons of numbers say that no stamped one was.
  /** The queue, from the first stamp on. */
  private queue: MessageQueue | undefined = undefined
  /** The order of its oldest message when that was looked at last. */
  private head = -1
  /** The order of the oldest message that has a stamp and waits. */
  private next = Number.POSITIVE_INFINITY
  /** How many messages have come since the last one that stands for others, and at how many the next one is due. */
  private passed = 0
  private stride = OFTEN
  /** The seconds of the coarse clock in which the last one of the sample came, and the last one with a stamp. */
  private second = -1
  private stampedSecond = -1

  constructor(owner: object, all: Distribution) {
    this.owner = owner
    this.all = all
  }

  /**
   * Gives when the waiting message with that number in the order of coming has come, by the clock of `performance.now` and to the last stamp
   * before it; `undefined`: before anybody measured.
   */
  cameAt(order: number): number | undefined {
    return this.stamps?.findLast(stamp => stamp.order <= order)?.at
  }

  sent(): void {
    tally.sent()
  }

  queued(queue: MessageQueue): void {
    // Also where the first message of this second did not wait, so that none that waits is without a stamp of its second.
    const messages = this.represented(this.stampedSecond)
    if (messages > 0) this.stamp(queue, messages)
  }

  handed(): void {
    tally.handed()
    const messages = this.represented(this.second)
    if (messages === 0) return
    this.second = coarseClock.second
    this.note(0, messages)
  }

  received(): void {
    tally.received()
    if (this.waiting > 0) this.check()
  }

  tell({ event }: Happening): void {
    // Nobody has taken what was dropped.
    if (event === 'flush') this.takeStamps()
    else if (event === 'exit') {
      // A stamp holds its message, and that one those behind it.
      this.stamps = undefined
      this.queue = undefined
      this.waiting = 0
    }
  }

  /**
   * Gives how many messages the one stands for that has come, where the last one of the sample came in `second`; 0: it does not belong to the
   * sample.
   */
  private represented(second: number): number {
    if (second !== coarseClock.second) return 1
    if (++this.passed < this.stride) return 0
    const { passed } = this
    this.passed = 0
    return passed
  }

  private stamp(queue: MessageQueue, messages: number): void {
    const { first, last } = queue
    if (first === undefined || last === undefined) return
    this.queue = queue
    this.stamps ??= []
    this.forgetPassed(this.stamps, first.order)
    const more = this.stamps.length === MOST ? this.thin(this.stamps) : 0
    this.stamps.push(new Stamp(last, last.order, nodesTime(), messages + more))
    this.second = coarseClock.second
    this.stampedSecond = coarseClock.second
    this.waiting++
    this.lookAhead()
  }

  /** Notes the waits of the stamped messages that were taken. */
  private check(): void {
    const { head } = this
    this.head = this.queue?.first?.order ?? Number.POSITIVE_INFINITY
    // Where the oldest message stays, one behind it was taken, which may be any.
    if (this.head !== head && this.head <= this.next) return
    for (const stamp of this.takeStamps()) this.note(nodesTime() - stamp.at, stamp.messages)
    if (this.waiting === 0) this.stride = OFTEN
  }

  /** Gives the stamps of messages that do not wait any more, once. */
  private takeStamps(): Stamp[] {
    const taken = (this.stamps ?? NONE).filter(({ envelope }) => envelope?.taken === true)
    for (const stamp of taken) this.letGo(stamp)
    this.lookAhead()
    return taken
  }

  /** Looks which message is the oldest, and which of those with a stamp. */
  private lookAhead(): void {
    this.head = this.queue?.first?.order ?? Number.POSITIVE_INFINITY
    const next = this.stamps?.find(({ envelope }) => envelope !== undefined)
    this.next = next?.order ?? Number.POSITIVE_INFINITY
  }

  private letGo(stamp: Stamp): void {
    stamp.envelope = undefined
    this.waiting--
  }

  private note(wait: number, messages: number): void {
    this.waits ??= new Distribution()
    this.waits.note(wait, messages)
    this.all.note(wait, messages)
    if (measured.hasSubscribers) measured.publish({ pid: this.owner, wait, messages })
  }

  /** Forgets the stamps that are no help to know how old any message is, but for the nearest before the oldest one. */
  private forgetPassed(stamps: Stamp[], oldest: number): void {
    const needed = stamps.findLastIndex(stamp => stamp.order <= oldest)
    if (needed > 0) stamps.splice(0, needed)
  }

  /**
   * Drops every second stamp; the next one that waits stands for its messages too. Gives for how many the stamp that is about to be made
   * stands. Where most stamps wait, fewer messages are stamped from now on.
   */
  private thin(stamps: Stamp[]): number {
    if (this.waiting > MOST / 2) this.stride = Math.min(SELDOM, 2 * this.stride)
    let more = 0
    const kept: Stamp[] = []
    for (const [at, stamp] of stamps.entries()) {
      const isWaiting = stamp.envelope !== undefined
      if (at % 2 === 0) {
        kept.push(stamp)
        if (!isWaiting) continue
        stamp.messages += more
        more = 0
      } else if (isWaiting) {
        more += stamp.messages
        this.letGo(stamp)
      }
    }
    this.stamps = kept
    return more
  }
}
