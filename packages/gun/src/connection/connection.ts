/** Does what the machine names: makes the layer on the socket, tells the owner, and ends both. */

import type { Socket } from 'node:net'
import type { ExitReason } from '@holster/process'
import { type Place, placed, Roll, Source, Watchers, type WatchOrder } from '@holster/process/internal'
import { Cookies } from '../cookies.js'
import { GunError } from '../errors.js'
import { Events } from '../events/events.js'
import { traceOf } from '../events/trace.js'
import { asksForTunnel, ConnPid, type Life, lifeOf, type StreamRef } from '../handles.js'
import type { UpgradeCommand } from '../layer/commands.js'
import type { Frames, Passage, Protocol } from '../layer/contract.js'
import { defect, Layer } from '../layer/layer.js'
import { post } from '../layer/mail.js'
import { Steps } from '../layer/steps.js'
import { type GunMessage, type Owner, replyToOf } from '../messages.js'
import type { Origin } from '../options/host.js'
import type { Opts } from '../options/options.js'
import { type ProxyHop, proxiesOf } from '../options/proxies.js'
import { type Destination, originOf } from '../transport/contract.js'
import { Deadline } from '../transport/deadline.js'
import { SocketLine } from '../transport/socket-line.js'
import { enterTunnel } from '../tunnel/tunnel.js'
import type { Headers, ProtocolName } from '../words.js'
import { Attempt } from './attempt.js'
import { Comeback } from './comeback.js'
import { Commander, type CommanderHome, isCommand } from './commander.js'
import { beginConnect, beginHandshake, beginLookUp } from './connecting.js'
import { Effects, type EffectsHome } from './effects.js'
import type { Ending } from './ending.js'
import { type Entrance, entranceOf } from './entrance.js'
import type { ConnectionContext, ConnectionEvent, Effect, Machine, Step } from './events.js'
import type { Facts } from './facts.js'
import { type FarewellHome, type LifeStory, tellEnd, tellLoss } from './farewell.js'
import { LayerReports, type LayerReportsHome } from './layer-reports.js'
import { tellInit } from './life-events.js'
import { Ownership } from './ownership.js'
import { startProtocol } from './protocols.js'
import { ProxyLogin } from './proxy-login.js'
import { planNext } from './reconnect.js'
import { Refusals } from './refusals.js'
import { Tally } from './tally.js'
import { ConnectionValve } from './valve.js'
import { Way, type WayHome } from './way.js'

/** The connection behind a handle. Throws a TypeError that names the argument. */
export const connectionOf = lifeOf as (connPid: ConnPid) => Connection

/** The connections that have not ended. */
export const living = new Roll<Connection>()

const NONE: readonly never[] = []

