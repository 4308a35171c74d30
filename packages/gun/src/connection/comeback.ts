/** Keeps the upgrades that are asked for again, on the next connection or in a while, and notes whether they come to anything. */

import { reportExit } from '@holster/process/internal'
import type { ConnPid, StreamRef } from '../handles.js'
import type { UpgradeCommand } from '../layer/commands.js'
import type { Again } from '../layer/contract.js'
import type { Layer } from '../layer/layer.js'
import { delayAfter } from '../websocket/reupgrade.js'
import type { Headers } from '../words.js'
import type { ConnectionContext } from './events.js'

/** The connection, as far as the upgrades that come back need it. */
export interface ComebackHome {
  readonly connPid: ConnPid
  readonly context: Pick<ConnectionContext, 'ending'>
  readonly layer: Pick<Layer, 'deliver' | 'protocol'> | undefined
  readonly isAccepting: boolean
  readonly commands: { performLate(command: UpgradeCommand): void }
}

interface Refused {
  readonly command: UpgradeCommand
  readonly timer: NodeJS.Timeout
}

export class Comeback {
  readonly #home: ComebackHome
  /** The upgrades that the next connection asks for. */
  #commands: UpgradeCommand[] | undefined
  /** The upgrades that the server has refused, each with the timer that ends its wait. Most connections never have any. */
  #refused: Map<StreamRef, Refused> | undefined
  /** Whether the last connection had brought an upgrade back and lost it again too early to count. */
  hasFailed = false

  constructor(home: ComebackHome) {
    this.#home = home
  }

  get isEmpty(): boolean {
    return (this.#commands?.length ?? 0) === 0 && (this.#refused === undefined || this.#refused.size === 0)
  }

  /** Gives how to keep a lost connection's upgrades. One that came back counts if it has lasted `timeout` milliseconds. */
  lost(timeout: number): Again {
    this.hasFailed = false
    const now = performance.now()
    return (command, since = now) => {
      // A server that hangs up at once would keep us busy for ever.
      if (command.isRepeated && now - since < timeout) this.hasFailed = true
      this.#keep({ ...command, isRepeated: true })
    }
  }

  /** Asks for the upgrades once more on the connection that is up now. */
  accept(): void {
    if (this.#commands === undefined || !this.#isPossible) return
    for (const command of this.#take()) this.#home.commands.performLate(command)
  }

  /** Takes an upgrade that the server has refused, if its options and the response allow that, and tells the caller. */
  askAgain(command: UpgradeCommand, status: number, headers: Headers): boolean {
    const { connPid, context, layer } = this.#home
    const { reupgrade } = command.opts
    if (context.ending !== undefined || !reupgrade) return false
    const refusals = (command.refusals ?? 0) + 1
    let retryIn: number | undefined
    try {
      retryIn = delayAfter(reupgrade === true ? {} : reupgrade, status, headers, refusals)
    } catch (error) {
      reportExit(connPid, error)
    }
    if (retryIn === undefined) return false
    const { streamRef } = command
    this.#wait({ ...command, refusals }, retryIn)
    const data = { status, headers, retryIn }
    layer?.deliver(streamRef, { type: 'gun_notify', connPid, streamRef, event: 'upgrade_refused', data })
    return true
  }

  /** Keeps a refused upgrade for `delay` milliseconds, whatever connection there is by then. */
  #wait(command: UpgradeCommand, delay: number): void {
    const { streamRef } = command
    const timer = setTimeout(() => {
      this.#refused?.delete(streamRef)
      if (this.#home.isAccepting && this.#isPossible) this.#home.commands.performLate(command)
      else this.#keep(command)
    }, delay)
    this.#refused ??= new Map()
    this.#refused.set(streamRef, { command, timer })
  }

  #keep(command: UpgradeCommand): void {
    this.#commands ??= []
    this.#commands.push(command)
  }

  /** Whether the protocol can upgrade: SOCKS5 has to lead on before, and another upgrade may have taken the connection over. */
  get #isPossible(): boolean {
    return this.#home.layer?.protocol?.upgrade !== undefined
  }

  has(streamRef: StreamRef): boolean {
    if (this.#refused?.has(streamRef)) return true
    return this.#commands?.some(command => command.streamRef === streamRef) ?? false
  }

  /** The streams whose upgrades wait. */
  get streams(): readonly StreamRef[] {
    return [...(this.#commands ?? []).map(({ streamRef }) => streamRef), ...(this.#refused?.keys() ?? [])]
  }

  /** Forgets the upgrade of a stream, and gives whether there was one. */
  remove(streamRef: StreamRef): boolean {
    const refused = this.#refused?.get(streamRef)
    clearTimeout(refused?.timer)
    this.#refused?.delete(streamRef)
    const at = this.#commands?.findIndex(command => command.streamRef === streamRef) ?? -1
    if (at !== -1) this.#commands?.splice(at, 1)
    return refused !== undefined || at !== -1
  }

  /** Gives all upgrades, and forgets them: none will be asked for again. */
  takeAll(): readonly UpgradeCommand[] {
    const refused = [...(this.#refused?.values() ?? [])]
    for (const { timer } of refused) clearTimeout(timer)
    this.#refused = undefined
    return [...this.#take(), ...refused.map(({ command }) => command)]
  }

  /** Gives the upgrades for the next connection one by one, so that those cancelled meanwhile are not given. */
  *#take(): Iterable<UpgradeCommand> {
    for (let next = this.#commands?.shift(); next !== undefined; next = this.#commands?.shift()) yield next
  }
}
