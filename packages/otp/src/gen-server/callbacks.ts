/** The callbacks of a server say what it does; what others may ask of it, and what they get, follows from their types. */

import type { Call, Down, Exit, From, Process } from '@holster/process'
import type { After, Async, CallAnswer, InitAnswer, NoReplyAnswer } from './answers.js'
import type { SystemRequest } from './system-request.js'

/**
 * The message that `cast` sends. Source: `{'$gen_cast', Request}` of `gen_server`.
 *
 * @to A server, whose `handleCast` gets the request, or any process that takes it as a message.
 * @order Once for each `cast`, in the order in which one process casts, calls and sends.
 */
export interface Cast<Q> {
  /** The tag by which patterns and a `switch` tell messages apart. */
  readonly type: 'cast'
  /** The request to the server. */
  readonly request: Q
}

/**
 * The message that `handleInfo` gets when no other came in the time that the last answer gave. Source: the atom `timeout` of
 * `gen_server`.
 *
 * @to A server whose last answer ended with a number of milliseconds.
 * @order Once for each such answer, unless any message comes before. The next answer may set a time again.
 */
export interface IdleTimeout {
  /** The tag by which patterns and a `switch` tell messages apart. A timer's `Timeout` has a `ref` beside it. */
  readonly type: 'timeout'
}

/** The type of the requests that may be cast to a process which takes messages of type `M`. */
export type CastOf<M> = unknown extends M ? unknown : M extends Cast<infer Q> ? Q : never

/** `init`, whose second parameter is the process of the server. */
export type Init = (args: never, self: Process) => Async<InitAnswer<unknown>>

/**
 * A clause of `handleCall`. `from` is the return address for `reply`, where the answer is `['noreply', …]`. The type is that of a
 * method, which may expect a narrower state: the compiler looks at some clauses before `init`, when it knows no state yet.
 * `Checks` then compares the state that the clause expects with the one that there is.
 */
export type HandleCall<S> = {
  /** Handles a call. */
  call(request: never, from: From<never>, state: S, self: Process): Async<CallAnswer<S>>
}['call']

/** `handleInfo`, `handleContinue`, and one clause of `handleCast`. The type of the state is as for `HandleCall`. */
export type HandleMessage<S> = {
  /** Handles a message. */
  handle(message: never, state: S, self: Process): Async<NoReplyAnswer<S>>
}['handle']

/** `terminate`. The type of the state is as for `HandleCall`. */
export type Terminate<S> = {
  /** Runs before the server exits. */
  terminate(reason: unknown, state: S, self: Process): unknown
}['terminate']

/** The answer of a callback, at once or later. */
export type AnswerOf<F> = F extends (...args: never) => infer R ? Awaited<R> : never

/** The type of the state, as `init` gives it. */
export type StateOf<I> =
  AnswerOf<I> extends infer A
    ? A extends readonly ['ok', infer S, ...(readonly [] | readonly [After])]
      ? S
      : never
    : never

/** The type of the first parameter of `init`; `undefined` if it has none, or none with a type. */
export type ArgsOf<I> = I extends (...args: infer P extends readonly unknown[]) => unknown
  ? P extends readonly [infer A, ...unknown[]]
    ? [A] extends [never]
      ? undefined
      : A
    : undefined
  : undefined

/** The messages that `handleInfo` takes, by the type of its first parameter, and that others may send; none if that is `unknown`. */
export type InfoOf<F> = F extends (message: infer M, ...others: never) => unknown
  ? unknown extends M
    ? never
    : Exclude<M, Down | Exit | IdleTimeout>
  : never

/** A request by the name of its clause. */
export interface Tagged<K> {
  /** The name of the clause. */
  readonly type: K
}

/** The request of the clause `F` with the name `K`. */
export type RequestTo<K, F> = F extends (request: infer Q, ...others: never) => unknown
  ? unknown extends Q
    ? Tagged<K>
    : [Q] extends [never]
      ? Tagged<K>
      : Tagged<K> & Q
  : never

/** The type of the reply of the clause `F` for calls: what its answers hold, and what the type of its `from` allows. */
export type ReplyOf<F> =
  | (AnswerOf<F> extends infer A
      ? A extends readonly ['reply', infer V, ...unknown[]]
        ? V
        : A extends readonly ['stop', unknown, infer V, unknown]
          ? V
          : never
      : never)
  | (F extends (request: never, from: From<infer R>, ...others: never) => unknown
      ? unknown extends R
        ? never
        : R
      : never)

/** The messages of a server with the state `S`, the clauses `C` for calls and `K` for casts, and `handleInfo` of the type `F`. */
export type MessagesOf<S, C, K, F> =
  | { [N in keyof C]: Call<RequestTo<N, C[N]>, ReplyOf<C[N]>> }[keyof C]
  | { [N in keyof K]: Cast<RequestTo<N, K[N]>> }[keyof K]
  | InfoOf<F>
  | Call<SystemRequest, S>

