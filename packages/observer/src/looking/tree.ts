/** The tree of supervisors and their children. */

import { type ChildInsight, type SupervisorInsight, supervisors } from '@holster/otp/internal'
import { nameOf } from '@holster/process/internal'
import type { Journal } from '../measuring/journal.js'
import { nodeHere, refOf } from '../naming/refs.js'
import type { Ref, TreeNode } from '../words.js'
import { keepsNothing, type Looking } from './looking.js'

/** The most children of one supervisor, and of all of them, that are shown. */
const CHILDREN = 200
const NODES = 3000

/** Opens the tree. */
export function lookAtTree(journal: Journal): Looking<'tree'> {
  return {
    show: () => ({ node: nodeHere(), roots: new Growth(supervisors()).roots, reports: journal.entries }),
    close: keepsNothing,
  }
}

/** Makes the trees of all supervisors. */
class Growth {
  readonly #byPid: ReadonlyMap<unknown, SupervisorInsight>
  readonly #all: readonly SupervisorInsight[]
  #left = NODES

  constructor(all: readonly SupervisorInsight[]) {
    this.#all = all
    this.#byPid = new Map(all.map(supervisor => [supervisor.pid, supervisor]))
  }

  get roots(): readonly TreeNode[] {
    return this.#all
      .filter(({ parent }) => parent === undefined || !this.#byPid.has(parent))
      .map(root => this.#supervisor(root))
  }

  #supervisor(supervisor: SupervisorInsight, child?: ChildInsight): TreeNode {
    const children: TreeNode[] = []
    for (const each of supervisor.children) {
      if (children.length >= CHILDREN || this.#left <= 0) break
      this.#left--
      children.push(this.#child(each))
    }
    const { pid, size, strategy } = supervisor
    return {
      ...standing(child, refOf(pid)),
      id: child?.id ?? rootName(supervisor),
      type: 'supervisor',
      strategy,
      children,
      omitted: Math.max(0, size - children.length),
    }
  }

  #child(child: ChildInsight): TreeNode {
    const supervisor = child.pid === undefined ? undefined : this.#byPid.get(child.pid)
    if (supervisor !== undefined) return this.#supervisor(supervisor, child)
    const ref = child.pid === undefined ? undefined : refOf(child.pid)
    const { id, type } = child
    return { ...standing(child, ref), id, type, strategy: undefined, children: [], omitted: 0 }
  }
}

function rootName({ pid }: SupervisorInsight): string {
  return nameOf(pid) ?? pid.id
}

/** Tells how a child stands; a root stands as a supervisor that runs. */
function standing(
  child: ChildInsight | undefined,
  ref: Ref | undefined,
): Pick<TreeNode, 'ref' | 'state' | 'restarts' | 'restartedAt' | 'lastReason'> {
  const { isRestarting = false, isStarting = false, restarts = 0, restartedAt, lastReason } = child ?? {}
  const isComing = isRestarting || isStarting
  return {
    ref,
    state: isComing ? 'restarting' : ref === undefined ? 'stopped' : 'running',
    restarts,
    restartedAt,
    lastReason,
  }
}
