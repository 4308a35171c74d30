/** The connections of a pool: as many as are wanted, each made anew when it ends, and fewer or more as there is to do. */

import type { ExitReason } from '@holster/process'
import { reportThrown } from '@holster/process/internal'
import { GunError, messageOf } from '../errors.js'
import { open } from '../functions.js'
import type { ConnPid, StreamRef } from '../handles.js'
import type { PoolSettings } from '../options/pool.js'
import { Deadline } from '../transport/deadline.js'
import type { Checkout } from './checkout.js'
import { Member, type MemberHome } from './member.js'
import { errorIn, Place } from './place.js'
import type { PoolPid } from './process.js'
import { Ranking } from './ranking.js'
import type { Census } from './states.js'

/** The part of a connection's lifetime that chance takes off, so that not all are made anew at once. */
const SPREAD = 0.1

/** The pool, as far as its places need it. */
export interface PlacesHome {
  readonly pid: PoolPid
  readonly host: string
  readonly port: number
  readonly settings: PoolSettings
  /** Whether a caller waits for a connection. */
  readonly isAwaited: boolean
  /** Hears that a connection may have room again, or has more or less to do. */
  onChange(): void
  /** Hears that a connection has ended. */
  onFailure(): void
  /** Hears that the holder of a checkout has begun a stream. */
  onCheckedOutStream(checkout: Checkout, streamRef: StreamRef): void
}

export class Places implements MemberHome {
  readonly #home: PlacesHome
  readonly #places: Place[] = []
  /** All connections that live, also those that leave. */
  readonly members = new Map<ConnPid, Member>()
  readonly #ranking = new Ranking<Member>()
  /** The connections that take frames, and no requests. */
  #others: Member[] = []
  #nextOther = 0
  #up = 0
  /** The connection that was tried last. */
  #latest: Member | undefined
  lastError: GunError | undefined
  #isClosed = false

  constructor(home: PlacesHome) {
    this.#home = home
  }

  get pipelining(): number {
    return this.#home.settings.pipelining
  }

  /** The connection with least to do; `undefined`: none has room. */
  get first(): Member | undefined {
    return this.#ranking.first
  }

