/** The processes that want to know when a node comes and goes. */

import type { Process } from '@holster/process'
import { watch } from '@holster/process/internal'

/**
 * The message that tells of a node's coming or going. Source: `erlang:monitor_node/2`, `net_kernel:monitor_nodes/1`.
 *
 * @to The process that has called `self.monitorNode`.
 * @order By turns, each once for each call of `monitorNode`: `nodedown` behind all messages of the node, and behind the `DOWN` and `EXIT` of its
 * processes, whose reason is `'noconnection'`; `nodeup` before any message of the next connection.
 */
export interface NodeChange {
  /** The tag by which patterns and a `switch` tell messages apart. */
  readonly type: 'nodeup' | 'nodedown'
  /** The name of the node. */
  readonly node: string
}

interface Watching {
  /** How many messages the process gets for each change, by the names of nodes. */
  readonly counts: Map<string, number>
  readonly stop: () => void
}

/** The processes that monitor nodes. */
export class NodeWatchers {
  readonly #watching = new Map<Process<NodeChange>, Watching>()

  add(process: Process<NodeChange>, node: string): void {
    let watching = this.#watching.get(process)
    if (watching === undefined) {
      const stop = watch(process, () => this.#watching.delete(process))
      if (stop === undefined) return
      watching = { counts: new Map(), stop }
      this.#watching.set(process, watching)
    }
    watching.counts.set(node, (watching.counts.get(node) ?? 0) + 1)
  }

  remove(process: Process<NodeChange>, node: string): void {
    const watching = this.#watching.get(process)
    if (watching === undefined) return
    const count = watching.counts.get(node) ?? 0
    if (count > 1) watching.counts.set(node, count - 1)
    else watching.counts.delete(node)
    if (watching.counts.size > 0) return
    watching.stop()
    this.#watching.delete(process)
  }

  tell(type: NodeChange['type'], node: string): void {
    for (const [process, { counts }] of [...this.#watching]) {
      for (let left = counts.get(node) ?? 0; left > 0; left--) process.send({ type, node })
    }
  }

  clear(): void {
    for (const { stop } of this.#watching.values()) stop()
    this.#watching.clear()
  }
}