export class Connection implements Life, CommanderHome, EffectsHome, FarewellHome, LayerReportsHome, WayHome {
  readonly connPid: ConnPid
  /** The proxies through which the origin is reached. */
  readonly proxies: readonly ProxyHop[]
  /** The credentials for the proxies; made with the first way through them. */
  #login: ProxyLogin | undefined
  /** The end that the socket leads to. */
  readonly entrance: Entrance
  readonly transport: 'tcp' | 'tls'
  readonly opts: Opts
  readonly events: Events
  readonly cookies: Cookies | undefined
  /** The host and port that requests are for, whatever address was connected to. */
  readonly origin: Origin
  readonly steps: Steps<Step> = new Steps(this)
  /** The effects that the machine names. */
  readonly effects = new Effects(this)
  /** Takes what the layer on the socket tells. */
  readonly reports = new LayerReports(this)
  readonly #machine: Machine
  /** The place among the living. */
  #place: Place
  /** The attempt to connect; `undefined` while none is made. */
  #attempt: Attempt | undefined
  /** Takes the commands of callers. */
  readonly commands: Commander
  readonly comeback = new Comeback(this)
  readonly #valve = new ConnectionValve(this)
  readonly source = new Source(this.#valve)
  readonly tally = new Tally()
  /** The processes and machines that watch the end of the connection. */
  #watchers: Watchers | undefined
  readonly #ownership: Ownership
  readonly refusals = new Refusals(this)
  layer: Layer | undefined
  /** The way through the proxies, while it is being made. */
  #way: Way | undefined
  #closingDeadline: Deadline | undefined
  /** Runs while the next attempt is waited for. */
  #retryTimer: NodeJS.Timeout | undefined
  /** Whether the owner, the streams and all that watch were told of the end. */
  isTerminated = false
  /** The facts that other nodes were last told; `undefined`: none. */
  facts: Facts | undefined
  /** Called with each stream of the caller's that begins, or waits to. */
  onBegun: ((streamRef: StreamRef) => void) | undefined

  constructor(
    machine: Machine,
    destination: Destination,
    transport: 'tcp' | 'tls',
    opts: Opts,
    owner: Owner,
    isUnattended: boolean,
  ) {
    this.#machine = machine
    this.connPid = new ConnPid(this)
    this.#place = living.add(this)
    this.events = new Events(this.connPid, opts.eventHandler, traceOf(this.connPid, opts.trace))
    this.cookies = opts.cookieStore && new Cookies(this.connPid, opts.cookieStore)
    this.transport = transport
    this.opts = opts
    this.origin = originOf(destination, transport)
    this.proxies = opts.proxy === undefined ? NONE : proxiesOf(opts.proxy, { ...this.origin, transport })
    this.entrance = entranceOf(destination, transport, opts, this.proxies)
    this.commands = new Commander(this)
    this.#ownership = new Ownership(this)
    this.#ownership.begin(owner, isUnattended)
  }

  get owner(): Owner {
    return this.#ownership.owner
  }

  /** How often the owner has changed. */
  get changes(): number {
    return this.#ownership.changes
  }

  get socket(): Socket | undefined {
    return this.layer?.line.socket
  }

  get protocol(): Protocol | undefined {
    return this.layer?.protocol
  }

  /** The machine's state, as Gun names it. */
  get stateName(): string {
    return this.#machine.stateName
  }

  /** The proxy, or the origin, that the way through the proxies waits for; `undefined` while no way is being made. */
  get waitsFor(): string | undefined {
    return this.#way?.waitsFor
  }

  /** The active states of the machine as paths, the outermost first. */
  get states(): readonly string[] {
    return this.#machine.states
  }

  /** Counts the frames of WebSockets. */
  get frames(): Frames {
    return this.tally
  }

  get lastError(): GunError | undefined {
    return this.context.lastError
  }

  /** Whether nobody is known to read the owner's mailbox or to watch the connection. */
  get isUnattended(): boolean {
    return this.#ownership.isUnattended && (this.#watchers?.isEmpty ?? true)
  }

  get goesOn(): boolean {
    const { ending, retry } = this.context
    return ending === undefined && retry > 0
  }

  watch(listener: (reason: ExitReason) => void, order?: WatchOrder): (() => void) | undefined {
    if (this.isTerminated) return undefined
    this.#watchers ??= new Watchers()
    return this.#watchers.add(listener, order)
  }

  // Callers ask:

  /** Whether the stream may still post something, or waits for the connection, or for the end of the present step. */
  isOpen(streamRef: StreamRef): boolean {
    const { commands } = this
    if (commands.streamInfo(streamRef) !== undefined) return true
    return commands.isPostponed(streamRef) || commands.isDue(streamRef)
  }

  /** Cancels the stream if it is open. */
  giveUp(streamRef: StreamRef): void {
    if (this.isOpen(streamRef)) this.commands.cancel(streamRef)
  }

  setOwner(owner: Owner): void {
    if (this.isTerminated || this.context.ending !== undefined) {
      const text = 'the owner cannot be changed: the connection is shutting down'
      const reason = new GunError('badstate', 'badstate', text)
      return this.tellOwner({ type: 'gun_error', connPid: this.connPid, reason })
    }
    this.#ownership.owner = owner
  }

  shutdown(): void {
    this.#end({ by: 'shutdown' })
  }

  close(): void {
    if (this.isTerminated) return
    this.events.isMute = this.steps.isBusy
    this.steps.add({ type: 'close' })
  }

  // The machine asks:

  onEffect(effect: Effect, event: ConnectionEvent): void {
    switch (effect) {
      case 'begin':
        return tellInit(this)
      case 'lookUp':
        return this.#lookUp()
      case 'connect':
        if (event.type === 'resolved' && this.#attempt) beginConnect(this.#attempt, this, event.addresses)
        return
      case 'shakeHands':
        if (event.type === 'connected' && this.#attempt) beginHandshake(this.#attempt, this, event.socket)
        return
      case 'lead':
        return event.type === 'connected' ? this.#lead(event.socket) : undefined
      case 'rise':
        if (event.type === 'connected') this.#start(event.socket, event.protocol)
        return event.type === 'connected' || event.type === 'arrived' ? this.#rise(event.protocol) : undefined
      case 'accept':
        return this.#accept()
      case 'retire':
        return this.commands.retire()
      case 'finish':
        return this.#finish()
      case 'giveTime':
        return this.#giveTime(this.context.closingTimeout)
      case 'fall':
        return this.#fall(event.type === 'lost' ? event.reason : 'normal')
      case 'rest':
        this.tally.failures++
        return this.events.hearing?.state('not_connected')
      case 'plan':
        return this.steps.add(planNext(this.context, this.opts, this.comeback.hasFailed))
      case 'wait':
        return this.#wait(this.context.retryDelay)
      case 'terminate':
        return this.#terminate(this.context)
    }
  }

  #lookUp(): void {
    this.tally.attempts++
    this.#attempt = new Attempt(this.opts, this.steps, this.proxies)
    beginLookUp(this.#attempt, this)
  }

  #lead(socket: Socket): void {
    const [first, ...others] = this.proxies
    if (first === undefined) return
    this.tally.begin(socket)
    this.#login ??= new ProxyLogin(this.proxies, this.opts.proxyAuth)
    this.#way = new Way(this, [first, ...others], this.#login, socket)
    this.#way.begin()
  }

  onArrived(protocol: ProtocolName): void {
    this.layer = this.#way?.layer
    this.#way = undefined
    this.#login?.succeed()
    if (this.#valve.isPaused) this.layer?.pause()
    // At once, as nothing of the origin may come before its `gun_up`.
    this.send({ type: 'arrived', protocol })
  }

  onAstray(reason: GunError): void {
    this.#way = undefined
    this.steps.add({ type: 'failed', reason })
  }

  onAgain(): void {
    this.#way = undefined
    this.steps.add({ type: 'again' })
  }

  #start(socket: Socket, protocol: ProtocolName = 'http'): void {
    this.tally.begin(socket)
    const line = new SocketLine(socket, this.entrance.destination.path !== undefined)
    const endpoint = { ...this.origin, transport: this.transport, intermediaries: NONE }
    const layer = new Layer(this, line, endpoint, this.reports, {
      source: this.source,
      isPaused: this.#valve.isPaused,
    })
    this.layer = layer
    line.attach(layer)
    layer.start(startProtocol(protocol, layer, this.opts, this.opts.protocols ?? []))
  }

  #rise(protocol: ProtocolName = 'http'): void {
    this.#attempt = undefined
    this.reports.begin()
    this.tellOwner({ type: 'gun_up', connPid: this.connPid, protocol })
  }

  #accept(): void {
    this.comeback.accept()
    this.commands.accept()
  }