/**
 * The callbacks of which a server is made. `init` must come first, as the compiler takes the type of the state from it for what
 * follows.
 *
 * All callbacks may be asynchronous: the server takes its next message when the callback is done. The last parameter of each is
 * the process of the server, to monitor, to start timers, or to own a connection.
 */
export interface Callbacks<I, C, K, F, T, E> {
  /** Makes the state of `args`, which `start` was given. The server's name is registered already. Source: `Module:init/1`. */
  readonly init: I
  /**
   * The clauses for calls, by the `type` of the request. The type of the reply is that of the answers; a clause that answers
   * `['noreply', …]` and replies later annotates `from`, as in `from: From<number>`. Source: `Module:handle_call/3`.
   */
  readonly handleCall?: C & Readonly<Record<string, HandleCall<StateOf<I>>>>
  /** The clauses for casts, by the `type` of the request. Source: `Module:handle_cast/2`. */
  readonly handleCast?: K & Readonly<Record<string, HandleMessage<StateOf<I>>>>
  /**
   * Gets all other messages: those of monitors, links, timers and connections, and `IdleTimeout`. Where it is absent, they are reported
   * to the hook of `setReportHook` as `'unexpected'` and dropped. Source: `Module:handle_info/2`.
   */
  readonly handleInfo?: F & HandleMessage<StateOf<I>>
  /** Gets the term of `['continue', term]` before any message is taken. Source: `Module:handle_continue/2`. */
  readonly handleContinue?: T & HandleMessage<StateOf<I>>
  /**
   * Runs before the server exits for a reason of its own: an answer `['stop', …]`, an error in a callback, `stop`, or the exit of
   * the parent while the server traps exits. Does not run when the server is killed, or ended by an exit signal that it does not
   * trap. An error that the callback throws takes the place of the reason; its result is awaited and dropped. Source:
   * `Module:terminate/2`.
   */
  readonly terminate?: E & Terminate<StateOf<I>>
  /** The `label` of each process of this server, and the id of a child spec without a name. Default: none. */
  readonly label?: string
}

/** The type that a type checker shows for a callback that expects another state than `init` gives. */
export interface StateIsOfAnotherType<S> {
  /** Holds the state that `init` gives; there is no such property at run time. */
  readonly 'init gives another state': S
}

/** The type that a type checker shows for a `handleContinue` that does not expect all terms of the answers. */
export interface TermIsOfAnotherType<T> {
  /** Holds the terms; there is no such property at run time. */
  readonly 'answers continue with other terms': T
}

/** `unknown` if a callback that takes the state `T` can be given the state `S`; otherwise a type that says that it cannot. */
export type TakesState<S, T> = unknown extends S
  ? unknown
  : [S] extends [T]
    ? unknown
    : StateIsOfAnotherType<S>

/** `unknown` if the callback, whose second parameter is the state, takes the state `S`. */
export type HasState<S, F> = F extends (first: never, state: infer T, ...others: never) => unknown
  ? TakesState<S, T>
  : unknown

/** The terms of the answers `['continue', term]`. */
export type TermOf<A> = A extends readonly [...unknown[], readonly ['continue', infer T]] ? T : never

/** `unknown` if `handleContinue`, of the type `F`, takes all terms `T`. */
export type HasTerms<T, F> = unknown extends T
  ? unknown
  : F extends (term: infer U, ...others: never) => unknown
    ? [T] extends [U]
      ? unknown
      : TermIsOfAnotherType<T>
    : unknown

/** Compares the states and terms that callbacks expect with those that there are: methods may expect narrower ones than are given. */
export interface Checks<I, C, K, F, T, E, S = StateOf<I>> {
  /** Each clause takes the state. */
  readonly handleCall?: {
    readonly [N in keyof C]: C[N] extends (
      request: never,
      from: never,
      state: infer U,
      ...others: never
    ) => unknown
      ? TakesState<S, U>
      : unknown
  }
  /** Each clause takes the state. */
  readonly handleCast?: { readonly [N in keyof K]: HasState<S, K[N]> }
  /** The callback takes the state. */
  readonly handleInfo?: HasState<S, F>
  /** The callback takes the state, and the terms of all answers. */
  readonly handleContinue?: HasState<S, T> &
    HasTerms<TermOf<AnswerOf<I> | AnswerOf<C[keyof C]> | AnswerOf<K[keyof K]> | AnswerOf<F> | AnswerOf<T>>, T>
  /** The callback takes the state. */
  readonly terminate?: HasState<S, E>
}
