/**
 * A session is one unbroken exchange between two nodes: each signal arrives once and in order, or the session ends and both sides know.
 *
 * | state    | event                           | next state | consequence                                               |
 * | -------- | ------------------------------- | ---------- | --------------------------------------------------------- |
 * | greeting | hello                           | proving    | send the proof                                            |
 * | greeting | hello of another version        | over       | refuse                                                    |
 * | proving  | proof                           | up         | tell the node                                             |
 * | proving  | wrong proof                     | over       | refuse                                                    |
 * | proving  | proof of another session        | proving    | none: the hello of that session was lost, and comes again |
 * | proving  | hello of another session        | proving    | send the proof anew: nothing was under way yet            |
 * | up       | data in order                   | up         | hand the signals on                                       |
 * | up       | data or beat with a gap         | over       | say bye, as signals are lost                              |
 * | up       | silence for `tickTime`          | over       | say bye, as signals may be lost                           |
 * | up       | hello of another session        | over       | the peer has begun anew: what was under way is lost       |
 * | any      | bye, refuse, end of the channel | over       | nothing more is sent                                      |
 *
 * A hello is repeated until the other side has answered it: the first may have come before anybody listened.
 */

import type { NodeLink } from '@holster/process/internal'
import type { Channel, Parcel } from '../carrier.js'
import { type Identity, isSame } from '../identity.js'
import { type Hello, isProven, makeHello, prove, readHello } from './hello.js'
import { Outbox, type OutboxHost } from './outbox.js'
import {
  bufferOf,
  HEADER,
  type Header,
  isAhead,
  MORE,
  makePacket,
  makeWords,
  readHeader,
  readWords,
  Type,
  VERSION,
} from './packet.js'
import type { SessionEnd, SessionOptions, SessionState } from './terms.js'
import { sizeOf, Traffic } from './traffic.js'

/** The facts about a session that is up, but for its carrier. */
export type SessionFacts = Omit<NodeLink, 'carrier'>

/** The node of a session, which is told what happens there. */
export interface SessionHost {
  readonly identity: Identity
  /** Whether a session with `peer` is wanted; a text says why not. */
  accept(peer: Identity): string | undefined
  onUp(session: Session): void
  /** Hands the signals of one packet on. Throws an Error if they are none. */
  onSignals(session: Session, bytes: Uint8Array, moved: readonly ArrayBuffer[]): void
  onCongested(session: Session, isCongested: boolean): void
  /** The session is over. `wasUp` says whether `onUp` was called. */
  onOver(session: Session, end: SessionEnd, wasUp: boolean): void
}

const NO_BUFFERS: readonly ArrayBuffer[] = []

/** A session, from its first hello to its end. */
export class Session implements OutboxHost {
  state: SessionState = 'greeting'
  /** The other side, once its hello has come. */
  peer: Hello | undefined = undefined
  /** The name of the other side, also if its hello is of another version or is refused. */
  peerName: string | undefined = undefined
  readonly window: number
  private readonly channel: Channel
  private readonly options: SessionOptions
  private readonly host: SessionHost
  private readonly hello: Hello
  private readonly outbox = new Outbox(this)
  /** The numbers of the last data packets that were sent and received. */
  private sent = 0
  private received = 0
  private readonly traffic = new Traffic()
  private since = 0
  /** The bytes of the packets that the other side does not know to have arrived. */
  private untold = 0
  /** The parts of a signal that is longer than a packet. */
  private parts: Uint8Array[] = []
  private heardAt = performance.now()

  constructor(channel: Channel, options: SessionOptions, host: SessionHost) {
    this.channel = channel
    this.options = options
    this.window = options.window
    this.host = host
    this.hello = makeHello(host.identity, options.window)
  }

  get most(): number {
    return this.channel.maxBytes - HEADER
  }

  get movesBuffers(): boolean {
    return this.channel.movesBuffers
  }

