/** The upgrades that the next connection begins with, and whether anything has come of those before. */

import type { Protocol, UpgradeCommand } from '../protocol/contract.js'

export class Comeback {
  #commands: UpgradeCommand[] = []
  #switchedAt = 0
  /** What the connection was to bring back was lost again before it had come to anything. */
  hasFailed = false

  get isEmpty(): boolean {
    return this.#commands.length === 0
  }

  /** A WebSocket has begun. */
  begun(): void {
    this.#switchedAt = performance.now()
  }

  /** The connection is lost. What `add` is given then is for the next; `timeout` is how long one must last to count. */
  lost(protocol: Protocol | undefined, timeout: number): (command: UpgradeCommand) => void {
    this.hasFailed = false
    // A server that hangs up at once would keep us busy for ever.
    const isShort = !protocol?.hasHeard && performance.now() - this.#switchedAt < timeout
    return command => {
      if (command.isRepeated && (protocol?.name !== 'ws' || isShort)) this.hasFailed = true
      this.#commands.push({ ...command, isRepeated: true })
    }
  }

  /** Gives what there is, once. */
  take(): readonly UpgradeCommand[] {
    return this.#commands.splice(0)
  }
}
