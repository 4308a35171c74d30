/** A request for which a server has no clause crashes it, and a server that does not start says why. */

import { describeReason, didYouMean, makeErrorPortable, printShort } from '@holster/process/internal'

/**
 * The exit reason of a server that gets a request, a cast or a term for which it has no clause. The message lists the clauses that there
 * are. Source: the error `function_clause`.
 */
export class FunctionClauseError extends Error {
  /** `'FunctionClauseError'`. */
  override readonly name = 'FunctionClauseError'
  /** The request or the term for which there is no clause. */
  readonly request: unknown

  /** @internal `clauses` has the types of the requests that have a clause; without it the callback is missing. */
  constructor(callback: string, request: unknown, clauses?: ReadonlyMap<unknown, unknown>) {
    super(
      `${callback} has no clause for ${printShort(request)}${hint(request, [...(clauses?.keys() ?? [])])}`,
    )
    this.request = request
  }
}

function hint(request: unknown, known: readonly unknown[]): string {
  if (known.length === 0) return ', nor any other'
  const names = known.map(String)
  const type: unknown = (request as { readonly type?: unknown } | null | undefined)?.type
  const near = typeof type === 'string' ? didYouMean(type, names) : ''
  return `${near}${near === '' ? ': it' : ' It'} has ${names.map(name => `'${name}'`).join(', ')}`
}

/**
 * Rejects the start of a server that does not come to run.
 *
 * | reason | when |
 * | --- | --- |
 * | `['already_started', pid]` | the name is taken, by `pid` |
 * | `'timeout'` | `init` took longer than the `timeout` of the options; the process was killed |
 * | anything else | `init` answered `['stop', reason]` or threw `reason`, or the process was ended meanwhile |
 *
 * Source: the `{error, Reason}` of `gen_server:start_link/3`.
 */
export class StartError extends Error {
  /** `'StartError'`. */
  override readonly name = 'StartError'
  /** Why the server did not start. An error that `init` threw is also the `cause`. */
  readonly reason: unknown

  /** @internal `server` names the server. */
  constructor(server: string, reason: unknown) {
    super(
      `${server} did not start: ${describeReason(reason)}`,
      reason instanceof Error ? { cause: reason } : undefined,
    )
    this.reason = reason
  }
}

makeErrorPortable(FunctionClauseError, 'FunctionClauseError')
makeErrorPortable(StartError, 'StartError')
