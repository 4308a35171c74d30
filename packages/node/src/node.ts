/** The functions of a node, in the order of Erlang's: starting and stopping, who is there, names on other nodes. */

import { inspect } from 'node:util'
import type { MessagePort } from 'node:worker_threads'
import { call, type Pid, type Process, spawn, whereis as whereisHere } from '@holster/process'
import { homeOf, NO_NODE, reportThrown, setHome } from '@holster/process/internal'
import { type PidAt, type RemotePid, RemoteTarget } from './handles/remote.js'
import { checkNodeName } from './identity.js'
import {
  NET_KERNEL,
  type NetKernelCall,
  type NetKernelMessage,
  netKernel,
  type Spawned,
  type SpawnRequest,
} from './net-kernel.js'
import { checkNodeOptions, type NodeOptions } from './options.js'
import type { NameAt } from './peer/atlas.js'
import { RunningNode } from './running-node.js'
import { Crew } from './threads/crew.js'
import { type Introduction, Threads } from './threads/threads.js'

/** All that runs while this program is a node. */
interface Started {
  readonly node: RunningNode
  readonly threads: Threads
  readonly crew: Crew
  readonly kernel: Process<NetKernelMessage>
}

/** The data that a thread is given at its start. */
export interface Membership {
  readonly options: Pick<NodeOptions, 'name' | 'cookie' | 'tickTime' | 'window'>
  /** The threads that were there before, the one that has started this one first. */
  readonly introductions: readonly Introduction[]
  /** Brings the introductions of later ones. */
  readonly control: MessagePort
  /** The modules that are imported first. */
  readonly preload: readonly string[]
}

let started: Started | undefined
/** The start that is under way. */
let starting: Promise<void> | undefined
/** The stop that is under way; never rejects. */
let stopping: Promise<unknown> | undefined

/**
 * Makes this program a node. Resolves once its carrier has joined the cluster; other nodes then come as they are found, which
 * `self.monitorNode` tells. A node keeps the program running until `stopNode`. Rejects with what the carrier says if it cannot join, such as
 * that the name is taken, with a TypeError or RangeError for a wrong option, and with an Error if this program is a node already; threads of
 * `workers` are. Source: `net_kernel:start/2`.
 *
 * ```ts
 * await startNode({ name: 'shop@eu', cookie: process.env.COOKIE, carrier: nats({ servers: 'nats.internal' }) })
 * ```
 */
export async function startNode(options: NodeOptions): Promise<void> {
  checkNodeOptions(options)
  if (starting !== undefined || started !== undefined) {
    throw new Error(
      `this program is a node already${started === undefined ? '' : `: '${started.node.name}'`}`,
    )
  }
  starting = enter(options)
  try {
    await starting
  } finally {
    starting = undefined
  }
}

/**
 * Says goodbye to all other nodes, which get `nodedown` at once, and leaves the cluster. Processes go on; what they know of other nodes
 * cannot be reached any more. Threads of `workers` go on as well, and keep the program running: stop them first. Waits for a start or a
 * stop that is under way. Does nothing if this program is no node. Source: `net_kernel:stop/0`.
 */
export async function stopNode(): Promise<void> {
  if (starting !== undefined) await starting.catch(ignore)
  if (started === undefined) return void (await stopping)
  const left = leave(started)
  started = undefined
  stopping = left.catch(ignore)
  await left
}

async function enter(options: NodeOptions): Promise<void> {
  // The name of the process that answers others is free once the node before has left.
  if (stopping !== undefined) await stopping
  const node = new RunningNode(options, (node, url, name, args) =>
    spawnThere(node, { url, name, args, link: undefined }),
  )
  const threads = new Threads()
  const kernel = spawn<NetKernelMessage>(
    self => netKernel(self, () => void stopNode().catch(error => reportThrown(self, error))),
    // All others ask it, so that an exit signal of theirs must not end it.
    { name: NET_KERNEL, trapExit: true },
  )
  setHome(node)
  try {
    await node.start(threads)
    if (options.carrier !== undefined) await node.start(options.carrier)
    started = { node, threads, crew: new Crew(), kernel }
  } catch (error) {
    setHome(undefined)
    kernel.exit()
    await node.stop().catch(thrown => reportThrown(node, thrown))
    throw error
  }
}

async function leave({ node, kernel }: Started): Promise<void> {
  try {
    await node.stop()
  } finally {
    kernel.exit()
    setHome(undefined)
    stopping = undefined
  }
}

function ignore(): void {}

/** Gives the name of the node that this program is; `'nonode@nohost'` if it is none. Source: `erlang:node/0`. */
export function node(): string {
  return homeOf()?.name ?? NO_NODE
}

/**
 * Gives the names of the nodes that are connected with this one, in the order in which they came; none if this program is no node. Source:
 * `erlang:nodes/0`.
 */
export function nodes(): string[] {
  return started?.node.nodes ?? []
}

/**
 * Ends the connection with a node, as if it had broken, and says whether there was one. The two do not connect again before one of them
 * is started anew. Throws an Error if this program is no node. Source: `erlang:disconnect_node/1`.
 */
