// Two lines, joined by a wire that the test holds in its hands: what is on the way is delivered, lost or cut as it says.

import type { Channel, Parcel } from '../../src/carrier.ts'
import { type Identity, newIdentity } from '../../src/identity.ts'
import { Line, type LineHost } from '../../src/session/line.ts'
import type { Session } from '../../src/session/session.ts'
import type { SessionEnd } from '../../src/session/terms.ts'

export interface SideOptions {
  readonly cookie?: string
  readonly tickTime?: number
  readonly window?: number
  readonly maxBytes?: number
}

/** A side of the wire: a line, and all that it has told its node. */
export class Side implements LineHost {
  readonly identity: Identity
  readonly line: Line
  /** The packets on their way to the other side. */
  readonly wire: Parcel[] = []
  /** All that was told, in order: `up`, the signals, and `down` with its reason. */
  readonly story: string[] = []
  readonly refusals: string[] = []
  /** By which names the other side was refused, or has refused. */
  readonly refused: string[] = []
  session: Session | undefined
  readonly #options: { cookie: string; tickTime: number; window: number }
  isCongested = false
  refuse: string | undefined

  constructor(
    name: string,
    { cookie = 'a cookie for tests', tickTime = 60_000, window = 1024 * 1024, maxBytes = 1000 }: SideOptions,
  ) {
    this.identity = newIdentity(name)
    const channel: Channel = {
      label: `the peer of ${name}`,
      maxBytes,
      movesBuffers: false,
      send: parcel => void this.wire.push(parcel),
      close: () => {},
    }
    this.#options = { cookie, tickTime, window }
    this.line = new Line(channel, this.#options, this)
  }

  /** Ticks as if nothing had come for longer than the tick time. */
  hearNothing(): void {
    const { tickTime } = this.#options
    this.#options.tickTime = -1
    this.line.tick()
    this.#options.tickTime = tickTime
  }

  write(text: string): void {
    this.session?.write(Buffer.from(`${text};`))
  }

  accept(): string | undefined {
    return this.refuse
  }

  onUp(session: Session): void {
    this.session = session
    this.story.push('up')
  }

  onSignals(_session: Session, bytes: Uint8Array): void {
    this.story.push(...Buffer.from(bytes).toString().split(';').slice(0, -1))
  }

  onCongested(_session: Session, isCongested: boolean): void {
    this.isCongested = isCongested
  }

  onOver(session: Session, { reason }: SessionEnd, wasUp: boolean): void {
    if (session === this.session) this.session = undefined
    if (wasUp) this.story.push(`down: ${reason}`)
  }

  onRefused(label: string, reason: string): void {
    this.refused.push(label)
    this.refusals.push(reason)
  }

  onLineOver(): void {}
}

/** Both sides, and the ways between them. */
export class TwoLines {
  readonly one: Side
  readonly two: Side

  constructor(options: SideOptions = {}, other: SideOptions = options) {
    this.one = new Side('one', options)
    this.two = new Side('two', other)
  }

  begin(): void {
    this.one.line.begin()
    this.two.line.begin()
  }

  /** Delivers the oldest packet from `side`, and says whether there was one. */
  deliver(side: Side): boolean {
    const parcel = side.wire.shift()
    if (parcel === undefined) return false
    const other = side === this.one ? this.two : this.one
    other.line.onParcel(parcel)
    return true
  }

  /** Loses the oldest packet from `side`. */
  lose(side: Side): boolean {
    return side.wire.shift() !== undefined
  }

  /** Delivers everything, also what that brings about. */
  settle(): void {
    for (let left = 10_000; this.deliver(this.one) || this.deliver(this.two); left--) {
      if (left === 0) throw new Error('the two lines never come to rest')
    }
  }
}
