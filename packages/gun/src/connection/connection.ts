/** What the machine drives: the socket, the protocol on it, the owner, and the commands that wait. */

import type { Socket } from 'node:net'
import { type ExitReason, Process } from '@holster/process'
import {
  type Mark,
  reportExit,
  Source,
  type Valve,
  Watchers,
  type WatchOrder,
} from '@holster/process/internal'
import { Cookies } from '../cookies.js'
import { asKind, GunError, messageOf, overflowError } from '../errors.js'
import { Events } from '../events/events.js'
import { type Trace, traceOf } from '../events/trace.js'
import { ConnPid, connPidOf, lifeOf, noteCancelled, StreamRef } from '../handles.js'
import type { Host, Protocol, UpgradeCommand } from '../layer/contract.js'
import type { StreamInfo } from '../layer/info.js'
import { type GunMessage, type Owner, replyToOf } from '../messages.js'
import { authorityOf, type Origin } from '../options/host.js'
import { type Opts, protocolsOf, RETRY_DEFAULTS } from '../options/options.js'
import { spokenOver } from '../transport/alpn.js'
import { type Destination, originOf } from '../transport/contract.js'
import { Deadline } from '../transport/deadline.js'
import { Line, type LineUser } from '../transport/line.js'
import type { Outlet } from '../transport/outlet.js'
import { Share } from '../transport/slice.js'
import { delayAfter } from '../websocket/reupgrade.js'
import type { Headers, ProtocolName, WsFrame } from '../words.js'
import { Attempt } from './attempt.js'
import { Comeback } from './comeback.js'
import { type Ending, exitReasonOf, localEnd } from './ending.js'
import type { Machine } from './events.js'
import { attachTo, hasMailbox, post } from './mail.js'
import { Ownership } from './ownership.js'
import { type Command, Postponed } from './postponed.js'
import { startProtocol } from './protocols.js'

/** The connection behind a handle. Throws a TypeError that names the argument. */
export const connectionOf = lifeOf as (connPid: ConnPid) => Connection

/** Hands a command to the protocol; `false` if it cannot do such a thing. */
type Run = (protocol: Protocol) => boolean

export class Connection implements Host, LineUser, Valve {
  readonly connPid: ConnPid
  readonly destination: Destination
  readonly transport: 'tcp' | 'tls'
  readonly opts: Opts
  readonly trace: Trace | undefined
  readonly events: Events
  readonly cookies: Cookies | undefined
  /** What the other end is called. */
  readonly origin: Origin
  readonly authority: string
  readonly attempt: Attempt
  readonly comeback = new Comeback()
  readonly #machine: Machine
  readonly #source = new Source(this)
  readonly #watchers = new Watchers()
  readonly #postponed = new Postponed()
  /** Of functions, which are told a little later. */
  readonly #refusals: { readonly streamRef: StreamRef; readonly reason: GunError }[] = []
  readonly #ownership: Ownership
  #line: Line | undefined
  #protocol: Protocol | undefined
  /** Commands may go to the protocol: it is up and not closing. */
  #accepting = false
  #closing = false
  /** A mailbox is over its mark, so nothing is read. */
  #paused = false
  /** The protocol takes nothing for now. */
  #stopped = false
  readonly #share = new Share()
  /** Its share of this turn of the event loop is spent. */
  #isYielding = false
  #ending: Ending | undefined
  #ended = false
  /** Why the last attempt failed or the connection was lost; `undefined` when it ended in order. */
  lastError: GunError | undefined
  /** The owner was made for the connection, so that perhaps nobody reads its mailbox. */
  isUnattended = false
  /** It was up, on this socket or on one before it. */
  #hasBeenUp = false
  /** When the end that has begun takes too long. */
  #closingDeadline: Deadline | undefined
  /** When it came up last, as `performance.now` says. */
  #upSince = 0
  /** It has brought something since then, see `heard`. */
  #hasHeard = false
  /** The connection that was lost last had brought nothing, and had not lasted. */
  #isFruitless = false

