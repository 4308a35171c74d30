/** Processes are spawned on other nodes by the module and the name of their body, since code cannot cross. */

import { inspect } from 'node:util'
import { Process } from '@holster/process'
import { watch } from '@holster/process/internal'
import type { PidAt } from './handles/remote.js'
import { checkCode } from './net-kernel.js'
import { needNode, spawnThere } from './node.js'

declare const module: unique symbol

/** The place of a module, with its type. */
export interface ModuleAt<Module> {
  /** @internal Exists for the type checker alone. */
  readonly [module]?: Module
  /** The URL. */
  readonly href: string
}

/**
 * Gives the place of a module with its type, so that the compiler checks the arguments and the messages of what is spawned from it. Throws a
 * TypeError unless `url` is a URL.
 *
 * ```ts
 * const code = moduleAt<typeof import('./worker.js')>(new URL('./worker.js', import.meta.url))
 * const pid = await spawnAt('shop.1', code, 'counter', 10)
 * ```
 */
export function moduleAt<Module>(url: URL): ModuleAt<Module> {
  if (!(url instanceof URL)) throw new TypeError(`url must be a URL, not ${inspect(url, { depth: 0 })}`)
  return { href: url.href }
}

/** A function that a module exports, and a process of another node can run: it gets its process and the arguments of `spawnAt`. */
export type Body = (...args: never[]) => unknown

/** The names of the bodies in a module. */
export type BodyName<Module> = unknown extends Module
  ? string
  : { [Name in keyof Module & string]: Module[Name] extends Body ? Name : never }[keyof Module & string]

/** The arguments of a body behind its process. */
export type BodyArgs<Module, Name> = unknown extends Module
  ? unknown[]
  : Name extends keyof Module
    ? Module[Name] extends (self: never, ...args: infer Args) => unknown
      ? Args
      : never
    : never

/** The messages that the process of a body takes. */
export type BodyMessage<Module, Name> = unknown extends Module
  ? unknown
  : Name extends keyof Module
    ? Module[Name] extends (self: infer Self, ...args: never[]) => unknown
      ? Self extends Process<infer M>
        ? M
        : unknown
      : never
    : never

/**
 * Starts a process on a node: it runs the exported function `name` of the module at `code`, with its process and `args`. Resolves to the
 * pid once the process has begun. Rejects with the error of a module that cannot be loaded or has no such function, with a `CallError` if the
 * node cannot be reached, with a TypeError that names what is wrong with an argument, such as one that cannot be sent or a URL that is not of a
 * file, and with an Error if this program is no node. Source: `erlang:spawn/4`.
 */
export function spawnAt(node: string, code: URL, name: string, ...args: unknown[]): Promise<PidAt>
/** Does so where `moduleAt` has told the compiler what the module holds. */
export function spawnAt<Module, const Name extends BodyName<Module>>(
  node: string,
  code: ModuleAt<Module>,
  name: Name,
  ...args: BodyArgs<Module, Name>
): Promise<PidAt<BodyMessage<Module, Name>>>
export async function spawnAt(
  node: string,
  code: URL | ModuleAt<unknown>,
  name: string,
  ...args: unknown[]
): Promise<PidAt> {
  return ask(node, code, name, args, undefined)
}

/**
 * Does as `spawnAt`, and links `self` to the process before its body begins. Source: `erlang:spawn_link/4`.
 */
export function spawnLinkAt<M>(
  self: Process<M>,
  node: string,
  code: URL,
  name: string,
  ...args: unknown[]
): Promise<PidAt>
/** Does so where `moduleAt` has told the compiler what the module holds. */
export function spawnLinkAt<M, Module, const Name extends BodyName<Module>>(
  self: Process<M>,
  node: string,
  code: ModuleAt<Module>,
  name: Name,
  ...args: BodyArgs<Module, Name>
): Promise<PidAt<BodyMessage<Module, Name>>>
export async function spawnLinkAt<M>(
  self: Process<M>,
  node: string,
  code: URL | ModuleAt<unknown>,
  name: string,
  ...args: unknown[]
): Promise<PidAt> {
  if (!(self instanceof Process)) {
    throw new TypeError(`self must be a process, not ${inspect(self, { depth: 0 })}`)
  }
  return ask(node, code, name, args, self as unknown as Process<never>)
}

/**
 * Does as `spawnAt` on the worker node that has the least to do: whose event loop was idle for the longest part of the last moments, or, if
 * several were, which has the fewest of the processes that this function has spawned. Rejects with an Error if this program has started
 * no workers.
 */
export function spawnAny(code: URL, name: string, ...args: unknown[]): Promise<PidAt>
/** Does so where `moduleAt` has told the compiler what the module holds. */
export function spawnAny<Module, const Name extends BodyName<Module>>(
  code: ModuleAt<Module>,
  name: Name,
  ...args: BodyArgs<Module, Name>
): Promise<PidAt<BodyMessage<Module, Name>>>
export async function spawnAny(
  code: URL | ModuleAt<unknown>,
  name: string,
  ...args: unknown[]
): Promise<PidAt> {
  const worker = needNode().crew.take()
  if (worker === undefined) throw new Error('there are no workers: start some with workers(n) first')
  try {
    const pid = await ask(worker.name, code, name, args, undefined)
    if (watch(pid, () => worker.processes--) === undefined) worker.processes--
    return pid
  } catch (error) {
    worker.processes--
    throw error
  }
}

async function ask(
  node: string,
  code: URL | ModuleAt<unknown>,
  name: string,
  args: readonly unknown[],
  link: Process<never> | undefined,
): Promise<PidAt> {
  if (typeof code?.href !== 'string') {
    throw new TypeError(
      `code must be a URL, such as new URL('./worker.js', import.meta.url), not ${inspect(code, { depth: 0 })}`,
    )
  }
  checkCode(code.href)
  if (typeof name !== 'string' || name === '')
    throw new TypeError('name must be that of an exported function')
  // Else an error would name the place in the message that asks, which is none of the caller's.
  needNode().node.checkSendable(args, 'args')
  return spawnThere(node, { url: code.href, name, args, link })
}