export function disconnectNode(name: string): boolean {
  return needNode().node.disconnect(name)
}

/**
 * Gives the process that has a name on a node; `undefined` if none has. Rejects with a `CallError` whose `reason` is `'noconnection'` if
 * the node cannot be reached, or `'timeout'` after `timeout` milliseconds, 5000 by default, with a TypeError for a wrong argument, and with an
 * Error if this program is no node. Source: `erpc:call(Node, erlang, whereis, [Name])`.
 */
export async function whereis<M = unknown>(
  name: string,
  node: string,
  timeout?: number,
): Promise<PidAt<M> | undefined> {
  if (typeof name !== 'string' || name === '') throw new TypeError('name must be a non-empty string')
  if (isHere(node)) return whereisHere<M>(name) as PidAt<M> | undefined
  return (await call(kernelOf(node), { type: 'whereis', name }, timeout)) as PidAt<M> | undefined
}

/** Gives the names that are taken on a node. Rejects as `whereis` does. Source: `erpc:call(Node, erlang, registered, [])`. */
export async function registered(node: string, timeout?: number): Promise<string[]> {
  return (await call(kernelOf(node), { type: 'registered' }, timeout)) as string[]
}

/**
 * Gives a pid that stands for whoever has the name on the node at the time: what is sent to it goes to that process, and it can be
 * called and monitored. A name cannot be linked: `whereis` gives the pid that can. Throws a TypeError if an argument is wrong, and an Error
 * if this program is no node. Source: `{RegName, Node}` of `erlang:send/2`.
 *
 * @param at The name of the process, and that of its node.
 */
export function named<M = unknown>({ name, node }: NameAt): RemotePid<M> {
  if (typeof name !== 'string' || name === '') throw new TypeError('name must be a non-empty string')
  checkNodeName(node, 'node')
  return needNode().node.named({ name, node }) as RemotePid<M>
}

/** How a message is sent. */
export interface SendOptions {
  /** The buffers that are moved to the receiver rather than copied, and are empty here afterwards. Over a network they are copied. */
  readonly transfer?: readonly ArrayBuffer[]
}

/**
 * Sends a message to a pid, to the name of a process here, or to a name on another node. Does nothing if there is no such process, or if
 * the node cannot be reached. Throws a TypeError that names what is wrong, an Error for a name on another node if this program is no node, and
 * then sends nothing. Source: `erlang:send/2`.
 */
export function send<M>(to: Pid<M> | string | NameAt, message: M, options: SendOptions = {}): void {
  const pid = receiverOf(to)
  const { transfer } = options
  if (
    transfer !== undefined &&
    !(Array.isArray(transfer) && transfer.every(buffer => buffer instanceof ArrayBuffer))
  ) {
    throw new TypeError('options.transfer must be an array of ArrayBuffers')
  }
  if (transfer !== undefined && pid instanceof RemoteTarget) pid.sendMoving(message, new Set(transfer))
  else pid?.send(message)
}

function receiverOf<M>(to: Pid<M> | string | NameAt): Pid<M> | undefined {
  if (typeof to === 'string') return whereisHere<M>(to)
  if (typeof (to as Partial<Pid<M>>)?.send === 'function') return to as Pid<M>
  if (typeof (to as Partial<NameAt>)?.name !== 'string') {
    throw new TypeError(`to must be a pid, a name, or { name, node }, not ${inspect(to, { depth: 0 })}`)
  }
  const place = to as NameAt
  return isHere(place.node) ? whereisHere<M>(place.name) : named<M>(place)
}

/** Makes this thread a node that knows the other threads of the program. @internal */
export async function joinFamily({ options, introductions, control, preload }: Membership): Promise<void> {
  for (const url of preload) await import(url)
  await startNode(options)
  const { threads } = needNode()
  for (const introduction of introductions) threads.add(introduction)
  control.on('message', (introduction: Introduction) => threads.add(introduction))
  // The ports to the others keep the thread running, until its node is stopped.
  control.unref()
}

/** Gives what runs. Throws an Error that says what to do if this program is no node. @internal */
export function needNode(): Started {
  if (started !== undefined) return started
  throw new Error('this program is no node: call startNode first')
}

/** Whether a node is this program. @internal */
export function isHere(name: string): boolean {
  checkNodeName(name, 'node')
  return name === node()
}

/** Gives the process of a node that answers others. @internal */
export function kernelOf(node: string): Pid<NetKernelCall> {
  return isHere(node)
    ? (needNode().kernel as Pid<NetKernelCall>)
    : named<NetKernelCall>({ name: NET_KERNEL, node })
}

/** Has a process begin on a node. Rejects with the error of its module, or with a `CallError` if the node cannot be reached. @internal */
export async function spawnThere(node: string, wanted: Omit<SpawnRequest, 'type'>): Promise<PidAt> {
  // A module may take any time to load.
  const request = { ...wanted, type: 'spawn' } as const
  const spawned = (await call(kernelOf(node), request, Number.POSITIVE_INFINITY)) as Spawned
  if (spawned.ok) return spawned.value as PidAt
  throw spawned.error
}
