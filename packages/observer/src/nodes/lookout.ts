/** A lookout looks at a view, here, on another node, or on all of them. */

import { createProcess, type Pid, type Process } from '@holster/process'
import { homeOf, onNodes } from '@holster/process/internal'
import { nodeHere } from '../naming/refs.js'
import type { Action, View } from '../words.js'
import { act } from './acting.js'
import { type AgentMessage, type Answer, startAgent } from './agent.js'
import { type Glance, Here, type LocalView, type Sight } from './here.js'
import { Merged } from './merged.js'
import { NodesSight } from './nodes-sight.js'
import type { Nodes, Outlook } from './outlook.js'

/** How long in milliseconds another node may take to answer. */
const TIMEOUT = 10_000
/** How long in milliseconds passes before an agent is tried again where none could be started. */
const AGAIN = 10_000

/** An agent on another node, or why there is none. */
interface Post {
  readonly agent: Promise<Pid<AgentMessage>>
}

/** Looks at this node and at all that are connected. */
export class Lookout implements Nodes {
  readonly #here = new Here()
  readonly #process: Process<never>
  readonly #posts = new Map<string, Post>()
  readonly #stopHearing: () => void
  #lastGlance = 0

  constructor() {
    this.#process = createProcess<never>()
    this.#process.label = 'observer'
    for (const node of homeOf()?.nodes ?? []) this.#postTo(node)
    this.#stopHearing = onNodes((type, node) => {
      this.#posts.delete(node)
      if (type === 'nodeup') this.#postTo(node)
    })
  }

  /** The names of all nodes, this one first. */
  get nodes(): readonly string[] {
    return [nodeHere(), ...(homeOf()?.nodes ?? [])]
  }

  /** Begins to look. Rejects with an Error if there is no such thing. */
  async open(view: View): Promise<Outlook> {
    if (view.name === 'nodes') return new NodesSight(this)
    const node = nodeOf(view)
    if (node !== undefined) return this.openAt(node, view)
    const isOfAll = view.name === 'processes' || view.name === 'connections' || view.name === 'pools'
    if (isOfAll) return new Merged(this, view)
    return this.openAt(nodeHere(), view)
  }

  /** Begins to look at one node. */
  async openAt(node: string, view: LocalView): Promise<Outlook> {
    if (node === nodeHere()) return new LocalOutlook(this.#here.open(view))
    const outlook = new RemoteOutlook(this, node, ++this.#lastGlance)
    await outlook.open(view)
    return outlook
  }

  /** Acts, and says what was done. Rejects with an Error that says why if it cannot be done. */
  async act(action: Action): Promise<string> {
    const node = action.type === 'heap_snapshot' ? action.node : action.subject.node
    return node === nodeHere() ? act(action) : ((await this.ask(node, { type: 'act', action })) as string)
  }

  /** Asks the agent of another node. Rejects with an Error that says why there is no answer. */
  async ask(node: string, request: object): Promise<unknown> {
    const agent = await this.#postTo(node).agent
    const answer = (await this.#process.call(agent as Pid<unknown>, request, TIMEOUT)) as Answer<unknown>
    if (!answer.ok) throw new Error(answer.text)
    return answer.value
  }

  stop(): void {
    this.#stopHearing()
    this.#here.stop()
    // The agents monitor the process.
    this.#process.exit('shutdown')
  }

  #postTo(node: string): Post {
    if (!(homeOf()?.nodes.includes(node) ?? false)) throw new Error(`the node ${node} is not connected`)
    const known = this.#posts.get(node)
    if (known !== undefined) return known
    const post = { agent: startAgent(node, this.#process) }
    this.#posts.set(node, post)
    post.agent.catch(() => this.#tryAgain(node, post))
    return post
  }

  #tryAgain(node: string, post: Post): void {
    const forget = () => this.#posts.get(node) === post && this.#posts.delete(node)
    setTimeout(forget, AGAIN).unref()
  }
}

/** Gives the node that a view is of; `undefined`: of this one, or of all. */
function nodeOf(view: LocalView): string | undefined {
  if ('subject' in view) return view.subject.node
  return 'node' in view ? view.node : undefined
}

/** Looks at this node. */
class LocalOutlook implements Outlook {
  readonly #glance: Glance

  constructor(glance: Glance) {
    this.#glance = glance
  }

  async see(): Promise<Sight> {
    return this.#glance.see()
  }

  async turn(view: View): Promise<boolean> {
    return view.name !== 'nodes' && nodeOf(view) === nodeOf(this.#glance.view) && this.#glance.turn(view)
  }

  close(): void {
    this.#glance.close()
  }
}

/** Looks at another node. */
class RemoteOutlook implements Outlook {
  readonly #lookout: Lookout
  readonly #node: string
  readonly #glance: number

  constructor(lookout: Lookout, node: string, glance: number) {
    this.#lookout = lookout
    this.#node = node
    this.#glance = glance
  }

  /** Begins to look. Rejects with an Error if there is no such thing, or no answer: then nobody looks there. */
  async open(view: LocalView): Promise<void> {
    try {
      await this.#lookout.ask(this.#node, { type: 'open', glance: this.#glance, view })
    } catch (error) {
      // The node may only be slow, and open the view once nobody waits for it any more.
      this.close()
      throw error
    }
  }

  async see(): Promise<Sight> {
    return (await this.#lookout.ask(this.#node, { type: 'see', glance: this.#glance })) as Sight
  }

  async turn(view: View): Promise<boolean> {
    if (view.name === 'nodes' || nodeOf(view) !== this.#node) return false
    return (await this.#lookout.ask(this.#node, { type: 'turn', glance: this.#glance, view })) as boolean
  }

  close(): void {
    // A node that is gone has closed it.
    this.#lookout.ask(this.#node, { type: 'close', glance: this.#glance }).catch(() => {})
  }
}
