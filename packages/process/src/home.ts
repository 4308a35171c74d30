/** The node that this program is. `@holster/node` takes this place when a node starts; without it the program is no node. */

import type { Monitorable } from './exits/exit.js'
import type { Pid } from './pid.js'

/** The link to another node, as this one sees it. Counts begin anew when the link does. */
export interface NodeLink {
  /** The name of the other node. */
  readonly node: string
  /** The name of the carrier that brings the bytes: `'threads'`, `'nats'`, or that of a carrier of the program's own. */
  readonly carrier: string
  /** Since when the nodes are connected, in milliseconds since 1970. */
  readonly since: number
  /** How many packets of messages were sent. */
  readonly sent: number
  /** How many packets of messages were received. */
  readonly received: number
  /** How many bytes these packets had, with the buffers that were moved beside them. */
  readonly bytesSent: number
  readonly bytesReceived: number
  /** How many bytes are under way, so that the other node does not say yet that it has them. */
  readonly underWay: number
  /** How many bytes wait to be sent, most of them since `window` bytes are under way. */
  readonly waiting: number
  /** How many bytes may be under way. */
  readonly window: number
}

/** The node of this program, as processes and packages use it. */
export interface Home {
  /** The name of the node. */
  readonly name: string
  /** The names of the nodes that are connected. */
  readonly nodes: readonly string[]
  /** The links to the nodes that are connected, as they are now. */
  readonly links: readonly NodeLink[]
  /** Gives a pid that stands for whoever has a name on a node. */
  named(place: { readonly name: string; readonly node: string }): Pid<unknown> & Monitorable
  /** Throws a TypeError that names `argument`, and the place within it, unless `value` can be sent to other nodes. */
  checkSendable(value: unknown, argument: string): void
  /** Tells a process when the node `name` comes and goes, or does so once less. */
  monitorNode(process: object, name: string, isOn: boolean): void
  /** Runs the exported body `name` of the module at `url` in a new process of another node, and gives its pid. */
  spawnAt(node: string, url: string, name: string, args: readonly unknown[]): Promise<unknown>
}

/** A body that a package has other nodes run by its name, whatever the place of its module there. */
export type OfferedBody = (self: never, ...args: never[]) => unknown

const offered = new Map<string, OfferedBody>()

/** Offers a body to other nodes, which find it by `name` once the module that calls this is loaded. */
export function offerBody(name: string, body: OfferedBody): void {
  offered.set(name, body)
}

/** Gives the body that is offered by that name. */
export function offeredBody(name: string): OfferedBody | undefined {
  return offered.get(name)
}

/** The name of a program that is no node. Source: `erlang:node/0`. */
export const NO_NODE = 'nonode@nohost'

let home: Home | undefined

/** Is told when another node comes, and when it goes. */
export type NodeListener = (type: 'nodeup' | 'nodedown', node: string) => void

const listeners = new Set<NodeListener>()

/** Has `listener` told of all other nodes from now on; gives a function that ends that. */
export function onNodes(listener: NodeListener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Tells that a node has come or gone. */
export function tellNodes(type: 'nodeup' | 'nodedown', node: string): void {
  for (const listener of [...listeners]) listener(type, node)
}

/** Gives the node that this program is; `undefined`: it is none. */
export function homeOf(): Home | undefined {
  return home
}

/** Makes this program a node, or with `undefined` none. */
export function setHome(next: Home | undefined): void {
  home = next
}

/** Gives the node that this program is. Throws an Error that says what to do if it is none. */
export function needHome(): Home {
  if (home !== undefined) return home
  throw new Error('this program is no node: call startNode of @holster/node first')
}
