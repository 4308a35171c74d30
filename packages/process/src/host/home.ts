/** The node that this program is. `@holster/node` takes this place when a node starts; without it the program is no node. */

/** What a node does for the processes and the packages of its program. */
export interface Home {
  /** The name of the node. */
  readonly name: string
  /** Tells a process when the node `name` comes and goes, or does so once less. */
  monitorNode(process: object, name: string, isOn: boolean): void
  /** Runs the exported body `name` of the module at `url` in a new process of another node, and gives its pid. */
  spawnAt(node: string, url: string, name: string, args: readonly unknown[]): Promise<unknown>
}

/** The name of a program that is no node. Source: `erlang:node/0`. */
export const NO_NODE = 'nonode@nohost'

let home: Home | undefined

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
