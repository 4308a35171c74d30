/** The upgrades that are asked for again, on the next connection or in a while, and whether anything has come of those before. */

import type { StreamRef } from '../handles.js'
import type { UpgradeCommand } from '../layer/commands.js'
import type { Again } from '../layer/contract.js'

export class Comeback {
  #commands: UpgradeCommand[] = []
  /** Those that the server has refused, each with the timer that ends its wait. */
  readonly #refused = new Map<
    StreamRef,
    { readonly command: UpgradeCommand; readonly timer: NodeJS.Timeout }
  >()
  /** What the connection was to bring back was lost again before it had come to anything. */
  hasFailed = false

  get isEmpty(): boolean {
    return this.#commands.length === 0 && this.#refused.size === 0
  }

  /** The connection is lost. What `add` is given then is for the next; `timeout` is how long one must last to count. */
  lost(timeout: number): Again {
    this.hasFailed = false
    const now = performance.now()
    return (command, since = now) => {
      // A server that hangs up at once would keep us busy for ever.
      if (command.isRepeated && now - since < timeout) this.hasFailed = true
      this.add({ ...command, isRepeated: true })
    }
  }

  /** For the next connection. */
  add(command: UpgradeCommand): void {
    this.#commands.push(command)
  }

  /** Refused: after so many milliseconds `again` is called, whatever connection there is by then. */
  wait(command: UpgradeCommand, delay: number, again: (command: UpgradeCommand) => void): void {
    const { streamRef } = command
    const timer = setTimeout(() => {
      this.#refused.delete(streamRef)
      again(command)
    }, delay)
    this.#refused.set(streamRef, { command, timer })
  }

  has(streamRef: StreamRef): boolean {
    return this.#refused.has(streamRef) || this.#commands.some(command => command.streamRef === streamRef)
  }

  /** Forgets one, and says whether there was one. */
  remove(streamRef: StreamRef): boolean {
    const refused = this.#refused.get(streamRef)
    clearTimeout(refused?.timer)
    this.#refused.delete(streamRef)
    const left = this.#commands.filter(command => command.streamRef !== streamRef)
    const isFound = refused !== undefined || left.length < this.#commands.length
    this.#commands = left
    return isFound
  }

  /** Gives what there is for the connection that is up now, once and one by one: what is cancelled meanwhile is not given. */
  *take(): Iterable<UpgradeCommand> {
    for (let next = this.#commands.shift(); next !== undefined; next = this.#commands.shift()) yield next
  }

  /** Gives all there is, once: none will be asked for again. */
  takeAll(): readonly UpgradeCommand[] {
    const refused = [...this.#refused.values()]
    for (const { timer } of refused) clearTimeout(timer)
    this.#refused.clear()
    return [...this.take(), ...refused.map(({ command }) => command)]
  }
}
