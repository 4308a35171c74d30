/** Carries out each command of a connection's callers now, later, or never: then its stream hears why. */

import type { Source } from '@holster/process/internal'
import { cancelledTunnel, GunError } from '../errors.js'
import type { Events } from '../events/events.js'
import { closedHere } from '../exchange/errors.js'
import { type ConnPid, noteCancelled, type StreamRef, sendMarkOf, tunnelOf } from '../handles.js'
import {
  type BareCommand,
  type BeginCommand,
  begins,
  COMMAND_NAMES,
  type Command,
  type DataCommand,
  type FramesCommand,
  isBare,
  type StreamCommand,
} from '../layer/commands.js'
import type { Foreseen, Protocol } from '../layer/contract.js'
import type { StreamInfo } from '../layer/info.js'
import { type Layer, layerOf } from '../layer/layer.js'
import { attachTo } from '../layer/mail.js'
import { postponedInfo } from '../layer/postponed-info.js'
import type { Steps } from '../layer/steps.js'
import { type GunMessage, replyToOf } from '../messages.js'
import type { Comeback } from './comeback.js'
import { DueCommands } from './due.js'
import type { ConnectionContext, Step } from './events.js'
import { Postponed } from './postponed.js'
import { ending, Tunnels } from './tunnels.js'

/** The connection, as far as its commands need it. */
export interface CommanderHome {
  readonly connPid: ConnPid
  readonly events: Events
  readonly source: Source
  readonly steps: Steps<Step>
  readonly comeback: Comeback
  /** The layer on the socket; `undefined` while the connection is not up. */
  readonly layer: Layer | undefined
  readonly context: ConnectionContext
  readonly stateName: string
  /** Whether commands with which streams begin go to the protocol. */
  readonly isAccepting: boolean
  /** Whether everybody was told that the connection has ended. */
  readonly isTerminated: boolean
  tellOwner(message: GunMessage): void
  fail(streamRef: StreamRef, reason: GunError): void
  refuse(streamRef: StreamRef, reason: GunError): void
  /** A stream of the caller's begins, or waits to. */
  readonly onBegun: ((streamRef: StreamRef) => void) | undefined
  /** A defect of this package came to light. */
  onDefect(cause: unknown): void
}

export class Commander {
  readonly #home: CommanderHome
  // Each is made when there is something to keep: most connections never have anything.
  #postponed: Postponed | undefined
  #due: DueCommands | undefined
  #tunnels: Tunnels | undefined

  /** Whether commands with which streams begin have to wait. */
  #isPaused = true

  constructor(home: CommanderHome) {
    this.#home = home
  }

  /** Carries out a command now, later or never. Returns the answer to its caller: whether to go on. */
  perform(command: Command): boolean {
    const { steps } = this.#home
    if (steps.isBusy) return this.#enqueue(command)
    steps.begin()
    let answer = false
    try {
      answer = this.#perform(command)
    } catch (cause) {
      this.#home.onDefect(cause)
    }
    steps.end(true)
    return answer
  }

