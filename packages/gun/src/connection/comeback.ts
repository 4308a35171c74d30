/** Keeps the upgrades that are asked for again, on the next connection or in a while, and notes whether they come to anything. */

import type { StreamRef } from '../handles.js'
import type { UpgradeCommand } from '../layer/commands.js'
import type { Again } from '../layer/contract.js'

interface Refused {
  readonly command: UpgradeCommand
  readonly timer: NodeJS.Timeout
}

export class Comeback {
  #commands: UpgradeCommand[] = []
  /** The upgrades that the server has refused, each with the timer that ends its wait. Most connections never have any. */
  #refused: Map<StreamRef, Refused> | undefined
  /** Whether the last connection had brought an upgrade back and lost it again too early to count. */
  hasFailed = false

  get isEmpty(): boolean {
    return this.#commands.length === 0 && (this.#refused === undefined || this.#refused.size === 0)
  }

  /** Gives how to keep a lost connection's upgrades. One that came back counts if it has lasted `timeout` milliseconds. */
  lost(timeout: number): Again {
    this.hasFailed = false
    const now = performance.now()
    return (command, since = now) => {
      // A server that hangs up at once would keep us busy for ever.
      if (command.isRepeated && now - since < timeout) this.hasFailed = true
      this.add({ ...command, isRepeated: true })
    }
  }

  /** Keeps an upgrade for the next connection. */
  add(command: UpgradeCommand): void {
    this.#commands.push(command)
  }

  /** Keeps a refused upgrade, and calls `again` after `delay` milliseconds, whatever connection there is by then. */
  wait(command: UpgradeCommand, delay: number, again: (command: UpgradeCommand) => void): void {
    const { streamRef } = command
    const timer = setTimeout(() => {
      this.#refused?.delete(streamRef)
      again(command)
    }, delay)
    this.#refused ??= new Map()
    this.#refused.set(streamRef, { command, timer })
  }

  has(streamRef: StreamRef): boolean {
    return this.#refused?.has(streamRef) || this.#commands.some(command => command.streamRef === streamRef)
  }

  /** Forgets the upgrade of a stream, and gives whether there was one. */
  remove(streamRef: StreamRef): boolean {
    const refused = this.#refused?.get(streamRef)
    clearTimeout(refused?.timer)
    this.#refused?.delete(streamRef)
    const left = this.#commands.filter(command => command.streamRef !== streamRef)
    const isFound = refused !== undefined || left.length < this.#commands.length
    this.#commands = left
    return isFound
  }

  /** Gives the upgrades for the connection that is up now, one by one, so that what is cancelled meanwhile is not given. */
  *take(): Iterable<UpgradeCommand> {
    for (let next = this.#commands.shift(); next !== undefined; next = this.#commands.shift()) yield next
  }

  /** Gives all upgrades, and forgets them: none will be asked for again. */
  takeAll(): readonly UpgradeCommand[] {
    const refused = [...(this.#refused?.values() ?? [])]
    for (const { timer } of refused) clearTimeout(timer)
    this.#refused = undefined
    return [...this.take(), ...refused.map(({ command }) => command)]
  }
}