  /** Describes the session while it is up. */
  get facts(): SessionFacts | undefined {
    if (this.state !== 'up' || this.peer === undefined) return undefined
    const { since, window, outbox } = this
    const { bytesUnderWay: underWay, bytesWaiting: waiting } = outbox
    return { node: this.peer.name, since, ...this.traffic, underWay, waiting, window }
  }

  /** Sends the hello. */
  greet(): void {
    this.say(Type.hello, this.hello)
  }

  /** Sends a signal, if the session is up. */
  write(signal: Uint8Array, moved?: readonly ArrayBuffer[]): void {
    if (this.state === 'up') this.outbox.add(signal, moved)
  }

  /** Sends what waits now, and not at the end of the turn. */
  hurry(): void {
    this.outbox.flush()
  }

  /** To be called several times within `tickTime`: shows the other side that this one lives, and notices its silence. */
  tick(): void {
    if (this.state === 'over') return
    if (performance.now() - this.heardAt > this.options.tickTime) {
      // A node that has not said hello yet may still come.
      if (this.state !== 'greeting') return this.end('silent')
      this.heardAt = performance.now()
    }
    if (this.state === 'up') this.beat()
    else this.greet()
  }

  /** Takes note that this program was busy for long, so that a silence says nothing about the other side. */
  forgive(): void {
    this.heardAt = performance.now()
  }

  /** Takes what has come. Gives `false` if it is the hello of another session: this one is over, and a new one is to take it. */
  take({ bytes, moved }: Parcel): boolean {
    if (this.state === 'over') return true
    const packet = bufferOf(bytes)
    switch (packet[0]) {
      case Type.hello:
        return this.takeHello(readHello(readWords(packet)))
      case Type.proof:
        this.takeProof(readWords(packet))
        return true
      case Type.data:
      case Type.beat:
        this.takeNumbered(packet, moved)
        return true
      case Type.bye:
        this.takeBye(readWords(packet))
        return true
      case Type.refuse:
        this.takeRefusal(readWords(packet))
        return true
      default:
        return true
    }
  }

  /** Ends the session from this side. What waits is sent before, as far as the window goes. */
  goodbye(reason: string): void {
    this.outbox.flush()
    this.end(reason, true)
  }

  /** Ends the session, as the channel is gone. */
  cut(reason: string): void {
    this.over({ reason, isRefused: false, isGoodbye: false })
  }

  /** Ends the session and tells the other side why. */
  end(reason: string, isGoodbye = false): void {
    if (this.state === 'over') return
    this.say(Type.bye, { to: this.peer?.session, reason, isGoodbye })
    this.over({ reason, isRefused: false, isGoodbye })
  }

  sendData(flags: number, parts: readonly Uint8Array[], length: number, moved: readonly ArrayBuffer[]): void {
    this.sent = (this.sent + 1) >>> 0
    this.traffic.addSent(sizeOf(HEADER + length, moved))
    const packet = this.packet(Type.data, flags, length)
    let at = HEADER
    for (const part of parts) {
      packet.set(part, at)
      at += part.length
    }
    this.channel.send({ bytes: packet, moved })
  }

  onCongested(isCongested: boolean): void {
    this.host.onCongested(this, isCongested)
  }

  private beat(): void {
    this.channel.send({ bytes: this.packet(Type.beat, 0, 0), moved: NO_BUFFERS })
  }

  private packet(type: number, flags: number, length: number): Buffer {
    this.untold = 0
    const session = this.peer?.session ?? 0
    return makePacket({ type, flags, session, number: this.sent, received: this.received }, length)
  }

  private takeHello(hello: Hello | undefined): boolean {
    if (hello === undefined) return true
    this.peerName = hello.name
    if (hello.version !== VERSION) {
      const [theirs, ours] = [hello, this.hello].map(
        ({ name, version }) => `'${name}' speaks version ${version}`,
      )
      this.refuse(`${theirs} of the protocol, and ${ours}`, hello)
      return true
    }
    if (this.peer?.session === hello.session && isSame(this.peer, hello)) {
      // The answer to an earlier hello was lost.
      if (!hello.isAnswer) this.answer(hello)
      return true
    }
    if (this.state === 'up') {
      this.cut('restarted')
      return false
    }
    const why = this.host.accept(hello)
    if (why !== undefined) {
      this.refuse(why, hello)
      return true
    }
    this.heard()
    this.peer = hello
    this.state = 'proving'
    this.answer(hello)
    return true
  }

