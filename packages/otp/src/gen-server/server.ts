/** A server is defined once, from its callbacks, and started any number of times. */

import { inspect } from 'node:util'
import type { Process } from '@holster/process'
import { checkObject, didYouMean } from '@holster/process/internal'
import type { ArgsOf, Callbacks, Checks, Init, MessagesOf, StateOf } from './callbacks.js'

/** Any server. */
export type AnyServer = Server<never, unknown, unknown, unknown>

type Handle = (...args: unknown[]) => unknown

declare const types: unique symbol

/**
 * A server, as `define` makes it: `start` and its like run it. The type parameters are the types that others see of the server.
 */
export class Server<Args = never, State = unknown, Messages = unknown, Ignored = never> {
  /** @internal Holds the types; there is no such property at run time. */
  declare readonly [types]: {
    readonly args: (args: Args) => void
    readonly state: State
    readonly messages: Messages
    readonly ignored: Ignored
  }
  /** @internal */
  readonly init: Handle
  /** @internal */
  readonly calls: ReadonlyMap<unknown, Handle>
  /** @internal */
  readonly casts: ReadonlyMap<unknown, Handle>
  /** @internal */
  readonly handleInfo: Handle | undefined
  /** @internal */
  readonly handleContinue: Handle | undefined
  /** @internal */
  readonly terminate: Handle | undefined
  /** The `label` of each process of this server. */
  readonly label: string | undefined

  /** @internal Use `define`. */
  constructor(callbacks: Readonly<Record<string, unknown>>) {
    checkNames(callbacks)
    this.init = functionOf('init', callbacks.init, true) as Handle
    this.calls = clausesOf('handleCall', callbacks.handleCall)
    this.casts = clausesOf('handleCast', callbacks.handleCast)
    this.handleInfo = functionOf('handleInfo', callbacks.handleInfo)
    this.handleContinue = functionOf('handleContinue', callbacks.handleContinue)
    this.terminate = functionOf('terminate', callbacks.terminate)
    const { label } = callbacks
    if (label !== undefined && (typeof label !== 'string' || label === '')) {
      throw new TypeError(`label must be a non-empty string, not ${inspect(label)}`)
    }
    this.label = label
  }
}

const NAMES = ['init', 'handleCall', 'handleCast', 'handleInfo', 'handleContinue', 'terminate', 'label']

function checkNames(callbacks: unknown): void {
  checkObject(callbacks, 'callbacks')
  for (const name of Object.keys(callbacks)) {
    if (!NAMES.includes(name)) {
      throw new TypeError(`${name} is not a callback of a server${didYouMean(name, NAMES, SYNONYMS)}`)
    }
  }
}

const SYNONYMS = { name: ['label'], call: ['handleCall'], cast: ['handleCast'], info: ['handleInfo'] }

function functionOf(name: string, value: unknown, isNeeded = false): Handle | undefined {
  if (typeof value === 'function') return value as Handle
  if (value === undefined && !isNeeded) return undefined
  throw new TypeError(`${name} must be a function, not ${inspect(value, { depth: 0 })}`)
}

function clausesOf(name: string, table: unknown): ReadonlyMap<unknown, Handle> {
  const clauses = new Map<unknown, Handle>()
  if (table === undefined) return clauses
  if (typeof table !== 'object' || table === null) {
    const shown = inspect(table, { depth: 0 })
    throw new TypeError(`${name} must be an object with a function for each type of request, not ${shown}`)
  }
  for (const [type, clause] of Object.entries(table)) {
    clauses.set(type, functionOf(`${name}.${type}`, clause, true) as Handle)
  }
  return clauses
}

/**
 * Defines a server. The compiler infers all types from the callbacks: the state from what `init` answers, the requests from the names of
 * the clauses and the types of their first parameters, the replies from the answers.
 *
 * ```ts
 * const counter = genServer.define({
 *   init: (start: number) => ['ok', { sum: start }],
 *   handleCall: {
 *     add: ({ n }: { n: number }, _from, { sum }) => ['reply', 'ok', { sum: sum + n }],
 *     sum: (_request, _from, state) => ['reply', state.sum, state],
 *   },
 *   handleCast: { reset: () => ['noreply', { sum: 0 }] },
 * })
 * const pid = await genServer.start(counter, 1)
 * const sum: number = await genServer.call(pid, { type: 'sum' })
 * ```
 *
 * Throws a TypeError that names a wrong callback. Source: the callback module of `gen_server`.
 */
export function define<
  I extends Init,
  C extends object = object,
  K extends object = object,
  F = unknown,
  T = unknown,
  E = unknown,
>(
  callbacks: Callbacks<I, C, K, F, T, E> & NoInfer<Checks<I, C, K, F, T, E>>,
): Server<
  ArgsOf<I>,
  StateOf<I>,
  MessagesOf<StateOf<I>, C, K, F>,
  'ignore' extends Awaited<ReturnType<I>> ? 'ignore' : never
> {
  return new Server(callbacks as unknown as Readonly<Record<string, unknown>>)
}

/** The process of a server: `ServerPid<typeof counter>`. */
export type ServerPid<V> = V extends Server<never, unknown, infer M, unknown> ? Process<M> : never
