/** The upgrades that the next connection begins with, and whether anything has come of those before. */

import type { Again, UpgradeCommand } from '../protocol/contract.js'
import type { StreamRef } from '../stream-ref.js'

export class Comeback {
  #commands: UpgradeCommand[] = []
  /** What the connection was to bring back was lost again before it had come to anything. */
  hasFailed = false

  get isEmpty(): boolean {
    return this.#commands.length === 0
  }

  /** The connection is lost. What `add` is given then is for the next; `timeout` is how long one must last to count. */
  lost(timeout: number): Again {
    this.hasFailed = false
    const now = performance.now()
    return (command, since = now) => {
      // A server that hangs up at once would keep us busy for ever.
      if (command.isRepeated && now - since < timeout) this.hasFailed = true
      this.#commands.push({ ...command, isRepeated: true })
    }
  }

  has(streamRef: StreamRef): boolean {
    return this.#commands.some(command => command.streamRef === streamRef)
  }

  /** Forgets one, and says whether there was one. */
  remove(streamRef: StreamRef): boolean {
    const left = this.#commands.filter(command => command.streamRef !== streamRef)
    const isFound = left.length < this.#commands.length
    this.#commands = left
    return isFound
  }

  /** Gives what there is, once. */
  take(): readonly UpgradeCommand[] {
    return this.#commands.splice(0)
  }
}
