/** The view of all nodes, with the links between them. */

import { nodeHere } from '../naming/refs.js'
import type { LinkRow, NodeRow, Nodes } from '../words.js'
import type { Sight, Summary } from './here.js'
import type { Nodes as AllNodes, Outlook } from './outlook.js'

/** A node as it was seen, and how long that took in milliseconds. */
interface Seen {
  readonly row: NodeRow
  readonly links: readonly LinkRow[]
  readonly took: number
}

/** Looks at a summary of each node. */
export class NodesSight implements Outlook {
  readonly #all: AllNodes
  /** The outlooks of nodes, which come and go. */
  readonly #outlooks = new Map<string, Outlook>()

  constructor(all: AllNodes) {
    this.#all = all
  }

  async see(): Promise<Sight> {
    const { nodes } = this.#all
    for (const node of this.#outlooks.keys()) if (!nodes.includes(node)) this.#forget(node)
    const seen = await Promise.all(nodes.map(node => this.#seeOne(node)))
    const value: Nodes = { nodes: seen.map(({ row }) => row), links: seen.flatMap(({ links }) => links) }
    return { value, took: seen.reduce((sum, { took }) => sum + took, 0) }
  }

  async turn(): Promise<boolean> {
    return true
  }

  close(): void {
    for (const outlook of this.#outlooks.values()) outlook.close()
  }

  /** Ends the outlook at a node, which may be this one: it gets another name when it joins others. */
  #forget(node: string): void {
    this.#outlooks.get(node)?.close()
    this.#outlooks.delete(node)
  }

  async #seeOne(node: string): Promise<Seen> {
    const isHere = node === nodeHere()
    try {
      const outlook = this.#outlooks.get(node) ?? (await this.#all.openAt(node, { name: 'summary' }))
      this.#outlooks.set(node, outlook)
      const { value, took } = await outlook.see()
      const { links, ...facts } = value as Summary
      return {
        took,
        row: { node, isHere, problem: undefined, ...facts },
        links: links.map(({ node: to, ...link }) => ({ from: node, to, ...link })),
      }
    } catch (error) {
      this.#forget(node)
      const problem = error instanceof Error ? error.message : String(error)
      return {
        row: { node, isHere, problem, pid: undefined, threadId: undefined, sample: undefined },
        links: [],
        took: 0,
      }
    }
  }
}