  /** Carries out a command that was kept until the step before it was over. */
  performDue(command: Command): void {
    if (this.#due?.take(command) === false) return
    try {
      this.#perform(command)
    } catch (cause) {
      this.#home.onDefect(cause)
    }
  }

  /** Carries out a command that has waited for the connection, before those that wait still. */
  performLate(command: BeginCommand | StreamCommand): void {
    const run = () => {
      const layer = this.#layerOf(command.streamRef)
      try {
        if (layer !== undefined) layer.perform(command)
        else this.#home.fail(command.streamRef, closedHere())
      } catch (cause) {
        this.#home.onDefect(cause)
      }
    }
    // A step that has brought its turn, such as that of coming up, goes on with it before the commands given meanwhile.
    if (this.#home.steps.isBusy) run()
    else this.#home.steps.add({ type: 'task', run })
  }

  /** Silences a stream at once, and ends it behind the present step. */
  cancel(streamRef: StreamRef): void {
    const { comeback, steps } = this.#home
    const hasWaited = (this.#bookOf(streamRef)?.remove(streamRef) ?? false) || comeback.remove(streamRef)
    const isUnsent = hasWaited || this.#due?.of(streamRef)?.begin !== undefined
    const wasOpen = isUnsent || (this.#layerOf(streamRef)?.silence(streamRef) ?? false)
    if (wasOpen) {
      noteCancelled(streamRef)
      this.#due?.callOff(streamRef)
    }
    if (isUnsent) steps.add({ type: 'task', run: () => this.#tellCancelled(streamRef) })
    else this.perform({ type: 'cancel', streamRef, wasOpen })
  }

  /** Whether no command waits for the connection. */
  get isEmpty(): boolean {
    return this.#postponed?.isEmpty ?? true
  }

  /** Whether the stream waits for the connection, or for the next. */
  isPostponed(streamRef: StreamRef): boolean {
    return (this.#bookOf(streamRef)?.has(streamRef) ?? false) || this.#home.comeback.has(streamRef)
  }

  /** Whether the stream was asked for within the step under way, behind which it begins. */
  isDue(streamRef: StreamRef): boolean {
    return this.#due?.of(streamRef)?.begin !== undefined
  }

  /** Tells of a request that waits for the next connection, while the one that is up begins nothing more. */
  infoOf(streamRef: StreamRef, usualFlow: number): StreamInfo | undefined {
    return postponedInfo(this.#bookOf(streamRef)?.of(streamRef) ?? [], usualFlow)
  }

  /** Tells what is known of a stream that has begun. */
  streamInfo(streamRef: StreamRef): StreamInfo | undefined {
    return this.#layerOf(streamRef)?.streamInfo(streamRef)
  }

  /** The streams that have begun or wait, and perhaps some that are over. */
  get streams(): readonly StreamRef[] {
    const { comeback, layer } = this.#home
    const waiting = [this.#postponed?.streams, this.#tunnels?.streams, this.#due?.unbegun]
    return [...new Set([layer?.streams, comeback.streams, ...waiting].flatMap(each => each ?? []))]
  }

  /** Whether the peer has still to answer that ping. */
  isPinging(streamRef: StreamRef): boolean {
    return this.#layerOf(streamRef)?.protocol?.isPinging?.(streamRef) ?? false
  }

  /** A tunnel leads through a layer, whose state has another name now. */
  onTunnel(streamRef: StreamRef, layer: Layer): void {
    this.#tunnels?.update(streamRef, layer)
  }

  /** A tunnel has ended, or the proxy has refused it. */
  onTunnelOver(streamRef: StreamRef, cause: GunError | undefined): void {
    this.#tunnels?.remove(streamRef, cause)
  }

  /** The layer that a stream runs on: that of its tunnel, or the connection's own. */
  #layerOf(streamRef: StreamRef): Layer | undefined {
    const tunnel = tunnelOf(streamRef)
    return tunnel === undefined ? this.#home.layer : layerOf(tunnel)
  }

  /** The commands among which those of a stream wait. */
  #bookOf(streamRef: StreamRef): Postponed | undefined {
    const tunnel = tunnelOf(streamRef)
    return tunnel === undefined ? this.#postponed : this.#tunnels?.waitingFor(tunnel)
  }

  /** Carries out the commands that wait, since the connection accepts commands. */
  accept(): void {
    this.#isPaused = false
    this.#postponed?.start()
  }

  /** Keeps the commands given from now on. */
  pause(): void {
    this.#isPaused = true
    this.#postponed?.pause()
  }

  /** Keeps the commands given from now on, but carries out those of streams that have begun. */
  retire(): void {
    this.pause()
    for (const command of this.#postponed?.takeBegun() ?? []) this.performLate(command)
  }

  /** Forgets the commands of streams that have begun, which have ended with the connection. */
  forget(): void {
    this.#postponed?.takeBegun()
  }

  /** Fails each stream that waits, since the connection will never be made. */
  abort(reason: GunError): void {
    this.#postponed?.fail((streamRef, error) => this.#home.fail(streamRef, error), reason)
  }

  /** Tells of the streams that were cancelled within the step in which the connection is lost, which asks for nothing else. */
  cancelDue(): void {
    for (const streamRef of this.#due?.callOffCancelled() ?? []) this.#tellCancelled(streamRef)
  }

  /** Fails the streams that were asked for within the step in which the connection ends, before its end is told. */
  abortDue(error: () => GunError): void {
    for (const streamRef of this.#due?.callOffUnbegun() ?? []) this.#home.fail(streamRef, error())
  }

  #enqueue(command: Command): boolean {
    const foreseen = this.#foresee(command)
    const answer = foreseen === 'room'
    if ('isToldToWait' in command) command.isToldToWait = !answer
    this.#due ??= new DueCommands()
    this.#due.add(command, foreseen !== 'refused')
    this.#home.steps.add(command)
    return answer
  }

  /** Foresees what comes of a command once those that are due before it are carried out. */
  #foresee(command: Command): Foreseen {
    if (command.type !== 'data' && command.type !== 'frames') return 'room'
    const { streamRef } = command
    const due = this.#due?.of(streamRef)
    if (command.type === 'frames' ? due?.isClosed : due?.isComplete) return 'refused'
    if (due?.begin === undefined) {
      const foreseen = this.#protocolOf(command)?.foresee(command, due?.bytes ?? 0)
      if (foreseen !== undefined) return foreseen
    }
    if (command.type === 'frames') return 'refused'
    if (streamRef === undefined || this.#home.isTerminated) return 'refused'
    const isWaiting = this.#bookOf(streamRef)?.has(streamRef) ?? false
    if (due?.begin === undefined ? !isWaiting : due.isWrongLength(command)) return 'refused'
    const goesOut = due?.begin !== undefined && this.#goesOut(streamRef)
    const bytes = goesOut ? due.bytes + command.data.length : Number.POSITIVE_INFINITY
    return fitsMark(streamRef, bytes) ? 'room' : 'full'
  }

  /** Whether a stream that is asked for now begins at once. */
  #goesOut(streamRef: StreamRef): boolean {
    const tunnel = tunnelOf(streamRef)
    if (tunnel !== undefined) return this.#tunnels?.readyLayerOf(tunnel) !== undefined
    return this.#home.isAccepting && this.isEmpty
  }

  /** The protocol that sends the data of a stream: the one that the stream has become, or the one of the layer on which the stream runs. */
  #protocolOf({ streamRef }: DataCommand | FramesCommand): Protocol | undefined {
    if (streamRef === undefined) return this.#home.layer?.protocol
    return (layerOf(streamRef) ?? this.#layerOf(streamRef))?.protocol
  }

  #perform(command: Command): boolean {
    if (command.type === 'frames') return this.#send(command)
    if (isBare(command)) return this.#performBare(command)
    return begins(command) ? this.#begin(command) : this.#proceed(command)
  }

  /** Carries out a command for a connection that speaks raw. */
  #performBare(command: BareCommand): boolean {
    const { connPid, isTerminated, layer, stateName } = this.#home
    if (layer !== undefined) return layer.perform(command)
    if (command.type === 'flow') return true
    const why = isTerminated ? 'it has ended' : `it is ${stateName}`
    const reason = new GunError('badstate', 'badstate', `data is not possible on ${connPid}: ${why}`)
    this.#home.tellOwner({ type: 'gun_error', connPid, reason })
    return false
  }

  #begin(command: BeginCommand): boolean {
    const { context, isAccepting, isTerminated, layer, source } = this.#home
    const { streamRef } = command
    if (command.type !== 'ping') this.#home.onBegun?.(streamRef)
    if (isTerminated) return this.#refuse(streamRef, this.#endedError())
    attachTo(source, replyToOf(streamRef))
    if (command.type === 'connect') this.#addTunnel(streamRef)
    const tunnel = tunnelOf(streamRef)
    if (tunnel !== undefined) return this.#beginWithin(tunnel, command)
    if (layer !== undefined && isAccepting && this.isEmpty) return layer.perform(command)
    const isLeaving = layer !== undefined && !isAccepting && !layer.isWaiting
    if (context.ending !== undefined || (isLeaving && context.retry === 0)) {
      const text = 'the connection is closing and will not be made again'
      return this.#refuse(streamRef, new GunError('closing', 'stream_error', text))
    }
    this.#postpone(command)
    if (isLeaving && command.type !== 'ping') {
      const { connPid, events } = this.#home
      events.tell('requestPostponed', { connPid, streamRef, replyTo: replyToOf(streamRef) })
    }
    return true
  }

  #postpone(command: BeginCommand): void {
    if (this.#postponed === undefined) {
      this.#postponed = new Postponed(this)
      if (!this.#isPaused) this.#postponed.start()
    }
    this.#postponed.add(command)
  }

  #addTunnel(streamRef: StreamRef): void {
    this.#tunnels ??= new Tunnels(this, (ref, reason) => this.#home.fail(ref, reason))
    this.#tunnels.add(streamRef)
  }

  /** Begins a stream within a tunnel, or keeps the command until the tunnel is up. */
  #beginWithin(tunnel: StreamRef, command: BeginCommand): boolean {
    const { streamRef } = command
    const ready = this.#tunnels?.readyLayerOf(tunnel)
    if (ready !== undefined) {
      attachTo(ready.source, replyToOf(streamRef))
      return ready.perform(command)
    }
    const layer = layerOf(tunnel)
    const waiting = this.#tunnels?.waitingFor(tunnel)
    if (waiting === undefined) {
      const text = `${tunnel} is no tunnel, or one that was refused or has ended`
      return this.#refuse(streamRef, new GunError('badstate', 'badstate', text))
    }
    const isLeaving = layer !== undefined && !layer.isAccepting && !layer.isWaiting
    if (isLeaving || this.#home.context.ending !== undefined) return this.#refuse(streamRef, ending())
    waiting.add(command)
    return true
  }

  /** Carries out what belongs to a stream that was asked for before; it waits only if that stream does. */
  #proceed(command: StreamCommand): boolean {
    const { isTerminated } = this.#home
    const { streamRef } = command
    const book = this.#bookOf(streamRef)
    if (!isTerminated && book?.has(streamRef)) {
      const answer = command.type !== 'data' || fitsMark(streamRef, Number.POSITIVE_INFINITY)
      if (command.type === 'data') command.isToldToWait = !answer
      book.add(command)
      return answer
    }
    if (command.type === 'cancel' && command.wasOpen) this.#tunnels?.remove(streamRef, cancelledTunnel())
    const own = this.#layerOf(streamRef)
    const isForBytes = command.type === 'flow' || command.type === 'data'
    const layer = isForBytes ? (layerOf(streamRef) ?? own) : own
    if (layer !== undefined) return layer.perform(command)
    if (command.type === 'flow') return true
    if (command.type === 'cancel' && command.wasOpen) {
      // The tunnel that the stream was in has ended within the same step.
      this.#tellCancelled(streamRef)
      return true
    }
    if (isTerminated) return this.#refuse(streamRef, this.#endedError())
    const text = `${COMMAND_NAMES[command.type]} is not possible: the stream has ended`
    return this.#refuse(streamRef, new GunError('badstate', 'badstate', text))
  }

  /** Frames never wait for a connection: what is not sent goes back to the caller. */
  #send(command: FramesCommand): boolean {
    const { frames, streamRef } = command
    const protocol = this.#protocolOf(command)
    if (protocol?.frames !== undefined) return protocol.frames(command)
    const { connPid, isTerminated, stateName } = this.#home
    const why = isTerminated ? 'it has ended' : `it is ${stateName}: wait for gun_upgrade before you send`
    const text = `${connPid} is no WebSocket, and ${why}; ${frames.length} frame(s) were not sent`
    const reason = new GunError('badstate', 'badstate', text, { frames })
    if (streamRef !== undefined) return this.#refuse(streamRef, reason)
    this.#home.tellOwner({ type: 'gun_error', connPid, reason })
    return false
  }

  #refuse(streamRef: StreamRef, reason: GunError): false {
    this.#tunnels?.remove(streamRef)
    this.#home.refuse(streamRef, reason)
    return false
  }

  #endedError(): GunError {
    const { connPid, context } = this.#home
    return new GunError('closed', 'connection_error', `${connPid} has ended`, { cause: context.lastError })
  }

  /** Tells of a stream that is cancelled where there is nothing else to do for it. */
  #tellCancelled(streamRef: StreamRef): void {
    const { connPid, events } = this.#home
    const replyTo = replyToOf(streamRef)
    events.tell('cancel', { connPid, streamRef, replyTo, endpoint: 'local', reason: 'cancel' })
    this.#tunnels?.remove(streamRef, cancelledTunnel())
  }
}

/** Whether a step is a command. */
export function isCommand(step: Step): step is Command {
  return step.type in COMMAND_NAMES
}

/** Whether so many bytes of a request's body may wait before the caller is told to wait. */
function fitsMark(streamRef: StreamRef, bytes: number): boolean {
  const mark = sendMarkOf(streamRef)
  return mark === undefined || bytes <= mark
}
