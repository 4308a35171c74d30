/** Commands that were given while the connection could not carry them out: kept in order until it can. */

import PQueue from 'p-queue'
import type { GunError } from '../errors.js'
import type { StreamRef } from '../handles.js'

/** Something that was asked of a connection. */
export interface Command {
  readonly streamRef: StreamRef
  /** The stream begins with it; other commands belong to one that has begun, or will. */
  readonly begins: boolean
  run(): void
  /** It will not be done. */
  fail(reason: GunError): void
}

export class Postponed {
  // Made when there is something to keep: most connections never have anything.
  #queue: PQueue | undefined
  #commands: Set<Command> | undefined

  /** Whether a command must wait its turn: the queue drains a job at a time, not at once. */
  get isEmpty(): boolean {
    return this.#commands === undefined
  }

  /** Whether a command of this stream waits. */
  has(streamRef: StreamRef): boolean {
    for (const command of this.#commands ?? []) if (command.streamRef === streamRef) return true
    return false
  }

  add(command: Command): void {
    this.#queue ??= new PQueue({ concurrency: 1, autoStart: false })
    this.#commands ??= new Set()
    this.#commands.add(command)
    void this.#queue.add(() => {
      // Else `fail` has had it.
      if (!this.#commands?.delete(command)) return
      if (this.#commands.size === 0) this.#clear()
      command.run()
    })
  }

  /** Forgets what waits of this stream, and says whether that was all of it. */
  remove(streamRef: StreamRef): boolean {
    const waiting = [...(this.#commands ?? [])].filter(command => command.streamRef === streamRef)
    for (const command of waiting) this.#commands?.delete(command)
    if (this.#commands?.size === 0) this.#clear()
    return waiting.some(({ begins }) => begins)
  }

  start(): void {
    this.#queue?.start()
  }

  pause(): void {
    this.#queue?.pause()
  }

  /** No stream begins any more: what belongs to those that have begun need not wait, as long as `mayRun` says so. */
  finish(mayRun: () => boolean): void {
    const unbegun = new Set<StreamRef>()
    const commands = this.#commands ?? new Set()
    // Also those that are added meanwhile, which a Set has in store.
    for (const command of commands) {
      if (command.begins) unbegun.add(command.streamRef)
      if (unbegun.has(command.streamRef)) continue
      if (!mayRun()) break
      commands.delete(command)
      command.run()
    }
    if (commands === this.#commands && commands.size === 0) this.#clear()
  }

  /** The connection will never be made. */
  fail(reason: GunError): void {
    const commands = this.#commands ?? []
    this.#queue?.clear()
    this.#clear()
    // A stream fails once, however much of it waits.
    const failed = new Set<StreamRef>()
    for (const command of commands) {
      if (failed.has(command.streamRef)) continue
      failed.add(command.streamRef)
      command.fail(reason)
    }
  }

  #clear(): void {
    this.#queue = undefined
    this.#commands = undefined
  }
}
