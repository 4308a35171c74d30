/** The messages that a supervisor takes, beside the exits of its children. */

import type { Call, ExitReason, MonitorTarget, Process, Ref, Timeout } from '@holster/process'
import type { ChildSpec } from '../child-spec.js'
import type { Child } from './children.js'
import type { Failure } from './errors.js'

/** A request to a supervisor. */
export type Request =
  | { readonly type: 'start_child'; readonly spec: ChildSpec }
  | { readonly type: 'terminate_child' | 'get_childspec'; readonly id: string | MonitorTarget }
  | { readonly type: 'restart_child' | 'delete_child'; readonly id: string }
  | { readonly type: 'which_children' | 'count_children' }
  | { readonly type: 'stop'; readonly reason: ExitReason }

/** The answer of a supervisor. */
export type Answer = { readonly value: unknown } | Failure

/** How the start of a child has gone. */
export type Outcome =
  | { readonly isStarted: true; readonly pid: MonitorTarget | undefined }
  | { readonly isStarted: false; readonly reason: ExitReason }

/** The tags of messages that a supervisor sends to itself: nobody else can make them. */
export const SETTLED: unique symbol = Symbol('the start of a child has settled')
export const TRY_AGAIN: unique symbol = Symbol('a restart is to be tried again')

/** The messages of a supervisor. */
export type Message =
  | Call<Request, Answer>
  | { readonly type: typeof SETTLED; readonly ref: Ref; readonly outcome: Outcome }
  | { readonly type: typeof TRY_AGAIN; readonly child: Child }
  | Timeout<Child | undefined>

/** A supervisor, as its own code sees it. */
export type Self = Process<Message>

/** Thrown where a supervisor is to end its children and then itself, for `reason`. */
export class Stop {
  readonly reason: ExitReason
  /** The child that could not be started, if that is why. */
  readonly failure: Failure | undefined

  constructor(reason: ExitReason, failure?: Failure) {
    this.reason = reason
    this.failure = failure
  }
}