  private answer(hello: Hello): void {
    if (!hello.isAnswer) this.say(Type.hello, { ...this.hello, isAnswer: true })
    const proof = prove(this.options.cookie, this.hello, hello)
    this.say(Type.proof, { to: hello.session, from: this.hello.session, proof })
  }

  private takeProof(words: Words): void {
    if (this.state !== 'proving' || this.peer === undefined || words?.to !== this.hello.session) return
    // The hello of that session was lost, and comes again: a proof that does not fit an earlier hello says nothing of the cookie.
    if (words.from !== this.peer.session) return
    if (!isProven(this.options.cookie, this.hello, this.peer, words.proof)) {
      return this.refuse(`'${this.peer.name}' and '${this.hello.name}' have different cookies`, this.peer)
    }
    this.heard()
    this.state = 'up'
    this.since = Date.now()
    this.host.onUp(this)
  }

  private takeNumbered(packet: Buffer, moved: readonly ArrayBuffer[]): void {
    const header = readHeader(packet)
    if (header === undefined || header.session !== this.hello.session) return
    // The proof that came before was lost.
    if (this.state !== 'up') return
    this.heard()
    this.takeReceived(header)
    // Nothing is handed on behind the end of a session.
    if (this.state !== 'up') return
    if (header.type === Type.beat) {
      if (header.number !== this.received) this.end('gap')
      return
    }
    if (header.number !== (this.received + 1) >>> 0) return this.end('gap')
    this.received = header.number
    this.takeData(header, packet, moved)
  }

  private takeReceived({ received }: Header): void {
    const before = (this.sent - this.outbox.packetsUnderWay) >>> 0
    if (isAhead(received, this.sent)) return this.end('gap')
    if (isAhead(received, before)) this.outbox.received((received - before) >>> 0)
  }

  private takeData({ flags }: Header, packet: Buffer, moved: readonly ArrayBuffer[]): void {
    const size = sizeOf(packet.length, moved)
    this.traffic.addReceived(size)
    this.untold += size
    const bytes = packet.subarray(HEADER)
    if ((flags & MORE) !== 0) {
      this.parts.push(bytes)
    } else if (this.parts.length > 0) {
      const whole = Buffer.concat([...this.parts, bytes])
      this.parts = []
      this.host.onSignals(this, whole, moved)
    } else {
      this.host.onSignals(this, bytes, moved)
    }
    if (this.state === 'up' && this.untold > this.smallerWindow / 4) this.beat()
  }

  /** The window of the side that has the smaller one: a sender that waits for room must not have to wait for a tick. */
  private get smallerWindow(): number {
    const { window } = this.options
    return Math.min(window, this.peer?.window ?? window)
  }

  private takeBye(words: Words): void {
    if (words?.to !== this.hello.session) return
    this.over({ reason: String(words.reason), isRefused: false, isGoodbye: words.isGoodbye === true })
  }

  private takeRefusal(words: Words): void {
    if (words?.to !== this.hello.session) return
    this.over({ reason: String(words.reason), isRefused: true, isGoodbye: false })
  }

  private refuse(reason: string, { session: to }: Hello): void {
    this.say(Type.refuse, { to, reason })
    this.over({ reason, isRefused: true, isGoodbye: false })
  }

  private say(type: number, words: object): void {
    this.channel.send({ bytes: makeWords(type, words), moved: NO_BUFFERS })
  }

  private heard(): void {
    this.heardAt = performance.now()
  }

  private over(end: SessionEnd): void {
    if (this.state === 'over') return
    const wasUp = this.state === 'up'
    this.state = 'over'
    this.host.onOver(this, end, wasUp)
    this.outbox.clear()
  }
}

type Words = Readonly<Record<string, unknown>> | undefined
