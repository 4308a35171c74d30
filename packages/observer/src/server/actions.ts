/** An action is asked for twice: the first time gives a question with a ticket, and only the ticket has it done. */

import { randomUUID } from 'node:crypto'
import type { Readable } from 'node:stream'
import { getHeapSnapshot } from 'node:v8'
import { nodeHere } from '../naming/refs.js'
import { questionOf } from '../nodes/acting.js'
import type { Lookout } from '../nodes/lookout.js'
import type { Action, Told } from '../words.js'

/** How long in milliseconds a ticket holds. */
const MINUTE = 60_000
/** The most questions that wait for their answers: a viewer may ask as fast as it can write. */
const MOST = 100
/** The path behind which heap snapshots wait to be fetched. */
export const SNAPSHOTS = '/heap-snapshot/'

/** The actions that viewers ask for. */
export class Actions {
  readonly #lookout: Lookout
  readonly #isAllowed: boolean
  readonly #questions = new Tickets<Action>()
  readonly #snapshots = new Tickets<true>()

  constructor(lookout: Lookout, isAllowed: boolean) {
    this.#lookout = lookout
    this.#isAllowed = isAllowed
  }

  /** Asks whether the action is meant. Throws an Error if the program has not allowed any. */
  ask(id: number, action: Action): Told {
    if (!this.#isAllowed)
      throw new Error('the program allows no actions: it must start the observer with allowActions: true')
    const question = questionOf(action)
    const ticket = this.#questions.issue(action)
    return { type: 'confirm', id, ticket, question }
  }

  /** Does what the ticket stands for. Rejects with an Error if it stands for nothing, or cannot be done. */
  async confirm(id: number, ticket: string): Promise<Told> {
    const action = this.#questions.take(ticket)
    if (action === undefined) throw new Error('the question is too old: ask again')
    if (action.type === 'heap_snapshot' && action.node === nodeHere()) {
      const download = `${SNAPSHOTS}${this.#snapshots.issue(true)}`
      return { type: 'done', id, text: 'the heap snapshot is taken when it is fetched', download }
    }
    return { type: 'done', id, text: await this.#lookout.act(action) }
  }

  /** Takes the snapshot that waits at a path, once; `undefined`: none does. */
  snapshotAt(path: string): Readable | undefined {
    return this.#snapshots.take(path.slice(SNAPSHOTS.length)) ? getHeapSnapshot() : undefined
  }
}

/** Each ticket stands for something, once, for a minute, and until a hundred more were issued. */
class Tickets<T> {
  readonly #issued = new Map<string, { readonly item: T; readonly until: number }>()

  issue(item: T): string {
    const [oldest] = this.#issued.keys()
    if (oldest !== undefined && this.#issued.size >= MOST) this.#issued.delete(oldest)
    const ticket = randomUUID()
    this.#issued.set(ticket, { item, until: performance.now() + MINUTE })
    return ticket
  }

  /** Gives what the ticket stands for; `undefined`: nothing, or nothing any more. */
  take(ticket: string): T | undefined {
    const issued = this.#issued.get(ticket)
    this.#issued.delete(ticket)
    return issued !== undefined && performance.now() <= issued.until ? issued.item : undefined
  }
}
