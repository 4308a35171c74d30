/** A call is a message with a return address, to which the callee sends one reply. */

import type { MonitorTarget } from '../exits/exit.js'
import type { Pid } from '../pid.js'
import type { Ref } from '../ref.js'

/**
 * The message that a call sends: `request` asks for a reply of type `R`, which `reply(from, …)` sends. A process that is called
 * names the calls that it answers among its messages, and from these follows what others may ask of it, and what they get:
 *
 * ```ts
 * type Counter = Call<{ type: 'add'; n: number }, void> | Call<{ type: 'sum' }, number>
 * ```
 *
 * Source: `{'$gen_call', From, Request}` of `gen_server`.
 *
 * @to The process that is called, by `self.call`, `call`, `sendRequest` or `multiCall`.
 * @order Once for each call, in the order in which one caller calls, casts and sends. The replies may be sent in any order. A call whose caller
 * has given up stays in the mailbox.
 */
export interface Call<Q, R = unknown> {
  /** The tag by which patterns and a `switch` tell messages apart. */
  readonly type: 'call'
  /** The return address, for `reply`. */
  readonly from: From<R>
  /** The request of the caller. */
  readonly request: Q
}

/**
 * The return address of a call, which may be kept: the reply may be sent later, or by another process. Source:
 * `gen_server:from()`.
 */
export interface From<R = never> {
  /** The process that calls. */
  readonly pid: Pid<never> & MonitorTarget
  /** Names the call. A reply that is sent here after the call has ended is dropped. */
  readonly ref: Ref & Pid<Reply<R>>
}

/**
 * The message that answers a call. `self.call` takes it before any receive sees it; that of a request by `sendRequest` waits in the
 * mailbox. Source: `{reply, Reply}` of `gen_server:check_response/2`.
 *
 * @to The process that has called, for whom `reply` sends it.
 * @order Once for each call at most, when the callee answers. None comes after the end of the callee, or once the caller waits no longer.
 */
export interface Reply<R = unknown> {
  /** The tag by which patterns and a `switch` tell messages apart. */
  readonly type: 'reply'
  /** The `ref` of the return address. */
  readonly ref: Ref
  /** The answer of the callee. */
  readonly value: R
}

/** The type of the requests to a process that takes messages of type `M`: those of the calls among the messages. */
export type RequestOf<M> = unknown extends M ? unknown : M extends Call<infer Q, infer _> ? Q : never

/** The type of the reply to a request `Q` by a process that takes messages of type `M`. */
export type ReplyTo<M, Q> = unknown extends M
  ? unknown
  : M extends Call<infer K, infer R>
    ? Q extends K
      ? R
      : never
    : never

/**
 * Answers a call. Does nothing if the caller has its reply already, or waits no longer. Throws a TypeError unless `from` is that of
 * a call. Source: `gen_server:reply/2`.
 */
export function reply<R>(from: From<R>, ...[value]: undefined extends R ? [value?: R] : [value: R]): void {
  if (typeof from?.ref?.send !== 'function') throw new TypeError('from must be that of a call')
  from.ref.send({ type: 'reply', ref: from.ref, value: value as R })
}
