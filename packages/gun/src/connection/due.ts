/** The commands that wait behind the step under way, by stream: their callers are answered at once, and they can be called off. */

import { framingOf } from '../exchange/framing.js'
import type { StreamRef } from '../handles.js'
import {
  type BeginCommand,
  begins,
  bytesOf,
  type Command,
  type DataCommand,
  isClose,
} from '../layer/commands.js'

/** The commands of one stream that wait. */
export class DueStream {
  /** How many commands wait. */
  count = 0
  /** How many bytes they give to be sent. */
  bytes = 0
  /** The command with which the stream begins, if it waits too. */
  begin: BeginCommand | undefined
  /** Whether the body is complete behind them. */
  isComplete = false
  /** Whether a close frame is among them. */
  isClosed = false
  /** Whether the stream was cancelled, so that none of them is carried out. */
  isCalledOff = false

  /** Whether a part of the body is longer than the length that the request states, or the last one too short. */
  isWrongLength({ isFin, data }: DataCommand): boolean {
    const framing = this.begin?.type === 'request' ? framingOf(this.begin.headers) : undefined
    if (framing?.type !== 'length') return false
    const length = this.bytes + data.length
    return length > framing.length || (isFin === 'fin' && length < framing.length)
  }
}

interface Entry {
  readonly stream: DueStream
  /** How many bytes the command gives, as far as they are taken. */
  readonly bytes: number
}

export class DueCommands {
  /** Frames that name no stream are under `undefined`. */
  readonly #streams = new Map<StreamRef | undefined, DueStream>()
  readonly #entries = new Map<Command, Entry>()

  /** The commands of a stream that wait; `undefined`: none does. */
  of(streamRef: StreamRef | undefined): DueStream | undefined {
    return this.#streams.get(streamRef)
  }

  /** The streams whose beginning waits, in order. */
  get unbegun(): readonly StreamRef[] {
    return [...this.#streams.values()].flatMap(({ begin }) =>
      begin === undefined || begin.type === 'ping' ? [] : [begin.streamRef],
    )
  }

  /** Adds a command. `isTaken`: whether the bytes that it gives will be sent. */
  add(command: Command, isTaken: boolean): void {
    const { streamRef } = command
    const stream = this.#streams.get(streamRef) ?? new DueStream()
    this.#streams.set(streamRef, stream)
    const bytes = isTaken ? bytesOf(command) : 0
    this.#entries.set(command, { stream, bytes })
    stream.count++
    stream.bytes += bytes
    if (begins(command)) stream.begin = command
    stream.isComplete ||= isTaken && completes(command)
    stream.isClosed ||= command.type === 'frames' && command.frames.some(isClose)
  }

  /** Takes out a command whose turn has come, and returns whether to carry it out. */
  take(command: Command): boolean {
    const entry = this.#entries.get(command)
    if (entry === undefined) return true
    const { stream, bytes } = entry
    this.#entries.delete(command)
    stream.bytes -= bytes
    if (stream.begin === command) stream.begin = undefined
    if (--stream.count === 0 && !stream.isCalledOff) this.#streams.delete(command.streamRef)
    return !stream.isCalledOff
  }

  /** Calls off the streams whose cancelling waits, and returns them. */
  callOffCancelled(): readonly StreamRef[] {
    const cancelled: StreamRef[] = []
    for (const command of this.#entries.keys()) {
      if (command.type === 'cancel' && command.wasOpen) cancelled.push(command.streamRef)
    }
    for (const streamRef of cancelled) this.callOff(streamRef)
    return cancelled
  }

  /** Calls off the streams whose beginning waits, and returns them. */
  callOffUnbegun(): readonly StreamRef[] {
    const unbegun: StreamRef[] = []
    for (const { begin } of this.#streams.values()) if (begin !== undefined) unbegun.push(begin.streamRef)
    for (const streamRef of unbegun) this.callOff(streamRef)
    return unbegun
  }

  /** Carries out none of the commands of a stream that wait. */
  callOff(streamRef: StreamRef): void {
    const stream = this.#streams.get(streamRef)
    if (stream !== undefined) stream.isCalledOff = true
    this.#streams.delete(streamRef)
  }
}

/** Whether the stream takes no data behind the command. */
function completes(command: Command): boolean {
  switch (command.type) {
    case 'request':
      return command.body !== undefined
    case 'data':
      return command.isFin === 'fin'
    case 'trailers':
    case 'upgrade':
    case 'ping':
      return true
    default:
      return false
  }
}
