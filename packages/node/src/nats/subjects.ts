/**
 * The subjects of a cluster. Each is below the prefix, so that a client needs no permission for anything else.
 *
 * | subject                              | what is published there                                | who subscribes            |
 * | ------------------------------------ | ------------------------------------------------------ | ------------------------- |
 * | `PREFIX.here`                        | who has come, who is there, who leaves                 | all nodes                 |
 * | `PREFIX.name.NAME`                   | asks whether the name is taken                         | the node that has it      |
 * | `PREFIX.reply.INCARNATION`           | the answer to that                                     | the node that has asked   |
 * | `PREFIX.to.INCARNATION.ADDRESS`      | the parcels for the node, from the node at the address | the node they are for     |
 *
 * The last is also the return address of parcels: where nobody gets them the server publishes there that it is so.
 */

import { type Address, readAddress, wordOf } from './address.js'

/** The subjects of one node. */
export class Subjects {
  /** Where all nodes say that they are there. */
  readonly here: string
  /** Where the node that has this name answers. */
  readonly name: string
  /** Where this node gets answers. */
  readonly reply: string
  /** Whatever is for this node. */
  readonly inbox: string
  readonly #prefix: string
  readonly #toOwn: string

  constructor(prefix: string, name: string, incarnation: string) {
    this.#prefix = prefix
    this.here = `${prefix}.here`
    // A dot would make two words of one. The percent sign occurs in no name.
    this.name = `${prefix}.name.${name.replaceAll('.', '%')}`
    this.reply = `${prefix}.reply.${incarnation}`
    this.#toOwn = `${prefix}.to.${incarnation}.`
    this.inbox = `${this.#toOwn}*`
  }

  /** Where the node at `own` sends parcels to the node at `peer`. */
  to(peer: Address, own: Address): string {
    return `${this.#prefix}.to.${peer.incarnation}.${wordOf(own)}`
  }

  /** Where the node at `peer` sends parcels to this one. */
  from(peer: Address): string {
    return this.#toOwn + wordOf(peer)
  }

  /** Whether a node waits for an answer at `subject`. */
  isReply(subject: string): boolean {
    return subject.startsWith(`${this.#prefix}.reply.`)
  }

  /** Gives who has sent what came by `subject`; `undefined` if that does not say. */
  senderOf(subject: string): Address | undefined {
    return subject.startsWith(this.#toOwn) ? readAddress(subject.slice(this.#toOwn.length)) : undefined
  }
}
