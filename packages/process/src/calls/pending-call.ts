/** A call waits beside the receives of its process; its reply, or the end of the callee, comes to it and to no receive. */

import type { ExitReason } from '../exit-reason.js'
import { type MonitorTarget, watchBy } from '../exits/exit.js'
import { Watch } from '../exits/watchers.js'
import { Timer } from '../host/timer.js'
import { rejected } from '../host/turns.js'
import type { Mailbox } from '../mailbox/mailbox.js'
import { Waiter } from '../mailbox/waiting.js'
import { Clause } from '../patterns/pattern.js'
import { printShort } from '../patterns/print.js'
import type { Pid } from '../pid.js'
import { makePortable } from '../portable.js'
import { Ref, refNumberOf } from '../ref.js'
import type { Reply } from './call.js'
import { CallError } from './call-error.js'
import type { Callee } from './callee.js'

/** Matches no message: the reply does not come through the mailbox, and may come from anywhere. */
const NO_MESSAGE: readonly Clause[] = [new Clause(Symbol('the reply to a call'))]

/** A monitor of the callee and an alias of the caller in one reference. */
class CallRef extends Ref implements Pid<Reply> {
  #call: PendingCall | undefined

  constructor(call: PendingCall) {
    super()
    this.#call = call
  }

  /** `#Alias<12>`; unique within this program. */
  override get id(): string {
    return `#Alias<${this.ref}>`
  }

  /** Ends the call with its reply; does nothing once the call has ended. */
  send({ value }: Reply): void {
    this.#call?.answered(value)
  }

  /** Lets go of a call that has ended: a callee may keep the return address for ever. */
  forget(): void {
    this.#call = undefined
  }
}

makePortable(CallRef, { name: 'Alias', numberOf: refNumberOf })

/** A call that waits for its reply. */
class PendingCall extends Watch {
  readonly waiter = new Waiter(NO_MESSAGE)
  readonly ref = new CallRef(this)
  private readonly caller: MonitorTarget
  private readonly mailbox: Mailbox
  private readonly callee: unknown
  private readonly request: unknown

  constructor(caller: MonitorTarget, mailbox: Mailbox, callee: unknown, request: unknown, timeout: number) {
    super()
    this.caller = caller
    this.mailbox = mailbox
    this.callee = callee
    this.request = request
    this.waiter.subject = this
    if (timeout !== Number.POSITIVE_INFINITY) {
      this.waiter.timer = new Timer(timeout, () => this.fail('timeout', timeout))
    }
    this.waiter.unlisten = () => this.stop()
  }

  answered(value: unknown): void {
    if (!this.mailbox.leave(this.waiter)) return
    this.mailbox.tracer?.tell({ event: 'reply', ref: this.ref, value })
    this.waiter.resolve(value)
  }

  told(reason: ExitReason): void {
    this.fail(reason)
  }

  fail(reason: ExitReason, after?: number): void {
    if (!this.mailbox.leave(this.waiter)) return
    this.waiter.reject(new CallError(this.callee, this.request, reason, after))
  }

  override stop(): void {
    super.stop()
    this.ref.forget()
  }

  override get watcher(): MonitorTarget {
    return this.caller
  }

  /** Shows what the caller waits for. */
  describe(): string {
    return `the reply of ${printShort(this.callee)} to ${printShort(this.request)}`
  }
}

/**
 * Sends `request` to `target` in the name of `caller`, whose mailbox is `mailbox`, and gives the promise of the reply. `callee` stands
 * for the target in an error.
 */
export function startCall(
  caller: Pid<never> & MonitorTarget,
  mailbox: Mailbox,
  target: Callee,
  callee: unknown,
  request: unknown,
  timeout: number,
): Promise<unknown> {
  const call = new PendingCall(caller, mailbox, callee, request, timeout)
  const { ref, waiter } = call
  // Before the message is sent, since an actor may reply at once.
  mailbox.expect(waiter)
  mailbox.tracer?.tell({ event: 'call', ref, target: callee, request })
  if (!watchBy(call, target, 'monitor')) {
    mailbox.leave(waiter)
    waiter.release()
    return rejected(new CallError(callee, request, 'noproc'))
  }
  try {
    target.send({ type: 'call', from: { pid: caller, ref: ref as Ref & Pid<Reply> }, request })
  } catch (error) {
    if (mailbox.leave(waiter)) waiter.reject(error)
  }
  return waiter.outcome
}