  #finish(): void {
    const timeout = this.layer?.finish() ?? 0
    if (timeout > 0) this.steps.add({ type: 'closing', timeout, isFinal: false })
    else this.reports.onLost('normal')
  }

  #giveTime(timeout: number): void {
    this.#closingDeadline?.clear()
    this.#closingDeadline = new Deadline(timeout, () => this.layer?.lost(closingTimedOut()))
    this.layer?.ignoreMailboxes()
  }

  #fall(reason: GunError | 'normal', ending = this.context.ending): void {
    const layer = this.layer
    if (layer === undefined) return
    this.layer = undefined
    this.events.isMute = false
    this.#closingDeadline?.clear()
    tellLoss(this, layer, reason, ending)
    if (ending?.by === 'close') layer.line.abort()
    else layer.line.finish()
    this.tally.fall(this.context.setback === 'hang-up')
  }

  #wait(delay: number): void {
    this.#retryTimer = setTimeout(() => this.steps.add({ type: 'again' }), delay)
  }

  [placed](place: Place): void {
    this.#place = place
  }

  #terminate(life: LifeStory): void {
    if (this.isTerminated) return
    this.isTerminated = true
    living.remove(this.#place)
    this.tally.end()
    this.events.isMute = false
    clearTimeout(this.#retryTimer)
    this.#attempt?.abort()
    this.#way?.abort()
    this.#way = undefined
    this.#ownership.stop()
    const exit = tellEnd(this, life)
    this.source.close()
    this.#watchers?.tell(exit)
  }

  /** Ends at once: the actor that runs the machine was stopped from outside. */
  onStopped(): void {
    if (this.isTerminated) return
    const life = { ending: { by: 'close' }, lastError: undefined, setback: 'attempt', retry: 0 } as const
    this.events.isMute = this.steps.isBusy
    this.steps.add({ type: 'task', run: () => this.#abort(life) })
  }

  /** Ends with a defect: the machine failed, which it never should. */
  onBroken(cause: unknown): void {
    if (this.isTerminated) return
    this.#abort({ ending: undefined, lastError: defect(cause), setback: 'attempt', retry: 0 })
  }

  /** Ends the connection without its machine, which runs no more. */
  #abort(life: LifeStory): void {
    this.effects.stop()
    this.#fall(life.lastError ?? 'normal', life.ending)
    this.#terminate(life)
  }

  onDefect(cause: unknown): void {
    this.layer?.lost(defect(cause))
  }

  // Layers ask their home:

  enter(layer: Layer, passage: Passage, rest: Buffer): void {
    // The tunnels of the way belong to the connection, and to no stream.
    const own = this.#way === undefined ? passage : { ...passage, streamRef: undefined }
    enterTunnel(layer, own, rest, (name, host, inits, streamRef) =>
      startProtocol(name, host, this.opts, inits, streamRef),
    )
  }

  onTunnel(streamRef: StreamRef, layer: Layer): void {
    this.commands.onTunnel(streamRef, layer)
  }

  onTunnelOver(streamRef: StreamRef, cause?: GunError): void {
    this.commands.onTunnelOver(streamRef, cause)
  }

  tellOwner(message: GunMessage, bytes = 0): void {
    // Frames that were not sent come back in any case.
    if (this.events.isMute && message.type !== 'gun_error') return
    this.events.hearing?.message(message)
    post(this.connPid, this.source, this.owner, message, bytes)
  }

  fail(streamRef: StreamRef, reason: GunError): void {
    if (asksForTunnel(streamRef)) this.commands.onTunnelOver(streamRef, reason)
    const message: GunMessage = { type: 'gun_error', connPid: this.connPid, streamRef, reason }
    this.events.hearing?.message(message)
    post(this.connPid, this.source, replyToOf(streamRef), message, 0)
    this.events.tellError(streamRef, reason)
  }

  refuse(streamRef: StreamRef, reason: GunError): void {
    this.refusals.add(streamRef, reason)
  }

  askAgain(command: UpgradeCommand, status: number, headers: Headers): boolean {
    return this.comeback.askAgain(command, status, headers)
  }

  // Steps:

  /** Takes one step: a command, a task, or an event of the machine with all the effects that it names. */
  perform(step: Step): void {
    if (step.type === 'task') return step.run()
    if (!isCommand(step)) return this.send(step)
    this.commands.performDue(step)
  }

  send(event: ConnectionEvent): void {
    this.#machine.send(event)
  }

  onOwnerExit(reason: ExitReason): void {
    this.#end({ by: 'owner', reason })
  }

  #end(ending: Ending): void {
    if (!this.isTerminated) this.steps.add({ type: 'shutdown', ending })
  }

  get context(): ConnectionContext {
    return this.#machine.context
  }

  /** Whether commands with which streams begin go to the protocol. */
  get isAccepting(): boolean {
    return this.#machine.isAccepting
  }
}

function closingTimedOut(): GunError {
  return new GunError('closing_timeout', 'connection_error', 'the peer did not finish closing in time')
}