  constructor(
    machine: Machine,
    destination: Destination,
    transport: 'tcp' | 'tls',
    opts: Opts,
    owner: Owner,
  ) {
    this.#machine = machine
    this.attempt = new Attempt(opts, event => machine.send(event))
    this.connPid = new ConnPid(this)
    this.trace = traceOf(this.connPid, opts.trace)
    this.events = new Events(this.connPid, opts.eventHandler, this.trace)
    this.cookies = opts.cookieStore && new Cookies(this.connPid, opts.cookieStore)
    this.destination = destination
    this.transport = transport
    this.opts = opts
    this.origin = originOf(destination, transport)
    this.authority = authorityOf(this.origin, transport)
    this.#ownership = new Ownership(owner, this.#source, reason => this.#end({ by: 'owner', reason }))
  }

  get owner(): Owner {
    return this.#ownership.owner
  }

  get socket(): Socket | undefined {
    return this.#line?.socket
  }

  get protocol(): Protocol | undefined {
    return this.#protocol
  }

  /** The machine's state. During one of its steps, when it still shows the last one, what is true already. */
  get stateName(): string {
    const { stateName } = this.#machine
    const isUp = stateName === 'closing' || stateName.startsWith('connected')
    if (this.#ended) return 'terminated'
    if (this.#protocol === undefined) return isUp ? 'not_connected' : stateName
    return isUp ? stateName : this.#protocol.stateName
  }

  /** Whether a connection that is lost will be made again, if there are retries left. */
  get reconnects(): boolean {
    return this.#ending === undefined
  }

  /** Whether the next attempt would fail as the last one did. A Unix socket that was there comes back with its server. */
  get isHopeless(): boolean {
    const error = this.lastError
    if (error?.isPermanent) return true
    return !this.#hasBeenUp && this.destination.path !== undefined && codeOf(error?.cause) === 'ENOENT'
  }

  get goesOn(): boolean {
    const { retry = RETRY_DEFAULTS.retry } = this.opts
    return this.reconnects && retry > 0
  }

  get scheme(): 'http' | 'https' {
    return this.transport === 'tls' ? 'https' : 'http'
  }

  /** What may be spoken, the preferred one first. */
  get protocols(): readonly ProtocolName[] {
    return protocolsOf(this.opts, this.transport)
  }

  get outlet(): Outlet {
    if (this.#line === undefined) throw new Error('there is no connection')
    return this.#line.outlet
  }

  watch(listener: (reason: ExitReason) => void, order?: WatchOrder): (() => void) | undefined {
    return this.#ended ? undefined : this.#watchers.add(listener, order)
  }

  // What the caller asks for.

  /** Runs a command now, later or never. `run` gives `false` where the protocol that is up then cannot do it. */
  perform(streamRef: StreamRef, what: string, run: Run): void {
    if (this.#ended) return this.refuse(streamRef, this.#hasEnded())
    attachTo(this.#source, replyToOf(streamRef))
    if (this.#accepting && this.#postponed.isEmpty) return this.#run(streamRef, what, run)
    const command = this.#command(streamRef, true, what, run)
    const { retry = RETRY_DEFAULTS.retry } = this.opts
    const isLeaving = this.#protocol !== undefined && !this.#accepting
    if (this.reconnects && !(isLeaving && retry === 0)) return this.#postponed.add(command)
    const text = 'the connection is closing and will not be made again'
    this.refuse(streamRef, new GunError('closing', 'stream_error', text))
  }

  /** As `perform`, for what belongs to a stream that was asked for before: it waits only if that stream does, and says so. */
  proceed(streamRef: StreamRef, what: string, run: Run): boolean {
    const waits = !this.#ended && this.#postponed.has(streamRef)
    if (waits) this.#postponed.add(this.#command(streamRef, false, what, run))
    else if (this.#protocol !== undefined) this.#run(streamRef, what, run)
    else if (this.#ended) this.refuse(streamRef, this.#hasEnded())
    else {
      const text = `${what} is not possible: the stream has ended`
      this.refuse(streamRef, new GunError('badstate', 'badstate', text))
    }
    return waits
  }

  wsSend(streamRef: StreamRef | undefined, frames: readonly WsFrame[]): boolean {
    const send = this.#protocol?.wsSend
    if (send !== undefined) return send.call(this.#protocol, streamRef, frames)
    const why = this.#ended ? 'it has ended' : `it is ${this.stateName}: wait for gun_upgrade before you send`
    const text = `${this.connPid} is no WebSocket, and ${why}; ${frames.length} frame(s) were not sent`
    const reason = new GunError('badstate', 'badstate', text, { frames })
    if (streamRef === undefined) this.tellOwner({ type: 'gun_error', connPid: this.connPid, reason })
    else this.refuse(streamRef, reason)
    return false
  }

  cancel(streamRef: StreamRef): void {
    if (this.isOpen(streamRef)) noteCancelled(streamRef)
    if (this.#postponed.remove(streamRef) || this.comeback.remove(streamRef)) {
      const told = { connPid: this.connPid, streamRef, replyTo: replyToOf(streamRef) }
      return this.events.tell('cancel', { ...told, endpoint: 'local', reason: 'cancel' })
    }
    this.proceed(streamRef, 'to cancel', protocol => {
      protocol.cancel?.(streamRef)
      return protocol.cancel !== undefined
    })
  }

  updateFlow(streamRef: StreamRef, increment: number): void {
    const run = (protocol: Protocol): boolean => {
      protocol.updateFlow?.(streamRef, increment)
      return true
    }
    if (!this.#postponed.has(streamRef)) return this.guard(run)
    this.#postponed.add(this.#command(streamRef, false, 'to update the flow', run))
  }

  streamInfo(streamRef: StreamRef): StreamInfo | undefined {
    if (this.#protocol !== undefined) return this.#protocol.streamInfo(streamRef)
    throw new GunError('badstate', 'badstate', `${this.connPid} is not connected: it is ${this.stateName}`)
  }

  /** Whether the stream may still post something, or waits for the connection. */
  isOpen(streamRef: StreamRef): boolean {
    return this.#protocol?.streamInfo(streamRef) !== undefined || this.isPostponed(streamRef)
  }

  /** Whether the stream waits for the connection, or for the next. */
  isPostponed(streamRef: StreamRef): boolean {
    return this.#postponed.has(streamRef) || this.comeback.has(streamRef)
  }

  setOwner(owner: Owner): void {
    if (this.#ended || this.#ending !== undefined) {
      const text = 'the owner cannot be changed: the connection is shutting down'
      return this.tellOwner({
        type: 'gun_error',
        connPid: this.connPid,
        reason: new GunError('badstate', 'badstate', text),
      })
    }
    this.#ownership.owner = owner
    this.isUnattended = false
  }

  shutdown(): void {
    this.#end({ by: 'shutdown' })
  }

  close(): void {
    if (this.#ended) return
    this.#ending = { by: 'close' }
    this.#machine.send({ type: 'close' })
  }

  // What the machine asks for.

  /** A socket is ready. */
  up(socket: Socket): void {
    this.trace?.state('connected')
    this.#line = new Line(socket, this)
    this.#closing = false
    const name = spokenOver(socket, this.protocols)
    try {
      this.#take(startProtocol(name, this, this.opts))
    } catch (cause) {
      return this.lost(defect(cause))
    }
    this.#accepting = true
    this.#hasBeenUp = true
    this.#upSince = performance.now()
    this.#hasHeard = false
    this.lastError = undefined
    this.tellOwner({ type: 'gun_up', connPid: this.connPid, protocol: name })
    for (const command of this.comeback.take()) this.guard(protocol => protocol.wsUpgrade?.(command))
    this.#postponed.start()
  }

  /** Asks the protocol for an orderly end, and gives how long it may take; 0 when it needs no time. */
  beginClosing(): number {
    return this.#protocol?.closing() ?? 0
  }

  /** In closing no mailbox holds up the peer's last words, and new commands wait for the next connection. */
  enterClosing(timeout: number): void {
    this.trace?.state('closing')
    this.#closingDeadline?.clear()
    this.#closingDeadline = new Deadline(timeout, () => this.lost(closingTimedOut()))
    this.retire()
    this.#closing = true
    this.#regulate()
  }

  /** The connection is lost: tells the streams, then the owner. */
  down(reason: GunError | 'normal'): void {
    const line = this.#line
    const protocol = this.#protocol
    if (line === undefined) return
    this.#line = undefined
    this.#protocol = undefined
    this.#closingDeadline?.clear()
    this.#accepting = false
    this.#postponed.pause()
    const by = this.#ending?.by
    this.lastError = reason === 'normal' ? undefined : reason
    const isOurs = by === 'close' || (reason === 'normal' && by !== undefined && by !== 'protocol')
    const { retryTimeout = RETRY_DEFAULTS.retryTimeout } = this.opts
    const again = this.comeback.lost(retryTimeout)
    const end = isOurs ? localEnd() : reason === 'normal' ? reason : asKind('connection_error', reason)
    const killedStreams = protocol?.close(end, this.goesOn ? again : undefined) ?? []
    // What still waits of them comes too late.
    for (const streamRef of killedStreams) this.#postponed.remove(streamRef)
    if (this.events.wants('disconnect')) this.events.tell('disconnect', { connPid: this.connPid, reason })
    if (protocol !== undefined && (by === undefined || by === 'protocol')) {
      this.tellOwner({
        type: 'gun_down',
        connPid: this.connPid,
        protocol: protocol.name,
        reason,
        killedStreams,
      })
    }
    if (by === 'close') line.destroy()
    else line.close()
  }

  /** Nothing will be connected any more. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.trace?.state('terminated')
    // The last of several that ended in order, and without anything, is what the retries were spent on.
    if (this.#isFruitless && this.goesOn) this.lastError ??= hungUp()
    const reason = this.lastError ?? 'normal'
    this.attempt.abandon()
    this.#ownership.release()
    const exit = exitReasonOf(this.#ending, reason)
    // Errors are costly to make, and mostly there is nobody to tell.
    if (!this.#postponed.isEmpty || !this.comeback.isEmpty) {
      const error = this.#ending === undefined ? endOf(reason) : localEnd()
      for (const { streamRef } of this.comeback.takeAll()) this.fail(streamRef, error)
      this.#postponed.fail(error)
    }
    this.#tellRefusals()
    if (this.#ending === undefined && reason !== 'normal') {
      this.#tellOfFailure(reason)
    }
    if (this.events.wants('terminate')) {
      // On the way to an end that nobody asked for it passes through not_connected, though it never rests there.
      const state = this.#ending === undefined ? 'not_connected' : this.#machine.stateName
      this.events.tell('terminate', { connPid: this.connPid, state, reason: exit })
    }
    this.#source.close()
    this.#watchers.tell(exit)
  }

  /** Where the owner was made for the connection and nobody takes the message, nobody would ever hear of the failure. */
  #tellOfFailure(reason: GunError): void {
    const { owner } = this
    const isUnread = owner instanceof Process && this.isUnattended && this.#watchers.isEmpty
    const waiting = isUnread ? owner.messageQueueLength : 0
    this.tellOwner({ type: 'gun_error', connPid: this.connPid, reason })
    if (isUnread && owner.messageQueueLength > waiting) reportExit(this.connPid, reason)
  }

  /** The actor was stopped from outside. */
  stopped(): void {
    if (this.#ended) return
    this.#ending = { by: 'close' }
    this.down('normal')
    this.end()
  }

  /** The machine failed, which it never should. */
  broken(cause: unknown): void {
    if (this.#ended) return
    const error = defect(cause)
    this.down(error)
    this.lastError = error
    this.end()
  }

  // What the protocol asks for.

  tellOwner(message: GunMessage): void {
    this.trace?.message(message)
    post(this.connPid, this.#source, this.owner, message, 0)
  }

  deliver(streamRef: StreamRef, message: GunMessage, bytes = 0, source = this.#source): void {
    this.trace?.message(message)
    post(this.connPid, source, replyToOf(streamRef), message, bytes)
  }

  fail(streamRef: StreamRef, reason: GunError): void {
    this.deliver(streamRef, { type: 'gun_error', connPid: this.connPid, streamRef, reason })
  }

  refuse(streamRef: StreamRef, reason: GunError): void {
    if (hasMailbox(replyToOf(streamRef))) return this.fail(streamRef, reason)
    // A function that asks again would call itself, and would hear of a stream before it has the stream's ref; in a
    // microtask it could keep the program from everything else.
    this.#refusals.push({ streamRef, reason })
    if (this.#refusals.length === 1) setImmediate(() => this.#tellRefusals())
  }

  #tellRefusals(): void {
    for (const { streamRef, reason } of this.#refusals.splice(0)) this.fail(streamRef, reason)
  }

  switchTo(protocol: Protocol): boolean {
    this.#take(protocol)
    this.trace?.state(protocol.stateName)
    this.#machine.send({ type: 'switched', stateName: protocol.stateName })
    const { name, streamRef } = protocol
    if (streamRef !== undefined && this.events.wants('protocolChanged')) {
      this.events.tell('protocolChanged', { connPid: this.connPid, streamRef, protocol: name })
    }
    return this.#protocol === protocol
  }

  handle(chunk: Buffer): void {
    this.#source.beforeReading()
    const start = this.#share.begin(chunk.length)
    this.guard(protocol => protocol.handle(chunk))
    if (!this.#share.spend(start)) return
    this.#isYielding = true
    this.#regulate()
    setImmediate(() => {
      this.#isYielding = false
      this.#regulate()
    })
  }

  lost(reason: GunError | 'normal'): void {
    const { retryTimeout = RETRY_DEFAULTS.retryTimeout } = this.opts
    const isFruitless = !this.#hasHeard && performance.now() - this.#upSince < retryTimeout
    this.#isFruitless = isFruitless
    this.#machine.send({ type: 'lost', reason: this.#protocol?.isDone ? 'normal' : reason, isFruitless })
  }

  askAgain(command: UpgradeCommand, status: number, headers: Headers): boolean {
    const { reupgrade } = command.opts
    if (!this.reconnects || !reupgrade) return false
    const refusals = (command.refusals ?? 0) + 1
    let retryIn: number | undefined
    try {
      retryIn = delayAfter(reupgrade === true ? {} : reupgrade, status, headers, refusals)
    } catch (error) {
      reportExit(this.connPid, error)
    }
    // The caller's function may have ended the connection.
    if (retryIn === undefined || this.#protocol === undefined) return false
    const { streamRef } = command
    this.comeback.wait({ ...command, refusals }, retryIn, later => this.#reupgrade(later))
    const { connPid } = this
    const data = { status, headers, retryIn }
    this.deliver(streamRef, { type: 'gun_notify', connPid, streamRef, event: 'upgrade_refused', data })
    return true
  }

  #reupgrade(command: UpgradeCommand): void {
    // By now another upgrade may have taken the connection over.
    const isPossible = this.#accepting && this.#protocol?.wsUpgrade !== undefined
    if (isPossible) this.guard(protocol => protocol.wsUpgrade?.(command))
    else this.comeback.add(command)
  }

  heard(): void {
    this.#hasHeard = true
  }

  stopReading(): void {
    this.#stopped = true
    this.#regulate()
  }

  startReading(): void {
    if (!this.#stopped) return
    this.#stopped = false
    this.#regulate()
  }

  beforeReading(): void {
    this.#source.beforeReading()
  }

  guard(run: (protocol: Protocol) => void): void {
    const protocol = this.#protocol
    if (protocol === undefined) return
    try {
      run(protocol)
    } catch (cause) {
      this.lost(defect(cause))
    }
  }

  retire(): void {
    this.#accepting = false
    this.#postponed.pause()
    // Not from within the one that has brought this about.
    process.nextTick(() => this.#postponed.finish(() => this.#protocol !== undefined && !this.#accepting))
  }

  closing(timeout: number, final: boolean): void {
    if (final) this.#ending ??= { by: 'protocol' }
    this.#machine.send({ type: 'closing', timeout })
  }

  /** What is asked for from now on is for the next connection. */
  unwritable(): void {
    this.retire()
  }

  /** The line has brought the peer's last byte, or broke. */
  ended(reason: GunError | undefined): void {
    this.guard(protocol => (protocol.isDone ? this.lost('normal') : protocol.end(reason)))
  }

  // What mailboxes ask for.

  pause(): void {
    this.#paused = true
    this.#regulate()
    if (!this.#closing) this.#protocol?.pause?.()
  }

  resume(): void {
    this.#paused = false
    this.#regulate()
    this.#protocol?.resume?.()
  }

  get whole(): ConnPid {
    return this.connPid
  }

  /** Over HTTP/2 the streams are paused, each by itself, and not what the connection itself says. */
  get isPausable(): boolean {
    return !this.#protocol?.holdsStreams
  }

  overflow(mark: Mark): void {
    const error = overflowError('connection_error', mark)
    this.guard(protocol => {
      if (protocol.overflow === undefined) this.lost(error)
      else protocol.overflow(error)
    })
  }

  carries(reference: object): boolean {
    return (
      reference === this.connPid || (reference instanceof StreamRef && connPidOf(reference) === this.connPid)
    )
  }

  /** From now on it is this protocol that is read for: what the one before it had stopped for does not matter any more. */
  #take(protocol: Protocol): void {
    this.#protocol = protocol
    this.#stopped = false
    if (this.#paused && !this.#closing) protocol.pause?.()
    this.#regulate()
  }

  /** Reads, or does not. In closing no mailbox holds up the peer's last words; it still does those of the next connection. */
  #regulate(): void {
    const isHeldUp = this.#paused && !this.#closing && !this.#protocol?.holdsStreams
    if (this.#stopped || this.#isYielding || isHeldUp) this.#line?.pause()
    else this.#line?.resume()
  }

  #command(streamRef: StreamRef, begins: boolean, what: string, run: Run): Command {
    return {
      streamRef,
      begins,
      run: () => this.#run(streamRef, what, run),
      fail: reason => this.fail(streamRef, reason),
    }
  }

  #run(streamRef: StreamRef, what: string, run: Run): void {
    const protocol = this.#protocol
    // While postponed commands were drained one of them may have ended the connection.
    if (protocol === undefined) return this.fail(streamRef, localEnd())
    try {
      if (run(protocol)) return
    } catch (cause) {
      return this.lost(defect(cause))
    }
    const why =
      protocol.name === 'ws'
        ? `the connection is a WebSocket (${this.stateName}), which carries nothing else: open another one`
        : `the connection speaks ${protocol.name}`
    const text = `${what} is not possible: ${why}`
    this.refuse(streamRef, new GunError('badstate', 'badstate', text))
  }

  #hasEnded(): GunError {
    return new GunError('closed', 'connection_error', `${this.connPid} has ended`, { cause: this.lastError })
  }

  #end(ending: Ending): void {
    if (this.#ended || (this.#ending !== undefined && this.#ending.by !== 'protocol')) return
    this.#ending = ending
    this.#machine.send({ type: 'shutdown' })
  }
}

function closingTimedOut(): GunError {
  return new GunError('closing_timeout', 'connection_error', 'the peer did not finish closing in time')
}

/** Why what still waits will not be done. */
function endOf(reason: GunError | 'normal'): GunError {
  if (reason !== 'normal') return asKind('connection_error', reason)
  return new GunError('closed', 'connection_error', 'the connection was closed')
}

function codeOf(cause: unknown): unknown {
  return cause instanceof Error && 'code' in cause ? cause.code : undefined
}

function hungUp(): GunError {
  const text = 'the peer closed each connection at once, before it had answered anything'
  return new GunError('closed', 'connection_error', text)
}

function defect(cause: unknown): GunError {
  const text = `a defect of @holster/gun: ${messageOf(cause)}`
  return new GunError('internal_error', 'connection_error', text, { cause })
}
