/** The requests that ask a server for its state, or to end: calls that no clause of the server can name. */

/** The task of a system request. */
export type SystemTask =
  | readonly ['get_state']
  | readonly ['replace_state', (state: never) => unknown]
  | readonly ['suspend']
  | readonly ['resume']
  | readonly ['terminate', reason: unknown]

/**
 * Asks a server for what `getState`, `replaceState`, `suspend`, `resume` and `stop` are about: the `request` of a `Call`. Source:
 * `{system, From, Request}` of `sys`.
 *
 * @to A server, which handles it by itself: no clause sees it.
 * @order In its turn among the calls and messages that came before; at once while the server is suspended, and the others wait.
 */
export class SystemRequest {
  /** @internal */
  readonly system: SystemTask

  /** @internal */
  constructor(system: SystemTask) {
    this.system = system
  }
}

/** An error that a replacement of the state has thrown, on its way to the caller. */
export class Failure {
  /** @internal */
  readonly error: unknown

  /** @internal */
  constructor(error: unknown) {
    this.error = error
  }
}
