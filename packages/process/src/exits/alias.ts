/** An alias stands for a process until it is taken back: messages that are sent to it later are dropped. */

import type { Mailbox } from '../mailbox/mailbox.js'
import type { Pid } from '../pid.js'
import { kept, makePortable } from '../portable.js'
import { Ref, refNumberOf } from '../ref.js'
import { MonitorAlias } from './monitor.js'

/**
 * How long an alias stays active: until `unalias`, or until then or the first message through it. Source: the options of
 * `erlang:alias/1`.
 */
export type AliasMode = 'explicit_unalias' | 'reply'

/**
 * A reference that stands for the process that made it: while the alias is active, messages that are sent to it go to that
 * process. Later ones are dropped. Source: `erlang:alias/1`.
 */
export class Alias<M = never> extends Ref implements Pid<M> {
  /** Where the messages go; `undefined` once the alias is not active any more. */
  #mailbox: Mailbox | undefined
  readonly #isForOne: boolean

  /** @internal */
  constructor(mailbox: Mailbox | undefined, mode: AliasMode) {
    super()
    this.#mailbox = mailbox
    this.#isForOne = mode === 'reply'
  }

  /** `#Alias<12>`; unique within this program. */
  override get id(): string {
    return `#Alias<${this.ref}>`
  }

  /** Sends a message to the process that made the alias; does nothing once the alias is not active. */
  send(message: M): void {
    const mailbox = this.#mailbox
    if (this.#isForOne) {
      this.#mailbox = undefined
      mailbox?.letGo(this)
    }
    mailbox?.accept(message)
  }

  /** @internal Has the process keep the alias for as long as it is active, since another node may send to it. */
  [kept](): void {
    this.#mailbox?.keep(this)
  }

  /** @internal Takes back the alias of the process with `mailbox`, and says whether it was active. */
  deactivate(mailbox: Mailbox): boolean {
    if (this.#mailbox !== mailbox) return false
    this.#mailbox = undefined
    mailbox.letGo(this)
    return true
  }
}

makePortable(Alias, { name: 'Alias', numberOf: refNumberOf })

/** Throws a TypeError unless `alias` is one. */
export function checkAlias(alias: unknown): asserts alias is Alias | MonitorAlias {
  if (alias instanceof Alias || alias instanceof MonitorAlias) return
  throw new TypeError('alias must be what alias gave, or monitor with the option alias')
}
