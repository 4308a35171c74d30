/** A line is the way to one peer for as long as its channel lasts: one session after the other, each beginning where the last one broke. */

import type { Channel, Parcel, Receiver } from '../carrier.js'
import { readHello } from './hello.js'
import { bufferOf, makeWords, readWords, Type } from './packet.js'
import { Session, type SessionFacts, type SessionHost } from './session.js'
import type { SessionEnd, SessionOptions } from './terms.js'

/** The node of a line, which is told of more than its sessions tell. */
export interface LineHost extends SessionHost {
  /** The peer refuses sessions, or is refused: the line says nothing more but that. */
  onRefused(label: string, reason: string): void
  /** The channel of the line has ended. */
  onLineOver(line: Line): void
}

/** The sessions of one channel. */
export class Line implements Receiver, SessionHost {
  private readonly channel: Channel
  private readonly options: SessionOptions
  private readonly host: LineHost
  private session: Session
  private isOpen = true
  /** Why no session can succeed, as one of the sides has said. */
  private refusal: string | undefined

  constructor(channel: Channel, options: SessionOptions, host: LineHost) {
    this.channel = channel
    this.options = options
    this.host = host
    this.session = new Session(channel, options, this)
  }

  /** Describes the session that is up now, if one is. */
  get facts(): SessionFacts | undefined {
    return this.session.facts
  }

  /** Begins the first session. */
  begin(): void {
    this.session.greet()
  }

  get identity() {
    return this.host.identity
  }

  onParcel(parcel: Parcel): void {
    if (this.refusal !== undefined) return this.refuseAgain(parcel, this.refusal)
    if (this.session.state === 'over' && this.comesAgain(parcel)) this.session = this.next()
    if (!this.session.take(parcel)) this.session.take(parcel)
  }

  onClosed(reason: string): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.session.cut(reason)
    this.host.onLineOver(this)
  }

  tick(): void {
    this.session.tick()
  }

  forgive(): void {
    this.session.forgive()
  }

  /** Ends the session, and then the channel, from this side. */
  close(reason: string): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.session.goodbye(reason)
    this.channel.close()
    this.host.onLineOver(this)
  }

  // The sessions tell:

  accept(peer: Parameters<SessionHost['accept']>[0]): string | undefined {
    return this.host.accept(peer)
  }

  onUp(session: Session): void {
    this.host.onUp(session)
  }

  onSignals(session: Session, bytes: Uint8Array, moved: readonly ArrayBuffer[]): void {
    this.host.onSignals(session, bytes, moved)
  }

  onCongested(session: Session, isCongested: boolean): void {
    this.host.onCongested(session, isCongested)
  }

  onOver(session: Session, end: SessionEnd, wasUp: boolean): void {
    // Links and monitors hear of the end before a new session can begin.
    this.host.onOver(session, end, wasUp)
    if (!this.isOpen) return
    if (end.isRefused) {
      this.refusal = end.reason
      this.host.onRefused(session.peerName ?? this.channel.label, end.reason)
    } else if (!end.isGoodbye) {
      this.session = this.next()
      this.session.greet()
    }
  }

  /** Whether the peer, which had left, says hello for another session: one of the last session was under way before its end. */
  private comesAgain({ bytes }: Parcel): boolean {
    if (bytes[0] !== Type.hello) return false
    const { peer } = this.session
    return peer === undefined || readHello(readWords(bufferOf(bytes)))?.session !== peer.session
  }

  /** Answers a hello with the refusal: whoever still greets has not heard of it. */
  private refuseAgain({ bytes }: Parcel, reason: string): void {
    if (bytes[0] !== Type.hello) return
    const hello = readHello(readWords(bufferOf(bytes)))
    if (hello === undefined) return
    this.channel.send({ bytes: makeWords(Type.refuse, { to: hello.session, reason }), moved: [] })
  }

  private next(): Session {
    return new Session(this.channel, this.options, this)
  }
}