  get census(): Census {
    return { wanted: this.#places.length, up: this.#up, sizeMax: this.#home.settings.sizeMax }
  }

  /** The connection that was tried last, whether or not it has ended. */
  get latest(): Member | undefined {
    return this.#latest
  }

  /** Whether every place has failed, and none has come up since. */
  get allFail(): boolean {
    const fails = ({ failures, isHopeless, member }: Place) =>
      isHopeless || (failures > 0 && member?.phase !== 'up')
    return this.#places.length > 0 && this.#places.every(fails)
  }

  /** Whether no connection can ever be made. */
  get isHopeless(): boolean {
    return this.#places.length > 0 && this.#places.every(({ isHopeless }) => isHopeless)
  }

  /** Makes another connection, if the pool may have one. Throws if the options of the connection are wrong. */
  grow(): void {
    if (this.#isClosed || this.#places.length >= this.#home.settings.sizeMax) return
    const place = new Place(this.#home.settings, each => this.#reopen(each))
    this.#open(place)
    this.#places.push(place)
  }

  /** How many connections are being made, or will be after a pause. */
  get coming(): number {
    return this.#places.length - this.#up
  }

  /** Gives a connection that takes frames, another each time; `undefined` if there is none. */
  other(isWanted: (member: Member) => boolean): Member | undefined {
    for (let n = 0; n < this.#others.length; n++) {
      this.#nextOther = (this.#nextOther + 1) % this.#others.length
      const member = this.#others[this.#nextOther]
      if (member !== undefined && isWanted(member)) return member
    }
    return undefined
  }

  /** Looks at a connection anew, on which something has happened. */
  onSettled(member: Member): void {
    member.look()
    const { isReady, room } = member
    if (isReady !== member.isCounted) {
      member.isCounted = isReady
      this.#up += isReady ? 1 : -1
      if (!isReady && member.isDeparting) return this.#depart(member)
    }
    this.#ranking.place(member, room > 0 ? member.load : undefined)
    if (member.load === 0) this.#onIdle(member)
    if (!this.#isClosed) this.#home.onChange()
  }

  onCheckedOutStream(checkout: Checkout, streamRef: StreamRef): void {
    this.#home.onCheckedOutStream(checkout, streamRef)
  }

  /** Takes a connection into use that is set up. */
  up(member: Member, isForFrames: boolean): void {
    member.phase = 'up'
    member.upSince = performance.now()
    const { maxLifetime } = this.#home.settings
    if (Number.isFinite(maxLifetime)) {
      member.lifetime = new Deadline(maxLifetime * (1 - SPREAD * Math.random()), () =>
        this.#retire(member),
      ).unref()
    }
    if (isForFrames) this.#others.push(member)
    this.onSettled(member)
  }

  /** Takes note that a connection has ended. */
  lost(connPid: ConnPid, reason: ExitReason): void {
    const member = this.members.get(connPid)
    if (member === undefined) return
    this.#leave(member)
    this.members.delete(connPid)
    member.dispose()
    if (this.#isClosed) return
    const place = this.#placeOf(member)
    const error = place === undefined ? errorIn(reason) : place.lost(member, reason)
    if (error !== undefined) this.lastError = error
    this.#home.onFailure()
    if (place !== undefined && !place.isHopeless) this.#dropUnwanted(place)
    this.#home.onChange()
  }

  /** Drops an empty place if there are more than `sizeMin`, and no caller waits for a connection. */
  #dropUnwanted(place: Place): void {
    if (this.#home.isAwaited || this.#places.length <= this.#home.settings.sizeMin) return
    place.dispose()
    this.#places.splice(this.#places.indexOf(place), 1)
  }

  /** Ends all connections, in order or at once, and makes no more. */
  close(isAtOnce: boolean): void {
    this.#isClosed = true
    for (const place of this.#places.splice(0)) place.dispose()
    for (const member of [...this.members.values()]) {
      this.#leave(member)
      member.idle?.clear()
      member.lifetime?.clear()
      if (isAtOnce) {
        member.dispose()
        member.connection.close()
      } else member.shutdown()
    }
  }

  #placeOf(member: Member): Place | undefined {
    return this.#places.find(place => place.member === member)
  }

  #open(place: Place): void {
    const { host, port, settings, pid } = this.#home
    const connPid = open(host, port, { ...settings.connOpts, owner: pid, retry: 0 })
    const member = new Member(connPid, this)
    place.member = member
    this.#latest = member
    this.members.set(connPid, member)
    pid.monitor(connPid)
  }

  /**
   * Makes a connection again. The options were right once, but may be wrong by now, as they can depend on things like the
   * environment.
   */
  #reopen(place: Place): void {
    try {
      this.#open(place)
    } catch (cause) {
      reportThrown(this.#home.pid, cause)
      const text = `a connection of the pool could not be opened: ${messageOf(cause)}`
      this.lastError =
        cause instanceof GunError ? cause : new GunError('internal_error', 'options', text, { cause })
      place.isHopeless = true
      this.#home.onFailure()
    }
  }

  /** Takes a connection out of use. */
  #leave(member: Member): void {
    if (member.phase !== 'connecting' || member.isCounted) this.#ranking.place(member, undefined)
    if (member.isCounted) this.#up--
    member.isCounted = false
    this.#others = this.#others.filter(other => other !== member)
  }

  /** Has another connection take the place of one on which the peer lets nothing more begin, though streams go on there. */
  #depart(member: Member): void {
    const place = this.#placeOf(member)
    this.#leave(member)
    member.phase = 'leaving'
    if (place !== undefined && !this.#isClosed) {
      place.departed()
      this.#dropUnwanted(place)
    }
    this.#home.onChange()
  }

  /** Has a connection end with the last of its streams, and another take its place. */
  #retire(member: Member): void {
    if (this.#isClosed || member.phase !== 'up') return
    const place = this.#placeOf(member)
    this.#leave(member)
    member.phase = 'leaving'
    if (place !== undefined) {
      place.member = undefined
      place.refill()
    }
    this.onSettled(member)
  }

  #onIdle(member: Member): void {
    if (member.phase === 'leaving') {
      // A protocol without requests has a stream as long as it lasts.
      if (member.connection.protocol?.load !== undefined) member.shutdown()
      return
    }
    const { idleTimeout, sizeMin } = this.#home.settings
    if (!Number.isFinite(idleTimeout) || member.room === 0) return
    member.idleSince = performance.now()
    if (member.idle === undefined && this.#places.length > sizeMin) this.#watchIdle(member, idleTimeout)
  }

  /** Ends a connection beyond `sizeMin` once it has been idle long enough. */
  #watchIdle(member: Member, ms: number): void {
    member.idle = new Deadline(ms, () => {
      member.idle = undefined
      const { idleTimeout, sizeMin } = this.#home.settings
      if (this.#isClosed || member.phase !== 'up' || this.#places.length <= sizeMin) return
      const rest = idleTimeout - (performance.now() - member.idleSince)
      if (member.load > 0) return
      if (rest > 1 && member.idleSince > member.watchedSince) return this.#watchIdle(member, rest)
      this.#shrink(member)
    }).unref()
    member.watchedSince = member.idleSince
  }

  #shrink(member: Member): void {
    const at = this.#places.findIndex(place => place.member === member)
    if (at !== -1) this.#places.splice(at, 1)
    this.#leave(member)
    member.phase = 'leaving'
    this.onSettled(member)
  }
}
