/** Answers what can be asked of one program, or one thread of it: each is a node of its own. */

import { threadId } from 'node:worker_threads'
import { homeOf, type NodeLink } from '@holster/process/internal'
import { lookAtConnection } from '../looking/connection.js'
import { lookAtConnections } from '../looking/connections.js'
import { keepsNothing, type Looking } from '../looking/looking.js'
import { lookAtOverview } from '../looking/overview.js'
import { lookAtPools } from '../looking/pools.js'
import { lookAtProcess } from '../looking/process.js'
import { lookAtProcesses } from '../looking/processes.js'
import { startTrace, type Tracing } from '../looking/trace.js'
import { lookAtTree } from '../looking/tree.js'
import { Journal } from '../measuring/journal.js'
import { Sampler } from '../measuring/sampler.js'
import type { NodeRow, TraceEvent, View } from '../words.js'

/** A view of one node: in place of the nodes, which no node can show alone, a summary of each. */
export type LocalView = Exclude<View, { readonly name: 'nodes' }> | { readonly name: 'summary' }

/** The sight of somebody who looks. */
export interface Sight {
  readonly value: unknown
  /** The events of a trace since the last look. */
  readonly events?: readonly TraceEvent[]
  /** How long looking took, in milliseconds. */
  readonly took: number
}

/** The facts about a node that the list of nodes shows. */
export interface Summary extends Pick<NodeRow, 'pid' | 'threadId' | 'sample'> {
  readonly links: readonly NodeLink[]
}

/** Looks at any view. */
type AnyLooking = Pick<Looking, 'close'> & {
  show(): unknown
  turn?(params: never): boolean
  take?: Tracing['take']
}

/** Someone who looks at one view of this node. */
export class Glance {
  readonly view: LocalView
  readonly #looking: AnyLooking
  readonly #stopCounting: () => void
  /** How long it took to open the view, which the first look adds to its own time. */
  #opening: number

  constructor(view: LocalView, looking: AnyLooking, stopCounting: () => void, opening: number) {
    this.view = view
    this.#opening = opening
    this.#looking = looking
    this.#stopCounting = stopCounting
  }

  /** Looks. Throws an Error that says why if there is nothing to see. */
  see(): Sight {
    const before = performance.now() - this.#opening
    this.#opening = 0
    const events = this.#looking.take?.()
    const value = this.#looking.show()
    return { value, ...(events && { events }), took: performance.now() - before }
  }

  /** Looks at other rows from now on; `false`: the view has to be opened anew. */
  turn(view: LocalView): boolean {
    return view.name === this.view.name && (this.#looking.turn?.(view as never) ?? false)
  }

  close(): void {
    this.#looking.close()
    this.#stopCounting()
  }
}

/** This node, as it is observed. */
export class Here {
  readonly #sampler = new Sampler()
  readonly #journal = new Journal()
  readonly #since = Date.now()

  /** Begins to look. Throws an Error if there is no such thing. */
  open(view: LocalView): Glance {
    const before = performance.now()
    const looking = this.#lookingAt(view)
    const stopCounting = this.#sampler.look()
    return new Glance(view, looking, stopCounting, performance.now() - before)
  }

  stop(): void {
    this.#sampler.stop()
    this.#journal.stop()
  }

  #lookingAt(view: LocalView): AnyLooking {
    switch (view.name) {
      case 'overview':
        return lookAtOverview(this.#sampler, this.#journal, this.#since)
      case 'processes':
        return lookAtProcesses(view, this.#sampler.censuses)
      case 'process':
        return lookAtProcess(view, this.#sampler.censuses)
      case 'tree':
        return lookAtTree(this.#journal)
      case 'connections':
        return lookAtConnections(view)
      case 'connection':
        return lookAtConnection(view)
      case 'pools':
        return lookAtPools()
      case 'trace':
        return startTrace(view)
      case 'summary':
        return { show: () => this.#summary(), close: keepsNothing }
    }
  }

  #summary(): Summary {
    return { pid: process.pid, threadId, sample: this.#sampler.last, links: homeOf()?.links ?? [] }
  }
}
